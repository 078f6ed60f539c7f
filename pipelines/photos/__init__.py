"""From what a recipe names to upright 8-bit sRGB pixels, or a reason why not."""
