"""Rows, shards, readers and proofs: everything that is written, and nothing that knows how a pixel was made.

    schema   what a row holds          commit   files that are whole or absent
    png      fast lossless pictures    shards   tar + Parquet, the Parquet is the commit
    books    inputs = pairs + rejects + pending
    verify   every byte is what the manifest says
    export   other people's formats

What a trainer reads, in the order in which it happens:

    choose   which pairs               epoch    the plan of an epoch     sampler, mix   its batches
    open_shards  one pread             windows  decoding what is used    augment, buckets   crop, mirror, turn
    dataset  pair by pair              stream   batch by batch           state          stop and go on

What a trainer imports from here is loaded when it is named: the command line, which names none of it, starts without
Arrow and OpenCV.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from manifests.augment import Augment
    from manifests.buckets import Buckets
    from manifests.dataset import PairDataset
    from manifests.mix import MixSampler
    from manifests.sampler import EpochSampler
    from manifests.state import Resumable
    from manifests.stream import PairStream

__all__ = ["Augment", "Buckets", "EpochSampler", "MixSampler", "PairDataset", "PairStream", "Resumable"]

_PLACES = {
    "Augment": "augment",
    "Buckets": "buckets",
    "EpochSampler": "sampler",
    "MixSampler": "mix",
    "PairDataset": "dataset",
    "PairStream": "stream",
    "Resumable": "state",
}


def __getattr__(name: str) -> Any:
    """Load a name of `__all__`; raises AttributeError for any other."""
    if name not in _PLACES:
        raise AttributeError(f"module `{__name__}` has no `{name}`")
    return getattr(importlib.import_module(f"{__name__}.{_PLACES[name]}"), name)
