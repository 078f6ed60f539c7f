"""A display, and the camera that photographs it: lattices of sub-pixels, how they are seen, and the bands that come of it."""
