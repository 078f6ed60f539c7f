"""Raindrops: how many and how large, how they fall past the camera, where they burst, and what they do on the lens."""
