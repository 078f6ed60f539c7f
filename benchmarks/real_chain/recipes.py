"""The two recipes of the chain: the lessons of the networks, and the real run that they restore."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.real_chain.web import SIDE_PX, TASKS

CLASSICAL = Path(__file__).resolve().parent / "classical.py"
ANYTHING = {  # that is a photo: a degraded side may be soft, noisy and dark
    "max_noise_sigma": 100.0, "min_sharpness": 0.0, "min_jpeg_quality": 1.0, "max_blockiness": 100.0, "max_black": 0.95, "min_content": 0.5, "max_clipped": 0.4,
}


def lessons(variants: int = 24) -> dict[str, Any]:
    """Return the recipe of the synthetic run, harsh like the photos of the web."""
    return {
        "name": "lessons",
        "seed": 3,
        "index": {"limits": {"min_short_side": 384, "max_noise_sigma": 8.0}},
        "crop": {"size": 320, "policy": "random", "shrink": [1.0, 3.0]},
        "split": {"train": 0.8, "test": 0.2},
        "variants": variants,
        "tasks": {task: {"strata": [0.0, 0.0, 1.0, 1.0, 1.0]} for task in TASKS},
        "render": {"max_reject_share": 1.0},
    }


def real(weights: Mapping[str, Path]) -> dict[str, Any]:
    """Return the recipe of the real run.

    Args:
        weights: of the network for each task.
    """
    networks = {f"network_{task}": {"kind": "network", "tasks": [task], "settings": {"file": str(path)}} for task, path in weights.items()}
    program = {"argv": [sys.executable, str(CLASSICAL), "{input}", "{output}", "{orders}"], "version": "1"}
    return {
        "name": "real",
        "seed": 1,
        "index": {"limits": {"min_short_side": SIDE_PX, **ANYTHING}},
        "crop": {"size": SIDE_PX, "policy": "centre", "shrink": [1.0, 1.0]},
        "split": {"train": 0.8, "test": 0.2},
        "score": {"photos": {"evidence": {}}, "pairs": {"alignment": {}, "evidence": {}, "consistency": {}, "clean": {"degraded": False}}},
        "real": {
            "gate": {
                "tasks": {
                    "compression": {"evidence.sign.compression": [40.0, 99.0]},
                    "low_light": {"evidence.sign.low_light": [0.6, 12.0]},
                    "noise": {"evidence.sign.noise": [1.5, 99.0]},
                },
                "rank": "evidence.sign.{task}",
            },
            "makers": {**networks, "classical": {"kind": "command", "settings": program}},
            "best": {"consistency.cast": -1.0},
        },
        "select": {"defaults": True},
        "render": {"shard_pairs": 16, "max_reject_share": 1.0},
        "export": {"to": ["imagefolder"]},
    }
