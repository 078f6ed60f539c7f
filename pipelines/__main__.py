"""`python -m pipelines` is `patina`."""

from pipelines.cli import main

main()
