"""Facts about `pipelines.photos.sources`, `pipelines.photos.folders` and `pipelines.photos.uris`: what is listed, under which name, and what is read."""

from __future__ import annotations

import io
import os
import socket
import tarfile
from collections import Counter
from pathlib import Path

import fsspec
import pytest

from degrade.errors import BadSample, MissingModel, PatinaError, Reason
from pipelines.photos.sources import Listed, Source, listing, read, remembered

BYTES = b"\xff\xd8\xff and so on"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with three photos, one of them two levels down, and things that are no photos."""
    root = tmp_path / "photos"
    (root / "a" / "b").mkdir(parents=True)
    for name in ("z.jpg", "a/One.JPG", "a/b/two.png"):
        (root / name).write_bytes(BYTES)
    for name in ("notes.txt", ".hidden.jpg", "a/one.json"):
        (root / name).write_text("no photo")
    return root


def _names(found: list[Listed], root: Path) -> list[str]:
    return [item.uri.removeprefix(f"{root}/") for item in found]


def _problem(found: Listed) -> Reason:
    with pytest.raises(BadSample) as caught:
        read(found)
    return caught.value.reason


def test_a_folder_is_listed_with_all_below_it_in_the_order_of_uris(folder: Path) -> None:
    """A folder gives its photos at any depth, sorted, whatever the case of their suffix, and nothing else."""
    found = listing([str(folder)])
    assert _names(found, folder) == ["a/One.JPG", "a/b/two.png", "z.jpg"]
    assert all(item.problem is None and item.size == len(BYTES) and read(item) == BYTES for item in found)


def test_relative_names_become_absolute(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A uri can be read from any working directory."""
    monkeypatch.chdir(folder.parent)
    assert listing(["photos"]) == listing([str(folder)]) == listing(["photos/../photos"])


def test_overlapping_sources_list_a_photo_once(folder: Path) -> None:
    """What two sources share is listed once and belongs to the first."""
    found = listing([Source(path=str(folder / "z.jpg"), extra={"licence": "CC0"}), str(folder)])
    assert [item.extra for item in found] == [{}, {}, {"licence": "CC0"}]


def test_globs_match_at_any_depth(folder: Path) -> None:
    """`**` stands for any depth."""
    assert _names(listing([f"{folder}/**/*.png"]), folder) == ["a/b/two.png"]


def test_groups_can_follow_the_folders(folder: Path) -> None:
    """With `group_by: folder`, the photos of a folder are kept together."""
    found = listing([Source(path=str(folder), group_by="folder")])
    assert [item.extra["group"].removeprefix(str(folder)) for item in found] == ["/a", "/a/b", ""]


def test_groups_follow_the_folders_in_a_tar(tmp_path: Path) -> None:
    """Photos of one folder of a tar are one group, those of another, or of the same folder in another tar, are not."""
    for name in ("x.tar", "y.tar"):
        with tarfile.open(tmp_path / name, "w") as tar:
            for member in ("one/a.jpg", "one/b.jpg", "two/a.jpg", "c.jpg", "d.jpg"):
                tar.addfile(tarfile.TarInfo(member))
    found = listing([Source(path=str(tmp_path / name), group_by="folder") for name in ("x.tar", "y.tar")])
    counts = Counter(item.extra["group"] for item in found)
    assert sorted(counts.values()) == [1, 1, 2, 2, 2, 2]


def test_a_run_remembers_where_home_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`~` and relative names mean the same when a job goes on from another folder."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    first = remembered(Source(path="~/photos", root="all"))
    assert first == {"path": str(tmp_path / "photos"), "root": str(tmp_path / "all")}
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "a.jpg").write_bytes(BYTES)
    (tmp_path / "list.csv").write_text("path\na.jpg\n")
    for source in (Source(path="~/photos", root="~"), Source(path="~/list.csv", root="~/photos")):
        assert [read(found) for found in listing([source])] == [BYTES]


def test_a_root_binds_remote_names_too(tmp_path: Path) -> None:
    """A list from a stranger may name what lies below the root, and nothing else, wherever it is."""
    page = tmp_path / "list.csv"
    page.write_text("path\nmemory://mine/a.jpg\nmemory://other/b.jpg\nmemory://mine/../c.jpg\n")
    found = listing([Source(path=str(page), root="memory://mine")])
    assert {item.uri: item.problem and item.problem.reason for item in found} == {
        "memory://mine/a.jpg": None,
        "memory://mine/../c.jpg": Reason.NOT_A_FILE,
        "memory://other/b.jpg": Reason.NOT_A_FILE,
    }


@pytest.mark.parametrize("name", ["absent", "absent/*.jpg", "absent.tar", "absent.csv", "photos/a/one.json/*"])
def test_a_source_that_holds_nothing_is_an_error_that_names_it(folder: Path, name: str) -> None:
    """A source without a photo is an error, never an empty dataset."""
    with pytest.raises(PatinaError, match=r"absent|one\.json"):
        listing([str(folder.parent / name)])


def test_unknown_keys_of_a_source_are_refused() -> None:
    """A misspelt key names its nearest neighbour."""
    with pytest.raises(ValueError, match="did you mean `group_by`"):
        Source.model_validate({"path": "x", "grup_by": "folder"})


def test_links_are_followed_only_inside_the_root(folder: Path, tmp_path: Path) -> None:
    """A link inside the root is a photo; one that leaves it, one to nothing and one to a folder are listed as refused."""
    outside = tmp_path / "secret.jpg"
    outside.write_bytes(BYTES)
    (folder / "in.jpg").symlink_to("z.jpg")
    (folder / "out.jpg").symlink_to(outside)
    (folder / "gone.jpg").symlink_to("nothing.jpg")
    (folder / "loop.jpg").symlink_to("loop.jpg")
    (folder / "around").symlink_to(folder)
    found = {Path(item.uri).name: item for item in listing([str(folder)])}
    assert read(found["in.jpg"]) == BYTES
    assert (_problem(found["out.jpg"]), _problem(found["gone.jpg"])) == (Reason.NOT_A_FILE, Reason.MISSING)
    assert _problem(found["around"]) is Reason.NOT_A_FILE
    assert _problem(found["loop.jpg"]) is Reason.MISSING
    assert len(found) == 8
    wider = listing([Source(path=str(folder), root=str(tmp_path))])
    assert [read(item) for item in wider if item.uri.endswith("out.jpg")] == [BYTES]


@pytest.mark.timeout(10)
def test_fifos_sockets_and_folders_are_never_opened(folder: Path) -> None:
    """What is no regular file is refused without being opened, however it is called."""
    os.mkfifo(folder / "fifo.jpg")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(folder / "s.jpg"))
        found = [item for item in listing([str(folder)]) if item.problem]
    assert [_problem(item) for item in found] == [Reason.NOT_A_FILE, Reason.NOT_A_FILE]
    swapped = Listed(str(folder / "fifo.jpg"), None, None, {})
    assert _problem(swapped) is Reason.NOT_A_FILE
    assert _problem(Listed("/dev/zero", None, None, {})) is Reason.NOT_A_FILE
    assert _problem(Listed(str(folder), None, None, {})) is Reason.NOT_A_FILE


@pytest.mark.parametrize("name", [b"caf\xe9.jpg", b"new\nline.jpg", b"per%20cent \xff.jpg", "寺.jpg".encode()])
def test_any_file_name_is_usable_and_printable(tmp_path: Path, name: bytes) -> None:
    """A name that is no text, or cannot be printed, is a percent-encoded uri that leads back to the file."""
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name))
    path.write_bytes(BYTES)
    (found,) = listing([str(tmp_path)])
    assert found.uri.isprintable()
    assert found.uri.encode()
    assert read(found) == BYTES
    assert listing([found.uri]) == [found]


def test_what_cannot_be_read_has_its_reason(folder: Path) -> None:
    """Missing, empty and too large files are told apart."""
    (found, *_) = listing([str(folder / "z.jpg")])
    with pytest.raises(BadSample) as caught:
        read(found, max_bytes=4)
    assert caught.value.reason is Reason.FILE_TOO_LARGE
    (folder / "z.jpg").write_bytes(b"")
    assert _problem(found._replace(size=None)) is Reason.EMPTY
    (folder / "z.jpg").unlink()
    assert _problem(found) is Reason.MISSING
    assert _problem(Listed("/tmp/nul\0byte.jpg", None, None, {})) is Reason.MISSING


def test_a_missing_driver_names_its_package() -> None:
    """A remote source whose driver is not installed says what to install."""
    drivers = {"s3": "s3fs", "gs": "gcsfs", "az": "adlfs"}
    absent = []
    for scheme, package in drivers.items():
        try:
            fsspec.get_filesystem_class(scheme)
        except ImportError:
            absent.append((scheme, package))
    if not absent:
        pytest.skip("every driver is installed here")
    for scheme, package in absent:
        with pytest.raises(MissingModel, match=f"pip install {package}"):
            listing([f"{scheme}://bucket/photos"])


def test_remote_files_are_listed_and_read_like_local_ones(tmp_path: Path) -> None:
    """Folders, globs, tars and lists work on any file system that fsspec drives."""
    memory = fsspec.filesystem("memory")
    with tarfile.open(tmp_path / "t.tar", "w") as archive:
        member = tarfile.TarInfo("m.jpg")
        member.size = 1
        archive.addfile(member, io.BytesIO(b"m"))
    tar = (tmp_path / "t.tar").read_bytes()
    memory.pipe({"/far/a.jpg": BYTES, "/far/b/c.png": b"c", "/far/notes.txt": b"no", "/far/t.tar": tar})
    memory.pipe("/far/l.jsonl", b'{"path": "b/c.png", "licence": "CC0"}\n{"path": "gone.jpg"}\n')
    try:
        folder = {item.uri: read(item) for item in listing(["memory://far"])}
        assert folder == {"memory:///far/a.jpg": BYTES, "memory:///far/b/c.png": b"c"}
        assert [read(item) for item in listing(["memory://far/t.tar", "memory://far/*.jpg"])] == [BYTES, b"m"]
        assert [item.uri for item in listing(["memory://far/*.tar"])] == ["tar://m.jpg::memory:///far/t.tar"]
        listed, gone = listing(["memory://far/l.jsonl"])
        assert (read(listed), listed.extra, _problem(gone)) == (b"c", {"licence": "CC0"}, Reason.MISSING)
        with pytest.raises(BadSample):
            read(listed, max_bytes=0)
    finally:
        memory.rm("/far", recursive=True)
