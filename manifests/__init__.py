"""Rows, shards, readers and proofs: everything that is written, and nothing that knows how a pixel was made.

    schema   what a row holds          commit   files that are whole or absent
    png      fast lossless pictures    shards   tar + Parquet, the Parquet is the commit
    books    inputs = pairs + rejects + pending
    verify   every byte is what the manifest says
    dataset  what a trainer reads      export   other people's formats
"""

from manifests.dataset import PairDataset

__all__ = ["PairDataset"]
