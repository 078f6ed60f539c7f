"""A JPEG that is the clean side already keeps its pixels and loses its story."""

from __future__ import annotations

import io
import json

import cv2
import numpy as np
import pytest
from PIL import Image
from small_run import make, recipe

from manifests.commit import read_table
from manifests.shards import tar_path
from pipelines.photos.verbatim import bare_jpeg
from pipelines.replay import replay


def jpeg(pixels, **options) -> bytes:
    """A JPEG with EXIF, a comment, a profile and something behind its end."""
    exif = Image.Exif()
    exif[0x010F] = "SECRET-CAMERA"
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=97, exif=exif, comment=b"SECRET-COMMENT", icc_profile=b"SECRET-PROFILE", **options)
    return file.getvalue() + b"SECRET-TAIL"


def pixels_of(data: bytes):
    """Decode as everyone does."""
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"restart_marker_blocks": 4}, {"subsampling": 0}])
def test_the_picture_stays_and_the_rest_goes(astronaut, options):
    """Baseline, progressive, with restarts: the same pixels, smaller, and not a word of metadata."""
    data = jpeg(astronaut, **options)
    bare = bare_jpeg(data)
    assert b"SECRET" not in bare
    assert np.array_equal(pixels_of(bare), pixels_of(data))


@pytest.mark.parametrize("data", [b"", b"\xff\xd8", b"\xff\xd8\xff\xd9"[:3], b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe1\x00"])
def test_what_is_no_plain_jpeg_is_left_to_the_lossless_way(data):
    """Fragments and other formats give None."""
    assert bare_jpeg(data) is None


def test_cut_files_never_crash_the_parser(astronaut):
    """Any beginning of a JPEG gives None."""
    data = jpeg(astronaut)[:-11]
    assert all(bare_jpeg(data[:end]) is None for end in range(0, len(data) - 1, 997))


def test_a_whole_photo_is_stored_as_it_came(tmp_path, astronaut):
    """At its own size the clean member is the JPEG, bare; degraded sides and replays are not touched by it."""
    file = io.BytesIO()
    exif = Image.Exif()
    exif[0x010F] = "SECRET-CAMERA"
    Image.fromarray(astronaut).save(file, "JPEG", quality=97, exif=exif)
    (tmp_path / "photo.jpg").write_bytes(file.getvalue())
    run = make(tmp_path / "run", tmp_path / "photo.jpg", recipe(crop={"size": 512}, tasks={"compression": {}}, variants=2))
    rows = read_table(run.manifest).to_pylist()
    assert {row["clean_type"] for row in rows} == {"image/jpeg"}
    data = tar_path(run.folder, rows[0]["shard"]).read_bytes()
    assert b"SECRET" not in data
    member = data[rows[0]["clean_offset"] :][: rows[0]["clean_length"]]
    assert np.array_equal(pixels_of(member), pixels_of(file.getvalue()))
    assert all(replay(run, row).answer == "exact" for row in rows)
    assert json.loads(rows[0]["steps"])[0]["generator"] == "compression"
