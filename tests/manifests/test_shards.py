"""Shards are whole or absent, deterministic, and readable by everyone."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from manifests import commit, pictures, png, shards
from manifests.schema import PAIR
from manifests.shards import Member, ShardWriter


def row_of(pair_id: str) -> dict[str, Any]:
    """A row with what a shard needs to know."""
    told = {"pair_id": pair_id, "task": "noise", "split": "train", "severity": 400.0, "unit": "ISO", "stratum": 2, "steps": "[]"}
    return {**dict.fromkeys(PAIR.names), **told, "prompt_en": "Remove the noise.", "prompt_zh": "去除噪点。", "verdict": "keep"}


def picture(seed: int) -> Member:
    """A small lossless picture."""
    return Member(png.encode(np.random.default_rng(seed).integers(0, 256, (24, 31, 3), dtype=np.uint8)), "image/png")


def write(run: Path, count: int = 4) -> None:
    """Write one shard of pairs and a reject."""
    with ShardWriter(run, "train-00000", "f") as writer:
        for at in range(count):
            writer.add_pair(row_of(f"{at:032x}"), picture(at), picture(at + 100))
        writer.add_reject({**row_of("r" * 32), "verdict": "reject", "reason": "crashed"})


def test_every_member_is_found_by_its_offset(tmp_path):
    """One read at (offset, length) gives the picture that was stored."""
    write(tmp_path)
    data = shards.tar_path(tmp_path, "train-00000").read_bytes()
    for at, row in enumerate(commit.read_table(shards.rows_path(tmp_path, "train-00000")).to_pylist()[:4]):
        assert data[row["clean_offset"] :][: row["clean_length"]] == picture(at).data
        assert data[row["degraded_offset"] :][: row["degraded_length"]] == picture(at + 100).data


def test_the_bytes_are_a_function_of_the_rows(tmp_path):
    """Two writers of one shard make the same tar."""
    for name in ("one", "two"):
        write(tmp_path / name)
    assert shards.tar_path(tmp_path / "one", "train-00000").read_bytes() == shards.tar_path(tmp_path / "two", "train-00000").read_bytes()


def test_a_tar_reader_sees_four_members_per_pair(tmp_path):
    """The standard library reads clean, degraded, description and prompt."""
    write(tmp_path, count=1)
    with tarfile.open(shards.tar_path(tmp_path, "train-00000")) as tar:
        names = tar.getnames()
        assert [name.partition(".")[2] for name in names] == ["clean.png", "degraded.png", "json", "txt"]
        assert json.load(tar.extractfile(names[2]))["stratum"] == 2


def test_an_error_leaves_nothing_behind(tmp_path):
    """A writer that fails commits neither tar nor rows."""
    with pytest.raises(RuntimeError), ShardWriter(tmp_path, "train-00000", "f") as writer:
        writer.add_pair(row_of("0" * 32), picture(1), picture(2))
        raise RuntimeError
    assert list((tmp_path / "shards").iterdir()) == []


def test_a_full_disk_is_an_error_and_commits_nothing(tmp_path):
    """Writing to a device without space raises and leaves no shard."""
    with pytest.raises(OSError, match="space"), commit.atomic_file(tmp_path / "x.tar"), open("/dev/full", "wb", buffering=0) as full:
        full.write(b"x")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("shape", [(1, 1, 3), (5, 7, 3), (64, 33), (33, 64, 3)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_png_is_lossless(shape, dtype):
    """Any reader gives back the pixels, 8 or 16 bit, grey or colour."""
    import cv2

    pixels = np.random.default_rng(3).integers(0, np.iinfo(dtype).max, shape, dtype=dtype, endpoint=True)
    read = cv2.imdecode(np.frombuffer(png.encode(pixels), np.uint8), cv2.IMREAD_UNCHANGED)
    assert np.array_equal(read[..., ::-1] if pixels.ndim == 3 else read, pixels)


def test_pictures_are_decoded_as_rgb(astronaut):
    """A stored picture comes back as it was, in the order red, green, blue."""
    assert np.array_equal(pictures.decode(png.encode(astronaut)), astronaut)


def test_png_size_stays_near_that_of_a_patient_encoder(astronaut):
    """Speed costs less than a fifth in size on a photo."""
    import cv2

    patient = len(cv2.imencode(".png", astronaut, [cv2.IMWRITE_PNG_COMPRESSION, 6])[1])
    assert len(png.encode(astronaut)) < 1.2 * patient
