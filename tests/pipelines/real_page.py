"""The recipe of real pairs that tests build: gated by measures, restored by a small program of their own."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
PAGE: dict[str, Any] = {
    "name": "real",
    "seed": 5,
    "index": {"limits": {"min_short_side": 256, "max_noise_sigma": 99.0, "max_black": 1.0, "min_content": 0.1, "min_sharpness": 0.0, "max_blockiness": 99.0}},
    "crop": {"size": 256, "policy": "centre", "shrink": [1.0, 1.0]},
    "score": {"photos": {"evidence": {}}, "pairs": {"alignment": {}, "evidence": {}}},
    "real": {
        "gate": {
            "tasks": {
                "noise": {"evidence.sign.noise": [5.0, 99.0]},
                "low_light": {"evidence.sign.low_light": [2.5, 99.0]},
            },
            "rank": "evidence.sign.{task}",
            "severity": "evidence.sign.{task}",
        },
        "makers": {
            "mine": {
                "kind": "command",
                "candidates": 2,
                "settings": {"argv": [sys.executable, str(HERE / "restorer.py"), "{input}", "{output}", "{orders}"], "version": "1"},
            }
        },
        "correct": {"margin_px": 16, "max_shift_px": 4.0},
        "best": {"evidence.explained": 1.0},
    },
    "select": {"limits": {"alignment.shift_px": [0.0, 1.0]}},
    "render": {"shard_pairs": 4, "max_reject_share": 1.0},
}
