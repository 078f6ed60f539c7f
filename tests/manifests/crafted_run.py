"""A run made by hand, small and awkward: four media types, a shared clean side, side products, hostile names, odd licences."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
from PIL import Image

from manifests import commit, png
from manifests.schema import INDEX, PAIR
from manifests.shards import Layer, Member, ShardWriter, rows_path

SIZE = 48
HOSTILE = "/home/me/</script> |`holiday`| <b>1.jpg"
SHARED, PARTNER = "a" * 64, "e" * 64


def scene(seed: int) -> np.ndarray:
    """A smooth picture with some texture."""
    rng = np.random.default_rng(seed)
    rough = rng.integers(0, 255, (6, 6, 3), np.uint8)
    return cv2.resize(rough, (SIZE, SIZE), interpolation=cv2.INTER_CUBIC)


def coded(picture: np.ndarray, media_type: str) -> Member:
    """A picture in its codec's bytes."""
    if media_type == "image/png":
        return Member(png.encode(picture), media_type)
    data = io.BytesIO()
    Image.fromarray(picture).save(data, media_type.removeprefix("image/"), quality=60)
    return Member(data.getvalue(), media_type)


PAIRS: list[dict[str, Any]] = [
    {"split": "train", "media": "image/png", "photo": HOSTILE, "sha": SHARED, "clean": 0, "layers": ("depth", "rain.rain"), "extra": {"licence": "CC BY 4.0"}},
    {"split": "train", "media": "image/jpeg", "photo": HOSTILE, "sha": SHARED, "clean": 0, "layers": (), "extra": {"licence": "CC BY 4.0"}},
    {"split": "train", "media": "image/webp", "photo": "s3://key:word@bucket/b.jpg?sig=secret", "sha": "b" * 64, "clean": 1, "layers": ("depth",), "extra": {}},
    {"split": "train", "media": "image/avif", "photo": "/p/c.jpg", "sha": "c" * 64, "clean": 2, "layers": (), "extra": {"file name": "x|y", "License": "CC0"}},
    {"split": "test", "media": "image/png", "photo": "/p/d.jpg", "sha": "d" * 64, "clean": 3, "layers": (), "extra": {}},
    {"split": "test", "media": "image/png", "photo": "/p/d.jpg", "sha": "d" * 64, "clean": 4, "layers": (), "extra": {}, "reason": "below_limit"},
]


def row_of(at: int, told: dict[str, Any]) -> dict[str, Any]:
    """The row of a pair, as planning would have written it."""
    partner = [{"role": "partner", "uri": "/p/e.jpg", "offset": None, "size": 1, "sha256": PARTNER, "crop": None}]
    return {
        **dict.fromkeys(PAIR.names),
        "schema_version": 2, "pair_id": commit.short_hash(f"pair {at}"), "task": "rain" if told["layers"] else "noise", "origin": "synthetic",
        "split": told["split"], "photo_uri": told["photo"], "photo_sha256": told["sha"], "variant": at, "width": SIZE, "height": SIZE,
        "steps": json.dumps([{"generator": "noise", "params": {"gain": 0.5}}]), "severity": 100.0 * (at + 1), "unit": "ISO", "stratum": 1 + at % 5,
        "prompt_en": "Remove the noise.", "prompt_zh": "去除噪点。", "makers": '{"depth": "geometric"}', "others": json.dumps(partner if at == 2 else []),
        "extra": list(told["extra"].items()), "scores": [("psnr_db", 20.0 + at), *([("odd.score", 1.0)] if at == 1 else [])],
        "shard": f"{told['split']}-00000", "verdict": "reject" if told.get("reason") else "keep", "reason": told.get("reason"), "made_with": '{"numpy": "2"}',
    }


def craft(folder: Path) -> Path:
    """Write the run; answer its manifest."""
    for split in ("test", "train"):
        with ShardWriter(folder, f"{split}-00000", "craft") as writer:
            for at, told in enumerate(PAIRS):
                if told["split"] == split:
                    depth = np.arange(SIZE * SIZE, dtype=np.uint16).reshape(SIZE, SIZE) * 28
                    layers = [Layer(name, png.encode(depth), 1.0 + place) for place, name in enumerate(told["layers"])]
                    degraded = coded(255 - scene(told["clean"]) // (at + 2), told["media"])
                    writer.add_pair(row_of(at, told), coded(scene(told["clean"]), "image/png"), degraded, layers)
    rows = [row for split in ("test", "train") for row in commit.read_table(rows_path(folder, f"{split}-00000")).to_pylist()]
    write_manifest(folder, rows)
    partner = {**dict.fromkeys(INDEX.names), "sha256": PARTNER, "extra": [("licence", "each to his own")], "verdict": "keep"}
    copies = [{**partner, "sha256": sha256, "extra": [("licence", "free for all")], "verdict": "reject"} for sha256 in (PARTNER, SHARED)]
    commit.write_table(folder / "index.parquet", pa.Table.from_pylist([partner, *copies], INDEX))
    return folder / "manifest.parquet"


def write_manifest(folder: Path, rows: list[dict[str, Any]]) -> None:
    """Write a manifest of these rows, as `select` would."""
    commit.write_table(folder / "manifest.parquet", pa.Table.from_pylist(rows, PAIR))
