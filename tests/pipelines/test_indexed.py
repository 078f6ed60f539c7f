"""One way leads from a row to its photo, whoever asks: render, score, models, makers, reports."""

from __future__ import annotations

import io
from pathlib import Path
from types import SimpleNamespace

import av
import numpy as np
import pytest

from degrade.errors import BadSample, RunError
from manifests import png
from manifests.commit import sha256
from pipelines.photos import clips
from pipelines.photos.decode import DecodeRules
from pipelines.photos.indexed import Indexed
from pipelines.pictures import gated

RULES = DecodeRules()


def written(path: Path, data: bytes, frame: int | None = None) -> Indexed:
    """Write a file; answer what its row says of it."""
    path.write_bytes(data)
    return Indexed(str(path), None, len(data), sha256(data), frame)


@pytest.fixture
def photo(tmp_path, astronaut) -> Indexed:
    """A photo in a folder of its own."""
    (tmp_path / "photos").mkdir()
    return written(tmp_path / "photos" / "a.png", png.encode(astronaut[:64, :64]))


def test_a_photo_and_its_bytes_are_those_that_were_indexed(photo, astronaut):
    """Other bytes are refused, whatever they show; one that has gone from its folder is gone, and from a folder that has gone may come back."""
    opened, data = photo.opened(RULES)
    assert np.array_equal(opened.pixels, astronaut[:64, :64])
    assert sha256(data) == photo.sha256
    path = Path(photo.uri)
    path.write_bytes(data + b"0")
    with pytest.raises(BadSample, match="source_changed"):
        photo.data(RULES.max_bytes)
    path.rename(path.with_name("b.png"))
    with pytest.raises(BadSample, match="missing"):
        photo.opened(RULES)
    path.with_name("b.png").unlink()
    with pytest.raises(RunError, match="run the same command again"):
        photo.opened(RULES)


def test_a_frame_of_a_clip_is_a_photo_too(tmp_path, monkeypatch):
    """The row says which; no bytes are its file's, and no decoder is left open."""
    out = io.BytesIO()
    with av.open(out, "w", format="avi") as file:
        stream = file.add_stream("mjpeg", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuvj420p"
        for number in range(4):
            file.mux(stream.encode(av.VideoFrame.from_ndarray(np.full((48, 64, 3), 40 * number, np.uint8), "rgb24")))
        file.mux(stream.encode())
    closed, close = [], clips.Reel.close
    monkeypatch.setattr(clips.Reel, "close", lambda reel: closed.append(reel) or close(reel))
    frame, none = written(tmp_path / "a.avi", out.getvalue(), 3).opened(RULES)
    assert abs(int(frame.pixels.mean()) - 120) < 3
    assert none == b""
    assert len(closed) == 1


def test_a_report_needs_no_disk_of_photos(photo):
    """Its page of refused photos shows those that can be opened; a disk that is away stops no report."""
    run = SimpleNamespace(recipe=SimpleNamespace(index=SimpleNamespace(decode=RULES)))
    row = {f"photo_{name}": value for name, value in photo._asdict().items()} | {"detail": "dark"}
    assert Indexed.of(row) == photo
    assert gated._cell(run, row, 32).caption == "dark"
    Path(photo.uri).unlink()
    assert gated._cell(run, row, 32) is None
