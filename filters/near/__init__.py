"""Near copies: a thumbnail per photo, hashes of its crops, a search that misses none, a proof, and what belongs together."""
