"""Arithmetic on whole pictures: random fields, strips that stay in the cache, edge-aware enlargement."""
