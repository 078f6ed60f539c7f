"""Facts about `manifests.commit`: files that are whole or absent, and never in the place of another where that is asked."""

from __future__ import annotations

import errno
import os

import pytest

from manifests import commit


@pytest.mark.parametrize("links", [True, False])
def test_an_exclusive_file_takes_no_name_that_is_taken(tmp_path, monkeypatch, links):
    """With hard links or without, the first stays as it was, the second is told, and nothing else is left."""

    def none(*_names: object):
        raise OSError(errno.EPERM, "not here")

    if not links:
        monkeypatch.setattr(os, "link", none)
    path = tmp_path / "new" / "file.json"
    commit.write_json(path, 1, exclusive=True)
    with pytest.raises(FileExistsError):
        commit.write_json(path, 2, exclusive=True)
    assert path.read_text() == "1\n"
    commit.write_json(path, 3)
    assert path.read_text() == "3\n"
    assert list(path.parent.iterdir()) == [path]


def test_a_disk_that_refuses_a_name_is_told_of(tmp_path, monkeypatch):
    """An error that says nothing about hard links is not passed over."""

    def full(*_names: object):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "link", full)
    with pytest.raises(OSError, match="No space"):
        commit.write_json(tmp_path / "file.json", 1, exclusive=True)
    assert not list(tmp_path.iterdir())
