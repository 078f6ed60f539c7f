"""The trainer's chance: a generator for a seed, a purpose and a subject; never a global, a rank, a worker or the time.

The same construction as `degrade.stream` (Philox, Salmon et al., SC 2011, keyed by a hash of what the draw is for),
which this room does not import: readers know no generators.
"""

from __future__ import annotations

import hashlib

import numpy as np


def generator(seed: int, purpose: str, *subject: int | str) -> np.random.Generator:
    """Return the generator that belongs to a purpose and a subject, e.g. `generator(7, "augment", epoch, pair_id)`."""
    text = "\0".join(map(str, (seed, purpose, *subject)))
    return np.random.Generator(np.random.Philox(key=int.from_bytes(hashlib.blake2b(text.encode(), digest_size=16).digest(), "little")))
