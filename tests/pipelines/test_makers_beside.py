"""What makers open beside a photo: what binds them, what is so for good, and what may pass."""

from __future__ import annotations

import errno
import os
import tarfile
from pathlib import Path

import fsspec
import numpy as np
import pytest
from fsspec.implementations.memory import MemoryFileSystem

from degrade.errors import Reason, RunError
from manifests import png
from pipelines.crops import Crop
from pipelines.makers import beside
from pipelines.makers.burst import Burst, BurstSettings
from pipelines.makers.contract import Order
from pipelines.makers.kept import Candidates
from pipelines.makers.made_of import Made
from pipelines.makers.paired import Paired, PairedSettings
from pipelines.photos import sources, uris
from pipelines.photos.decode import DecodeRules

SIDE = 24
PHOTO, CLEAN = (np.random.default_rng(seed).integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8) for seed in range(2))
BY_FOLDER = PairedSettings(preset="basicsr")


def written(path: Path, pixels=CLEAN) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(png.encode(pixels))
    return path


def packed(tar: Path, *files: Path) -> Path:
    tar.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(tar, "w") as archive:
        for file in files:
            archive.add(file, f"{file.parent.name}/{file.name}")
    return tar


def order(uri, **extra: str) -> Order:
    return Order("0" * 32, PHOTO, "noise", "", 0, str(uri), extra, Crop(0, 0, SIDE, SIDE, SIDE, SIDE))


def made(settings: PairedSettings, *orders: Order):
    return Paired(settings).make(orders)


@pytest.fixture
def kept(tmp_path) -> Candidates:
    """An empty folder of candidates."""
    return Candidates(tmp_path / "shared", tmp_path / "own")


@pytest.fixture
def remote():
    """An empty bucket, in memory, with a photo and its reference."""
    system = fsspec.filesystem("memory")
    for name, pixels in (("lq", PHOTO), ("gt", CLEAN)):
        system.pipe(f"/bucket/{name}/a.png", png.encode(pixels))
    yield system
    system.rm("/bucket", recursive=True)


def links(folder: Path, names: str) -> list[Path]:
    """Write photos as a cache of Hugging Face holds them: links in `snapshot`, bytes in `blobs`."""
    (folder / "snapshot" / "lq").mkdir(parents=True)
    photos = [folder / "snapshot" / "lq" / f"{name}.png" for name in names]
    for photo in photos:
        photo.symlink_to(written(folder / "blobs" / photo.stem, PHOTO))
    return photos


def test_a_photo_that_is_a_link_is_paired_and_merged(tmp_path):
    """The index says which links may be followed to a photo; its siblings are bound by the maker's `root`."""
    photo, _ = links(tmp_path, "ab")
    written(tmp_path / "snapshot" / "gt" / "a.png")
    (found,) = made(BY_FOLDER, order(photo))
    assert np.array_equal(found.picture, CLEAN)
    for root, said in (("", "not_a_file"), (str(tmp_path), "a copy")):
        (alone,) = Burst(BurstSettings(root=root)).make([order(photo)])
        assert said in alone.detail


def test_a_root_binds_tars_and_remote_places(tmp_path, remote):
    """A list that a stranger wrote opens no tar and no remote file outside `root`; the photo's own tar came with the photo."""
    photo, inside = written(tmp_path / "bad" / "a.png", PHOTO), written(tmp_path / "refs" / "gt" / "in.png")
    tars = [packed(tmp_path / name / "x.tar", photo, inside) for name in ("refs", "secret")]
    (tmp_path / "refs" / "link.tar").symlink_to(tars[1])
    local = PairedSettings(column="ref", root=str(tmp_path / "refs"))
    refs = [uris.of_member("gt/in.png", str(tar)) for tar in (tars[0], tars[1], tmp_path / "refs" / "link.tar")]
    good, *bad = made(local, *(order(photo, ref=ref) for ref in (*refs, "memory://bucket/gt/a.png")))
    assert np.array_equal(good.picture, CLEAN)
    assert [one.reason for one in bad] == [Reason.NOT_A_FILE] * 3
    (own,) = made(local, order(uris.of_member("bad/a.png", str(tars[1])), ref="gt/in.png"))
    assert isinstance(own, Made)
    there = PairedSettings(column="ref", root="memory://bucket/gt/")
    names = ("a.png", "memory://bucket/gt/a.png", "memory://bucket/gtx/a.png", "memory://bucket/gt/../lq/a.png", "../lq/a.png", str(inside))
    answers = made(there, *(order(photo, ref=name) for name in names))
    assert [getattr(one, "reason", "") for one in answers] == ["", "", *[Reason.NOT_A_FILE] * 4]
    (found,) = made(PairedSettings(preset="basicsr", root="memory://bucket"), order("memory:///bucket/lq/a.png"))  # as the index writes it
    assert isinstance(found, Made)
    (other,) = made(PairedSettings(column="ref", root="gcs://bucket"), order(photo, ref="s3://bucket/a.png"))
    assert other.reason is Reason.NOT_A_FILE


def test_no_row_of_a_list_stops_the_job(tmp_path, kept, monkeypatch):
    """Web addresses, unknown schemes, tars that are none, loops and names that cannot be are refused, each row by itself, and stay so."""
    listed, listing = [], sources.listing
    monkeypatch.setattr(sources, "listing", lambda places: listed.extend(places) or listing(places))
    photo, reference = written(tmp_path / "bad" / "a.png", PHOTO), written(tmp_path / "good" / "a.png")
    (tmp_path / "cut.tar").write_bytes(packed(tmp_path / "whole.tar", reference).read_bytes()[:-9000])
    (tmp_path / "loop.png").symlink_to("loop.png")
    wrong = ["https://x.org/a.png", "ftp://x.org/a.png", "tar://a.png", f"{photo}/a.png", str(tmp_path / "loop.png"), str(tmp_path / ("long" * 99)), "/a\0b"]
    wrong += [f"tar://good/a.png::{place}" for place in ("/nowhere.tar", tmp_path / "cut.tar", tmp_path / "good", tmp_path / "*.tar", "tar://a::/b.tar")]
    *bad, found = made(PairedSettings(column="ref"), *(order(photo, ref=str(name)) for name in (*wrong, reference)))
    assert [one.reason for one in bad] == [Reason.MISSING] * len(wrong)
    assert np.array_equal(found.picture, CLEAN)
    for at, one in enumerate(bad):
        kept.keep(f"{at:032d}", one, {"maker": "theirs"})
        assert kept.has(f"{at:032d}")
    assert set(listed) == {str(tmp_path / "cut.tar")}, "a folder or a pattern was searched"


@pytest.mark.parametrize("error", [TimeoutError("timed out"), OSError(errno.EIO, "disk"), OSError(errno.EMFILE, "files"), ConnectionResetError()])
def test_what_may_pass_stops_the_job(remote, kept, monkeypatch, error):
    """A reference that cannot be read now is not kept as missing: the job stops, and goes on when it can be read."""
    (before,) = made(BY_FOLDER, order("memory://bucket/lq/a.png"))
    kept.keep("ab", before, {"maker": "theirs"})
    for name in ("cat_file", "ukey"):
        well = getattr(MemoryFileSystem, name)

        def ill(self, path, *args: object, well=well, **more: object):
            if "/gt/" in path:
                raise error
            return well(self, path, *args, **more)

        monkeypatch.setattr(MemoryFileSystem, name, ill)
        with pytest.raises(RunError, match="cannot be read now"):
            made(BY_FOLDER, order("memory://bucket/lq/a.png"))
        if name == "ukey":
            with pytest.raises(RunError, match="cannot be read now"):
                kept.has("ab")
        monkeypatch.setattr(MemoryFileSystem, name, well)
        assert kept.has("ab")
    remote.pipe("/bucket/gt/b.png", b"")
    remote.rm("/bucket/gt/a.png")
    (gone,) = made(BY_FOLDER, order("memory://bucket/lq/a.png"))
    assert gone.reason is Reason.MISSING


@pytest.mark.parametrize("gone", [False, True])
def test_references_whose_disk_is_away_stop_the_job(tmp_path, kept, gone):
    """Their mount point is empty, or not there: no photo is refused for that, and once they are back each has its own."""
    photo, reference = written(tmp_path / "lq" / "a.png", PHOTO), written(tmp_path / "gt" / "a.png")
    (before,) = made(BY_FOLDER, order(photo))
    kept.keep("ab", before, {"maker": "theirs"})
    reference.parent.rename(tmp_path / "aside")
    if not gone:
        reference.parent.mkdir()
    for reading in (lambda: made(BY_FOLDER, order(photo)), lambda: kept.has("ab")):
        with pytest.raises(RunError, match=r"put it back .* and run the same command again"):
            reading()
    column = PairedSettings(column="ref")
    if gone:  # a list may say anything
        assert made(column, order(photo, ref=str(reference)))[0].reason is Reason.MISSING
    else:
        with pytest.raises(RunError, match="gt is empty; put it back"):
            made(column, order(photo, ref=str(reference)))
        reference.parent.rmdir()
    (tmp_path / "aside").rename(reference.parent)
    assert kept.has("ab")
    assert isinstance(made(BY_FOLDER, order(photo))[0], Made)


def test_a_reference_that_may_not_be_read_is_refused_unless_nothing_there_may(remote, monkeypatch):
    """A lock on one file stays; where not even its folder can be listed, a key has run out."""

    def denied(_self, path, *_args: object, **_more: object):
        raise PermissionError(errno.EACCES, "Forbidden")

    well = MemoryFileSystem.cat_file
    monkeypatch.setattr(MemoryFileSystem, "cat_file", lambda self, path, **more: (denied if "/gt/" in path else well)(self, path, **more))
    (bad,) = made(BY_FOLDER, order("memory://bucket/lq/a.png"))
    assert bad.reason is Reason.MISSING
    monkeypatch.setattr(MemoryFileSystem, "info", denied)
    with pytest.raises(RunError, match="run the same command again"):
        made(BY_FOLDER, order("memory://bucket/lq/a.png"))


@pytest.mark.parametrize("maker", [Paired(BY_FOLDER), Burst(BurstSettings())])
def test_a_photo_that_has_gone_stops_the_job(tmp_path, maker):
    """The photo was read a moment ago: a share that went away is no reason to refuse what lies on it."""
    with pytest.raises(RunError, match="put it back"):
        maker.make([order(tmp_path / "lq" / "a.png")])
    with pytest.raises(RunError, match="put it back"):
        maker.make([order(uris.of_member("lq/a.png", str(tmp_path / "a.tar")))])


def test_what_was_refused_is_the_same_under_another_time(tmp_path, kept):
    """Files that were copied again are not taken for changed: read through links, refused as too large, outside `root`, or not in their tar."""
    data = [written(tmp_path / "lq" / f"{name}.png", PHOTO) for name in "abc"]
    store, large = written(tmp_path / "store" / "a.png"), written(tmp_path / "gt" / "b.png")
    outside = written(tmp_path.parent / f"{tmp_path.name} outside" / "c.png")
    for path, target in (("a.png", store), ("c.png", outside)):
        (tmp_path / "gt" / path).symlink_to(target)
    tar = packed(tmp_path / "lone.tar", data[0])
    rule = PairedSettings(preset="basicsr", root=str(tmp_path))
    answers = made(rule, order(data[0]), order(data[2]), order(uris.of_member("lq/a.png", str(tar))))
    answers += made(rule.model_copy(update={"decode": DecodeRules(max_bytes=large.stat().st_size)}), order(data[1]))
    large.write_bytes(large.read_bytes() + b"0")
    answers += made(rule.model_copy(update={"decode": DecodeRules(max_bytes=large.stat().st_size - 1)}), order(data[1]))
    assert [getattr(one, "reason", "") for one in answers] == ["", Reason.NOT_A_FILE, Reason.MISSING, "", Reason.FILE_TOO_LARGE]
    for at, one in enumerate(answers):
        kept.keep(f"{at:032d}", one, {"maker": "theirs"})
    for path in (store, outside, tar, large):
        os.utime(path, (1, 1))
    assert all(kept.has(f"{at:032d}") for at in (0, 1, 2, 4))
    with pytest.raises(RunError, match=r"gt/b\.png, which has changed"):
        kept.has(f"{3:032d}")


def test_another_reason_is_a_change(tmp_path, kept):
    """A reference that was refused and is removed makes room for the next that the rule names."""
    photo = written(tmp_path / "lq" / "a.png", PHOTO)
    written(tmp_path / "gt" / "a.jpg")
    (tmp_path / "gt" / "a.png").touch()
    (bad,) = made(BY_FOLDER, order(photo))
    assert bad.reason is Reason.EMPTY
    kept.keep("ab", bad, {"maker": "theirs"})
    assert kept.has("ab")
    (tmp_path / "gt" / "a.png").unlink()
    with pytest.raises(RunError, match=r"gt/a\.png, which has changed"):
        kept.has("ab")


def test_a_remote_folder_is_listed_again(remote):
    """It has no time of its own that would tell whether a photo came."""
    file, found = beside.alike("memory:///bucket/lq/a.png", r"[^/]*$")
    assert [uri.rpartition("/")[2] for uri in found] == ["a.png"]
    assert beside.same(file)
    remote.pipe("/bucket/lq/b.png", b"")
    beside.begin_task()
    assert not beside.same(file)


def test_a_remote_folder_is_listed_once_for_a_task(remote, monkeypatch):
    """What a thousand orders and candidates cost does not grow with the square of their number."""
    listed, ls = [], MemoryFileSystem.ls
    monkeypatch.setattr(MemoryFileSystem, "ls", lambda self, path, **more: listed.append(path) or ls(self, path, **more))
    beside.begin_task()
    files = [beside.alike("memory:///bucket/lq/a.png", r"[^/]*$")[0] for _ in range(9)]
    assert all(beside.same(file) for file in files)
    assert listed == ["/bucket/lq"]


def test_a_folder_is_listed_once(tmp_path, monkeypatch):
    """The scenes of a folder are told apart once for all its photos, and once more when it has changed."""
    paths = [written(tmp_path / "set" / f"scene{index // 4}_{index % 4}.png") for index in range(20)]
    listed, scandir = [], os.scandir
    monkeypatch.setattr(os, "scandir", lambda folder: listed.append(folder) or scandir(folder))
    found = [beside.alike(str(path), r"_\d\.png$") for path in paths]
    assert [names for _, names in found] == [tuple(map(str, paths[index // 4 * 4 : index // 4 * 4 + 4])) for index in range(20)]
    assert len(listed) == 1
    written(tmp_path / "set" / "scene0_9.png")
    os.utime(tmp_path / "set", (1, 1))
    assert [beside.same(file) for file, _ in found] == [False] * 4 + [True] * 16
    assert len(listed) == 2
