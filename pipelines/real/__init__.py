"""Real pairs: photos that are truly degraded, gated by what they show, and the clean sides that makers give them."""
