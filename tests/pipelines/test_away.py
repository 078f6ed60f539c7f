"""What may pass stops the job, whatever it is and whoever reads; what is so for good costs the photo."""

from __future__ import annotations

import errno
import resource
from pathlib import Path

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem
from small_run import recipe

from degrade.errors import BadSample, Reason, RecipeError, RunError
from pipelines import index
from pipelines.photos import away, sources
from pipelines.photos.sources import Listed, Source
from pipelines.run import create

AGAIN = "run the same command again"
NONE = FileNotFoundError(errno.ENOENT, "No such file or directory")
DENIED = PermissionError(errno.EACCES, "Permission denied")


def failing(uri: str, error: Exception, *, known: bool) -> None:
    with away.told(uri, known=known):
        raise error


@pytest.fixture
def places(tmp_path, monkeypatch) -> Path:
    """A folder with a photo, a tar, an empty mount point behind a link, a bucket that holds a tar, and one that nobody may list."""
    (tmp_path / "disk").mkdir()
    for name, target in (("link.jpg", tmp_path / "disk" / "b.jpg"), ("loop.jpg", "loop.jpg")):
        (tmp_path / name).symlink_to(target)
    for name in ("a.jpg", "train.tar"):
        (tmp_path / name).write_bytes(b"short")
    fsspec.filesystem("memory").pipe("/bucket/there/train.tar", b"short")
    whole = MemoryFileSystem.info

    def info(self, path: str, **more: object):
        if "closed" in path:
            raise DENIED
        return whole(self, path, **more)

    monkeypatch.setattr(MemoryFileSystem, "info", info)
    return tmp_path


@pytest.mark.parametrize(
    ("uri", "error", "known", "stands"),
    [
        ("memory://bucket/there/gone.jpg", NONE, True, True),
        ("memory://bucket/emptied/gone.jpg", NONE, True, False),
        ("memory://bucket/emptied/gone.jpg", NONE, False, True),
        ("tar://a.jpg::memory://bucket/there/train.tar", NONE, True, True),
        ("tar://a.jpg::memory://bucket/there/gone.tar", NONE, True, False),
        ("tar://a.jpg::{tmp}/train.tar", NONE, True, True),
        ("tar://a.jpg::{tmp}/gone.tar", NONE, True, False),
        ("tar://a.jpg::{tmp}/gone.tar", NONE, False, True),
        ("tar://a.jpg::{tmp}/disk/gone.tar", NONE, False, False),
        ("tar://a.jpg::ftp://nowhere.tar", NONE, False, True),
        ("{tmp}/gone.jpg", NONE, True, True),
        ("{tmp}/gone/a.jpg", NONE, True, False),
        ("{tmp}/gone/a.jpg", NONE, False, True),
        ("{tmp}/disk/a.jpg", NONE, False, False),
        ("{tmp}/disk/gone/a.jpg", NONE, False, False),
        ("file://{tmp}/caf%E9/gone.jpg", NONE, True, False),
        ("{tmp}/link.jpg", NONE, True, False),
        ("{tmp}/a.jpg/b.jpg", NotADirectoryError(errno.ENOTDIR, "Not a directory"), False, True),
        ("{tmp}/a.jpg", DENIED, True, True),
        ("{tmp}/gone/a.jpg", DENIED, True, False),
        ("{tmp}/loop.jpg", OSError(errno.ELOOP, "loop"), True, True),
        ("{tmp}/a\0.jpg", ValueError("embedded null byte"), True, True),
        ("{tmp}/gone/a.jpg", RecipeError("damaged"), True, True),
        ("{tmp}/a.jpg", OSError(errno.ESTALE, "Stale file handle"), False, False),
        ("{tmp}/a.jpg", OSError(errno.EMFILE, "Too many open files"), False, False),
        ("memory://bucket/there/a.jpg", TimeoutError("Read timeout"), False, False),
        ("memory://bucket/there/a.jpg", ConnectionError("no line"), True, False),
        ("memory://closed/gone.jpg", DENIED, True, False),
        ("memory://closed/gone.jpg", DENIED, False, True),
    ],
)
def test_only_what_is_missing_from_a_place_that_can_be_read_is_so_for_good(places, uri, error, known, stands):
    """A photo that is gone from a folder, tar or bucket that can be read is gone; so is a name that never was one. All else may pass."""
    with pytest.raises(BadSample if stands else RunError, match="missing" if stands else AGAIN):
        failing(uri.format(tmp=places), error, known=known)


def test_any_other_refusal_is_not_doubted(tmp_path):
    """It was read, so its disk is there."""
    with pytest.raises(BadSample, match="source_changed"):
        failing(str(tmp_path / "gone" / "a.jpg"), BadSample(Reason.SOURCE_CHANGED), known=True)


def test_too_many_open_files_are_no_fault_of_a_photo(places):
    """A process that may open no more files says so, and reads the photo when it may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    photo = Listed(str(places / "a.jpg"), None, None, {})
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
    try:
        with pytest.raises(RunError, match=f"cannot be read now: Too many open files; .*{AGAIN}"):
            sources.read(photo)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert sources.read(photo) == b"short"


def test_a_bucket_that_falls_silent_costs_no_photo(tmp_path, photos, monkeypatch):
    """Photos of a list have no size there: one that cannot be read now stops the index, one that the bucket does not hold is refused."""
    system = fsspec.filesystem("memory")
    system.pipe("/silent/a.jpg", (photos / "rocket.jpg").read_bytes())
    (tmp_path / "list.csv").write_text("path\nmemory://silent/a.jpg\nmemory://silent/none.jpg\n")
    listed = (Source(path=str(tmp_path / "list.csv")),)
    run = create(tmp_path / "run", recipe(), "", listed)
    index._listing(run, listed)
    task, well = {"run": str(run.folder), "part": 0, "skip": {}}, MemoryFileSystem.cat_file

    asked = []

    def ill(self, path, **more: object):
        asked.append(path)
        raise TimeoutError("Read timeout on endpoint")

    monkeypatch.setattr(sources, "PAUSES_S", (0.0, 0.0))
    monkeypatch.setattr(MemoryFileSystem, "cat_file", ill)
    with pytest.raises(RunError, match=f"Read timeout on endpoint; .*{AGAIN}"):
        index.work(task, lambda _: None)
    assert len(asked) == 3
    monkeypatch.setattr(MemoryFileSystem, "cat_file", lambda self, path, **more: well(self, path, **more) if len(asked) > 3 else ill(self, path))
    assert index.work(task, lambda _: None) == {"": 1, "missing": 1}
