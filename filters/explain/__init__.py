"""What physics says about a pair: one file per degradation fits its own operator, and tells how strong it is and whether it explains the pair."""
