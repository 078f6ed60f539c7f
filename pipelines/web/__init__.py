"""Photos from the web: one careful reader for addresses that strangers wrote down, and the books of what became of them."""
