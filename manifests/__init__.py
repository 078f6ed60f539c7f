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
"""

from manifests.augment import Augment
from manifests.buckets import Buckets
from manifests.dataset import PairDataset
from manifests.mix import MixSampler
from manifests.sampler import EpochSampler
from manifests.state import Resumable
from manifests.stream import PairStream

__all__ = ["Augment", "Buckets", "EpochSampler", "MixSampler", "PairDataset", "PairStream", "Resumable"]
