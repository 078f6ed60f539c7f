"""Marks that people lay over photos: the network that knows watermarks, and the sayings that ask CLIP for a second opinion."""
