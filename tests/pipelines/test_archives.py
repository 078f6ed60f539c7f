"""Facts about `pipelines.photos.archives`: photos in tars, read in place."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from degrade.errors import BadSample, Reason, RecipeError
from pipelines.photos.sources import Listed, listing, read


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
