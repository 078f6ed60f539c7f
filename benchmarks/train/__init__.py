"""What pairs are worth: a small network trained on them, and how well it restores pictures that it has not seen."""
