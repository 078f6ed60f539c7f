"""Several photos of one scene made one: put in place, brought to one exposure, merged where they agree."""
