"""Weights are looked for on this machine, and what is missing is named with the command that gets it."""

from __future__ import annotations

from pathlib import Path

import pytest

from degrade.errors import MissingModel
from degrade.scene import checkpoints

NAMES = {"small": "maker/small", "large": "maker/large"}


def test_a_name_a_hub_id_and_a_folder_are_told_apart(tmp_path: Path) -> None:
    """Each comes back as what transformers loads, with the revision where one was asked for."""
    assert checkpoints.source("small", NAMES, "depth") == ("maker/small", None)
    assert checkpoints.source("small@abc", NAMES, "depth") == ("maker/small", "abc")
    assert checkpoints.source("other/net@v1", NAMES, "depth") == ("other/net", "v1")
    assert checkpoints.source(str(tmp_path), NAMES, "depth") == (str(tmp_path), None)


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    """A slip of the pen costs one line."""
    with pytest.raises(MissingModel, match="did you mean `small`"):
        checkpoints.source("smal", NAMES, "depth")


def test_a_missing_library_is_named_with_what_installs_it() -> None:
    """The message holds the module and the extra."""
    with pytest.raises(MissingModel, match=r"no_such_module: pip install 'patina\[sam\]'"):
        checkpoints.library("no_such_module", "segment models", "sam")


def test_the_folder_of_weights_can_be_chosen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The environment decides, else there is a usual place."""
    monkeypatch.setenv(checkpoints.FOLDER, str(tmp_path))
    assert checkpoints.folder() == tmp_path
    monkeypatch.delenv(checkpoints.FOLDER)
    assert checkpoints.folder().name == "patina"
