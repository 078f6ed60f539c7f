"""Facts about `pipelines.sources` and what it stands on: folders, tars, lists, and names."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import socket
import tarfile
from pathlib import Path

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from degrade.errors import BadSample, MissingModel, PatinaError, Reason, RecipeError
from pipelines.sources import Listed, Source, listing, read

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


def _tar(path: Path, members: dict[str, bytes], *extra: tarfile.TarInfo) -> Path:
    with tarfile.open(path, "w") as tar:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
        for info in extra:
            tar.addfile(info)
    return path


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
    (folder / "around").symlink_to(folder)
    found = {Path(item.uri).name: item for item in listing([str(folder)])}
    assert read(found["in.jpg"]) == BYTES
    assert (_problem(found["out.jpg"]), _problem(found["gone.jpg"])) == (Reason.NOT_A_FILE, Reason.MISSING)
    assert _problem(found["around"]) is Reason.NOT_A_FILE
    assert len(found) == 7
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
    assert _problem(Listed("/tmp/nul\0byte.jpg", None, None, {})) is Reason.MISSING  # noqa: S108  never written


def test_members_of_a_tar_are_read_in_place(tmp_path: Path) -> None:
    """Photos in a tar are found with their place in it; sidecars are not meant, hostile names are labels."""
    members = {"0001.jpg": b"first", "0001.json": b"{}", "../../etc/x.png": b"second", "0001.txt": b"words", "::.webp": b"third"}
    tar = _tar(tmp_path / "part.tar", members)
    found = listing([str(tar)])
    assert [item.uri for item in found] == [f"tar://{name}::{tar}" for name in ("%3A%3A.webp", "../../etc/x.png", "0001.jpg")]
    assert [read(item) for item in found] == [b"third", b"second", b"first"]
    assert tar.read_bytes()[found[2].offset :][:5] == b"first"
    assert listing([f"{tmp_path}/*.tar"]) == found


def test_members_that_are_no_files_or_come_twice_are_listed(tmp_path: Path) -> None:
    """A link in a tar is listed as refused; a second member of one name is a second input."""
    link = tarfile.TarInfo("link.jpg")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    again = tarfile.TarInfo("a.jpg")
    found = listing([str(_tar(tmp_path / "x.tar", {"a.jpg": b"one"}, again, link))])
    assert [item.uri.partition("::")[0] for item in found] == ["tar://a.jpg#2", "tar://a.jpg", "tar://link.jpg"]
    assert [_problem(item) for item in (found[0], found[2])] == [Reason.EMPTY, Reason.NOT_A_FILE]


@pytest.mark.parametrize("keep", [512 * 2, 512 * 3 + 100, 512 * 4, 700])
def test_a_cut_tar_is_an_error(tmp_path: Path, keep: int) -> None:
    """A tar that ends early is refused by name, also where it was cut between two members."""
    tar = _tar(tmp_path / "cut.tar", {"a.jpg": b"x" * 500, "b.jpg": b"y" * 500})
    tar.write_bytes(tar.read_bytes()[:keep])
    with pytest.raises(RecipeError, match=r"cut\.tar"):
        listing([str(tar)])


def test_a_damaged_header_in_a_tar_is_an_error(tmp_path: Path) -> None:
    """A header whose checksum fails ends no listing quietly."""
    tar = _tar(tmp_path / "bad.tar", {"a.jpg": b"x" * 500, "b.jpg": b"y" * 500})
    data = bytearray(tar.read_bytes())
    data[1024 + 3] ^= 1
    tar.write_bytes(data)
    with pytest.raises(RecipeError, match=r"bad\.tar.*1,024.*damaged"):
        listing([str(tar)])


def test_a_tar_that_shrank_gives_a_reason(tmp_path: Path) -> None:
    """A member that is no longer all there is refused."""
    tar = _tar(tmp_path / "a.tar", {"a.jpg": b"x" * 500})
    (found,) = listing([str(tar)])
    tar.write_bytes(tar.read_bytes()[:600])
    assert _problem(found) is Reason.TRUNCATED


def test_compressed_tars_are_refused() -> None:
    """One cannot read in the middle of a compressed tar, and is told so."""
    with pytest.raises(RecipeError, match="uncompress"):
        listing(["photos.tar.gz"])


def _write_list(path: Path, rows: list[dict[str, str]]) -> Path:
    if path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
        return path
    text = io.StringIO()
    if ".csv" in path.name:
        writer = csv.DictWriter(text, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    else:
        text.writelines(json.dumps(row) + "\n" for row in rows)
    data = text.getvalue().encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


@pytest.mark.parametrize("name", ["l.parquet", "l.csv", "l.jsonl", "l.csv.gz", "l.jsonl.gz"])
def test_lists_carry_their_other_columns(folder: Path, name: str) -> None:
    """Every format of list gives the same inputs, with licence, group and all else as text."""
    rows = [
        {"path": "z.jpg", "licence": "CC0", "group": "walk 1"},
        {"path": str(folder / "a/One.JPG"), "licence": "", "group": "walk 2"},
        {"path": "gone.jpg", "licence": "CC0", "group": ""},
        {"path": "../photos2/x.jpg", "licence": "", "group": ""},
        {"path": "", "licence": "CC0", "group": ""},
    ]
    found = listing([str(_write_list(folder / name, rows))])
    assert [item.extra.get("group") for item in found if not item.problem] == ["walk 2", "walk 1"]
    problems = {item.uri.removeprefix(f"{folder}/"): item.problem.reason for item in found if item.problem}
    assert problems == {"gone.jpg": Reason.MISSING, f"{folder.parent}/photos2/x.jpg": Reason.MISSING, f"{name}, row 5": Reason.MISSING}
    assert [item.extra for item in found if item.uri.endswith("z.jpg")] == [{"licence": "CC0", "group": "walk 1"}]


def test_a_list_reaches_only_what_its_root_allows(folder: Path, tmp_path: Path) -> None:
    """A relative name that climbs out of the list's folder is refused, until the recipe names a wider root."""
    (tmp_path / "beside.jpg").write_bytes(BYTES)
    (one,) = listing([str(_write_list(folder / "l.csv", [{"path": "../beside.jpg"}]))])
    assert _problem(one) is Reason.NOT_A_FILE
    (same,) = listing([Source(path=str(_write_list(folder / "l.csv", [{"path": "beside.jpg"}])), root=str(tmp_path))])
    assert read(same) == BYTES
    (far,) = listing([Source(path=str(_write_list(folder / "l.csv", [{"path": str(tmp_path / "beside.jpg")}])), root=str(folder))])
    assert _problem(far) is Reason.NOT_A_FILE


BROKEN_LISTS = {
    "x.csv": b"path\n\xff\xfe.jpg\n",
    "cells.csv": b"path,licence\na.jpg,CC0,more\n",
    "quote.csv": b'path\n"a.jpg\n',
    "x.jsonl": b'{"path": "a.jpg"}\n{"path"\n',
    "array.jsonl": b"[1, 2]\n",
    "deep.jsonl": b"[" * 100_000,
    "x.csv.gz": gzip.compress(b"path\na.jpg\n" * 1000)[:-20],
    "x.jsonl.gz": b"no gzip",
    "x.parquet": b"PAR1 no parquet PAR1",
    "column.csv": b"file\na.jpg\n",
    "long.jsonl": b'{"path": "' + b"x" * (2 << 20) + b'"}',
}


@pytest.mark.parametrize("name", BROKEN_LISTS)
def test_a_broken_list_is_an_error_that_names_it(tmp_path: Path, name: str) -> None:
    """A list that cannot be read to its end is an error, never a shorter list."""
    (tmp_path / name).write_bytes(BROKEN_LISTS[name])
    with pytest.raises(RecipeError, match=name):
        listing([str(tmp_path / name)])


@pytest.mark.parametrize("uri", ["https://example.org/a.jpg", "http://169.254.169.254/", "ftp://x/a.jpg", "s3://a::https://x/a.jpg", "simplecache://x"])
def test_lists_are_not_followed_to_the_web(tmp_path: Path, uri: str) -> None:
    """A list, or a source, that names the web or an unknown scheme is refused before anything is opened."""
    with pytest.raises(RecipeError, match=r"not fetched|not followed"):
        listing([str(_write_list(tmp_path / "l.jsonl", [{"url": uri}]))])
    with pytest.raises(RecipeError, match=r"not fetched|not followed"):
        listing([uri])


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
    memory.pipe({"/far/a.jpg": BYTES, "/far/b/c.png": b"c", "/far/notes.txt": b"no", "/far/t.tar": _tar(tmp_path / "t.tar", {"m.jpg": b"m"}).read_bytes()})
    memory.pipe("/far/l.jsonl", b'{"path": "b/c.png", "licence": "CC0"}\n{"path": "gone.jpg"}\n')
    try:
        assert [(item.uri, read(item)) for item in listing(["memory://far"])] == [("memory:///far/a.jpg", BYTES), ("memory:///far/b/c.png", b"c")]
        assert [read(item) for item in listing(["memory://far/t.tar", "memory://far/*.jpg"])] == [BYTES, b"m"]
        assert [item.uri for item in listing(["memory://far/*.tar"])] == ["tar://m.jpg::memory:///far/t.tar"]
        listed, gone = listing(["memory://far/l.jsonl"])
        assert (read(listed), listed.extra, _problem(gone)) == (b"c", {"licence": "CC0"}, Reason.MISSING)
        with pytest.raises(BadSample):
            read(listed, max_bytes=0)
    finally:
        memory.rm("/far", recursive=True)
