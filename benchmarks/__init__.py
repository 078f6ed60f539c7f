"""Speed, measured: `python -m benchmarks` prints every table; each figure is a ratio to the JPEG decode of the same run."""
