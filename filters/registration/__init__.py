"""Where one photo lies on another: found by structure that survives degradation, and undone."""
