"""How long to train, as command lines say it: so many minutes, or so many steps; never none at all."""

from __future__ import annotations

import argparse
import math


def minutes(text: str) -> float:
    """Read a number of minutes; raises ArgumentTypeError."""
    value = float(text)
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"{text} minutes are no training: give more than 0")
    return value


def steps(text: str) -> int:
    """Read a number of steps; raises ArgumentTypeError."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text} steps are no training: give at least 1")
    return value


def told(given: argparse.Namespace) -> str:
    """Return what was given, in words of a command line; steps go before minutes."""
    return f"--minutes {given.minutes:g}" if given.steps is None else f"--steps {given.steps}"
