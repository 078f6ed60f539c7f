"""Asking a vision-language model one closed question about photos: the distribution over the digits 1 to 5, in one forward pass."""
