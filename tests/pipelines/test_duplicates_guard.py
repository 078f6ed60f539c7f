"""The guard list passes over nothing in silence: what is no picture by its name is told, what cannot be read stops the run."""

from __future__ import annotations

import io
import logging
import tarfile
from pathlib import Path

import av
import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from small_run import recipe

from degrade.errors import RecipeError
from manifests import commit
from pipelines import index
from pipelines.duplicates import benchmarks
from pipelines.engine import Engine, Options
from pipelines.photos import sources
from pipelines.photos.sources import Source
from pipelines.run import Run, create

LIMITS = {"min_short_side": 128, "max_noise_sigma": 99.0, "max_blockiness": 99.0, "min_jpeg_quality": 0.0, "min_sharpness": 0.0, "max_black": 1.0}
PAGE = {"index": {"limits": LIMITS}, "variants": 1, "crop": {"size": 64}, "tasks": {"noise": {}, "blur": {}}}
TEXTS = {"README": b"see the site", "LICENSE": b"CC0", "notes.TXT": b"x", "labels.csv": b"path\na.jpg\n", "cite.json": b"{}", ".DS_Store": b"\0\0"}


@pytest.fixture
def photo(rocket) -> np.ndarray:
    """A small photo, BGR."""
    return cv2.resize(rocket, (384, 256), interpolation=cv2.INTER_AREA)[..., ::-1]


@pytest.fixture
def benchmark_folder(tmp_path, photo) -> Path:
    """One photo, and what lies beside photos."""
    folder = tmp_path / "benchmark"
    (folder / ".cache").mkdir(parents=True)
    (folder / "photo.jpg").write_bytes(jpeg(photo))
    for name, data in TEXTS.items():
        (folder / name).write_bytes(data)
    pq.write_table(pa.table({"key": ["photo"], "status": ["success"]}), folder / "table.parquet")
    return folder


def jpeg(photo: np.ndarray) -> bytes:
    """A photo's bytes."""
    return cv2.imencode(".jpg", photo)[1].tobytes()


def clip(photo: np.ndarray, crf: int) -> bytes:
    """A clip that looks across a photo, from its left to its right."""
    out = io.BytesIO()
    with av.open(out, "w", format="mp4") as file:
        stream = file.add_stream("libx264", rate=30, options={"crf": str(crf), "preset": "veryfast"})
        stream.width, stream.height, stream.pix_fmt = 256, 192, "yuv420p"
        for left in range(0, 96, 8):
            file.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(photo[:192, left : left + 256, ::-1]), "rgb24")))
        file.mux(stream.encode())
    return out.getvalue()


def run_with(folder: Path, guard: Path | str) -> Run:
    """A run that guards a place; its inputs are in `inputs` of the folder."""
    return create(folder / "run", recipe(**PAGE, duplicates={"guard": [str(guard)]}), "", (Source(path=str(folder / "inputs")),))


def guarded(run: Run) -> dict[str, dict]:
    """Rows of the guard list by the name of the file."""
    with Engine(Options("serial")) as machine:
        return {row["uri"].rpartition("/")[2]: row for row in benchmarks.index(run, machine)}


def test_what_is_no_picture_is_left_out_and_told(tmp_path, benchmark_folder, caplog):
    """Texts, tables of words and hidden files beside the photos of a benchmark stop nothing, and the log names some and counts them."""
    caplog.set_level(logging.INFO, "patina")
    assert guarded(run_with(tmp_path, benchmark_folder)).keys() == {"photo.jpg"}
    (said,) = [record.getMessage() for record in caplog.records if "not guarded" in record.getMessage()]
    assert said.endswith(f"({len(TEXTS) + 2} in all)")
    assert str(benchmark_folder / ".DS_Store") in said


def test_every_file_that_is_not_read_stops_the_run_by_name(tmp_path, photo, benchmark_folder):
    """Pictures in formats that are not read, in tables and in tars of a folder are named, as is a clip that cannot be decoded."""
    assert cv2.imwrite(str(benchmark_folder / "photo.ppm"), photo)
    (benchmark_folder / "photo.tga").write_bytes(bytes(18) + photo.tobytes())
    (benchmark_folder / "clip.mp4").write_bytes(clip(photo, 20)[:900])
    pq.write_table(pa.table({"image": [jpeg(photo)]}), benchmark_folder / "images.parquet")
    with tarfile.open(benchmark_folder / "more.tar", "w"):
        pass
    with pytest.raises(RecipeError, match="5 files cannot be read") as told:
        guarded(run_with(tmp_path, benchmark_folder))
    assert all(name in str(told.value) for name in ("photo.ppm", "photo.tga", "clip.mp4", "images.parquet", "more.tar"))


def test_a_benchmark_of_nothing_is_refused(tmp_path, benchmark_folder):
    """A folder that holds texts only guards nothing, and says so at once."""
    (benchmark_folder / "photo.jpg").unlink()
    with pytest.raises(RecipeError, match="holds no image or clip"):
        guarded(run_with(tmp_path, benchmark_folder))


def test_texts_beside_the_photos_of_a_tar_are_left_out(tmp_path, photo):
    """A WebDataset's labels stop nothing, the second member of a name included; its photos count, whatever their ending."""
    path = tmp_path / "benchmark.tar"
    with tarfile.open(path, "w") as tar:
        for name, data in (("a.png_", jpeg(photo)), ("a.txt", b"label"), ("a.txt", b"again"), ("b/a.json", b"{}")):
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    assert [row["size"] for row in guarded(run_with(tmp_path, path)).values()] == [len(jpeg(photo))]


def test_clips_and_photos_without_an_ending_are_kept_out(tmp_path, photo):
    """A guarded clip keeps out its bytes, another encoding of it and its first frame; a guarded JPEG without an ending its copy."""
    inputs, guard = tmp_path / "inputs", tmp_path / "benchmark"
    for folder in (inputs, guard):
        folder.mkdir()
        (folder / "clip.mp4").write_bytes(clip(photo, 12))
    other = cv2.flip(photo, 0)
    (guard / "picture").write_bytes(jpeg(other))
    (inputs / "again.mp4").write_bytes(clip(photo, 20))
    (inputs / "frame.jpg").write_bytes(jpeg(photo[:192, :256]))
    assert cv2.imwrite(str(inputs / "copy.png"), cv2.resize(other, None, fx=0.75, fy=0.75, interpolation=cv2.INTER_AREA))
    run = run_with(tmp_path, guard)
    with Engine(Options("serial")) as machine:
        index.index(run, (Source(path=str(inputs)),), machine)
    rows = {Path(row["uri"]).name: row for row in commit.read_table(run.index).to_pylist()}
    assert {row["reason"] for row in rows.values()} == {"benchmark"}
    assert rows["clip.mp4"]["detail"].startswith("the same bytes")
    assert str(guard / "picture") in rows["copy.png"]["detail"]


def test_a_listing_of_all_files_has_them_all(benchmark_folder):
    """Without endings to look for, a folder gives every file that is not hidden; with them, as before, photos only."""
    found = {Path(listed.uri).name for listed in sources.listing([str(benchmark_folder)], None)}
    assert found == {"photo.jpg", "table.parquet", *TEXTS} - {".DS_Store"}
    assert [Path(listed.uri).name for listed in sources.listing([str(benchmark_folder)])] == ["photo.jpg"]
