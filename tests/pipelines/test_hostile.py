"""Six hundred inputs, some of them deadly, under a hail of kills: nothing is lost, and the bytes are the undisturbed ones."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from pathlib import Path

import cv2
import pytest
from small_run import make, recipe

from manifests.commit import read_table
from pipelines import build as building

pytestmark = pytest.mark.slow
PAGE = {
    "index": {"limits": {"min_short_side": 96, "min_content": 0.0, "min_sharpness": 0.0, "max_noise_sigma": 99.0, "max_clipped": 1.0, "max_black": 1.0}},
    "crop": {"size": 96, "shrink": [1.0, 1.0]},
    "variants": 1,
    "tasks": {"compression": {"ranges": {"codecs": {"jpeg": 1.0}}}},
    "render": {"shard_pairs": 20, "deadline_s": 3.0, "memory_gb": 1.0},
}
DEADLY = {"crash": "crashed", "hang": "timed_out", "swell": "out_of_memory"}


@pytest.fixture(scope="module")
def many(tmp_path_factory) -> Path:
    """591 small photos, and three each that crash, hang and swell."""
    from skimage import data

    folder = tmp_path_factory.mktemp("many")
    photo = cv2.cvtColor(data.hubble_deep_field(), cv2.COLOR_RGB2BGR)
    dice = random.Random(3)
    for at in range(600):
        y, x = dice.randrange(photo.shape[0] - 128), dice.randrange(photo.shape[1] - 128)
        coded = cv2.imencode(".jpg", photo[y : y + 128, x : x + 128], [cv2.IMWRITE_JPEG_QUALITY, 95])[1].tobytes()
        kind = list(DEADLY)[at // 3] if at < 9 else ""
        (folder / f"{at:03d}{kind}.jpg").write_bytes(coded + (f"DEADLY-{kind}".encode() if kind else b""))
    return folder


def kill_children(stop: threading.Event, count: list[int]) -> None:
    """Send SIGKILL to a worker's child, again and again, until told to stop or fifty are dead."""
    dice = random.Random(9)
    while not stop.wait(dice.uniform(0.3, 1.5)) and count[0] < 50:
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                if b"pipelines.cell" in path.read_bytes():
                    os.kill(int(path.parent.name), signal.SIGKILL)
                    count[0] += 1
                    break
            except (FileNotFoundError, ProcessLookupError):
                continue


def outcome(run) -> list[tuple]:
    """What must be the same: every pair's pictures."""
    names = ["pair_id", "verdict", "reason", "clean_sha256", "degraded_sha256"]
    return [tuple(row.values()) for row in read_table(run.manifest, names).to_pylist()]


def test_nine_deadly_inputs_among_six_hundred_and_fifty_kills(many, tmp_path, monkeypatch):
    """591 pairs and 9 named rejects, with and without a killer at large, bit for bit the same."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent / "deadly"))
    calm = make(tmp_path / "calm", many, recipe(**PAGE))
    reasons = {Path(row["uri"]).stem[3:]: row["reason"] for row in read_table(calm.index, ["uri", "reason"]).to_pylist() if row["reason"]}
    assert reasons == DEADLY
    assert building.books(calm).closed
    assert building.books(calm).kept == 591
    stop, count = threading.Event(), [0]
    killer = threading.Thread(target=kill_children, args=(stop, count))
    killer.start()
    begin = time.monotonic()
    try:
        stormy = make(tmp_path / "stormy", many, recipe(**PAGE))
    finally:
        stop.set()
        killer.join()
    assert count[0] >= 20, f"only {count[0]} kills in {time.monotonic() - begin:.0f} s"
    assert building.books(stormy).closed
    assert outcome(stormy) == outcome(calm)
