"""Copies among the inputs: refused, kept in one split, or kept out of training, from the index to the plan."""
