"""Traces that software leaves in a picture: posterised tones, halos, frames, captions, and the flatness of graphics."""
