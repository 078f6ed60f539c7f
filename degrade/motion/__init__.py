"""Light that does not stay where it was: hands that shake, things that move, a lens that misses, and real clips."""
