"""A video clip goes the whole way: indexed by its motion, planned by its frames, averaged, replayed."""

from __future__ import annotations

import io
import json
from pathlib import Path

import av
import numpy as np
import pytest
from small_run import make, recipe

from degrade.errors import Reason
from manifests.commit import read_table
from pipelines import build, replay, verify
from pipelines.run import Run


def panned(photo: np.ndarray, step: int, frames: int = 24) -> bytes:
    """A clip that looks across a photo, `step` px further in every frame."""
    out = io.BytesIO()
    with av.open(out, "w", format="mp4") as file:
        stream = file.add_stream("libx264", rate=30, options={"crf": "12", "preset": "veryfast"})
        stream.width, stream.height, stream.pix_fmt = 384, 256, "yuv420p"
        for number in range(frames):
            view = np.ascontiguousarray(photo[40:296, number * step : number * step + 384])
            file.mux(stream.encode(av.VideoFrame.from_ndarray(view, "rgb24")))
        file.mux(stream.encode())
    return out.getvalue()


@pytest.fixture(scope="module")
def clips(tmp_path_factory, rocket) -> Path:
    """A moving clip, one that stands still, and one that is cut short."""
    folder = tmp_path_factory.mktemp("clips")
    moving = panned(rocket, 5)
    (folder / "moving.mp4").write_bytes(moving)
    (folder / "still.mp4").write_bytes(panned(rocket, 0))
    (folder / "cut.mp4").write_bytes(moving[: len(moving) // 2])
    return folder


@pytest.fixture(scope="module")
def averaged(tmp_path_factory, clips) -> Run:
    """A run of blur from clips, noise on top."""
    page = recipe(tasks={"blur": {"also": {"noise": {"chance": 0.5}}}}, clips={"variants": 8}, crop={"size": 192, "shrink": [1.0, 1.3]})
    return make(tmp_path_factory.mktemp("averaged") / "run", clips, page)


def test_the_books_close_over_clips(averaged):
    """One clip is used, the two others are refused by name, and every planned pair is made or refused with a reason."""
    books = build.books(averaged)
    assert books.closed
    assert (books.inputs, books.photos, books.planned) == (3, 1, 8)
    assert books.kept >= 5
    reasons = {Path(row["uri"]).stem: row["reason"] for row in read_table(averaged.index, ["uri", "reason"]).to_pylist()}
    assert reasons == {"moving": None, "still": Reason.TOO_LITTLE_MOTION, "cut": Reason.DECODE_FAILED}


def test_rows_name_the_frames_and_replay_exactly(averaged):
    """The clean side is the frame in the middle of the shutter, and each pair is made again from its row."""
    assert not verify.prove(averaged).faults
    for row in replay.spread(averaged, 4):
        first, centre, last = json.loads(row["steps"])[0]["params"]["window"]
        assert first <= centre == row["photo_frame"] <= last
        assert replay.replay(averaged, row).answer == "exact"


def test_longer_shutters_blur_more(averaged):
    """Severe pairs are farther from clean than mild ones."""
    rows = [row for row in read_table(averaged.manifest).to_pylist() if row["verdict"] == "keep" and len(json.loads(row["steps"])) == 1]
    by_severity = sorted((row["severity"], dict(row["scores"])["psnr_db"]) for row in rows)
    assert by_severity[0][1] > by_severity[-1][1]


def test_a_clip_without_a_task_for_it_says_so(tmp_path, clips):
    """Named outright in a recipe without blur, a clip is refused; in a folder of photos it is passed over."""
    run = make(tmp_path / "run", clips / "moving.mp4", recipe())
    (row,) = read_table(run.index, ["reason", "detail"]).to_pylist()
    assert row["reason"] == Reason.NOT_FOR_CLIPS
    assert "blur" in row["detail"]
