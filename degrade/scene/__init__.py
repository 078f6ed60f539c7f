"""What a photo shows, as far as degradations must know it: segments, depth, sky."""
