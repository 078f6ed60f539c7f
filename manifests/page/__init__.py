"""The inspection page: the pairs of a run for people's eyes, on this machine or as files that open from disk.

    columns     the light columns of the manifest, as the browser filters and sorts them
    scored      the numbers of all scorers, one column at a time   survival   what fell where
    parameters  every drawn parameter of a task, as columns
    row         one pair in full: steps with units, provenance
    members     stored pictures and layers, as a browser shows them    thumbnails   made once
    reviews     what people decided                                agreement  how far they agree
    run         all of these for one run folder
    server      HTTP on 127.0.0.1                                  files      the same page without a server
    static/     the page itself: plain HTML, CSS and JavaScript, no build step
"""
