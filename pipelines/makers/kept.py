"""Candidates that were made, kept by what decides them: nothing dear is asked for twice, in this run or the next.

    FOLDER/ab/abcdef....png    the candidate as the maker gave it, lossless
    FOLDER/ab/abcdef....json   who made it, from what, and why there is no picture, if there is none; written last

What files beside the photo decided (see `made_of`) is kept with its run only: the key does not know them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import starmap
from pathlib import Path
from typing import Any

from degrade.contract import Srgb
from degrade.errors import BadSample, CorruptRun, Reason, RunError
from manifests import commit, pictures, png
from pipelines.makers.beside import Beside
from pipelines.makers.made_of import File, Made, Unmade
from pipelines.photos.decode import DecodeRules


def key_of(pixels_sha256: str, maker: str, task: str, prompt: str, seed: int) -> str:
    """Return the name of a candidate: what it shows depends on nothing else, or the maker says on what."""
    return commit.fingerprint({"pixels": pixels_sha256, "maker": maker, "task": task, "prompt": prompt, "seed": seed})


class Candidates:
    """A folder of candidates.

    Args:
        folder: where they are; runs may share it.
        own: where those are that files beside their photos decided; no other run's.
    """

    def __init__(self, folder: Path, own: Path) -> None:
        self._folder = folder
        self._own = own
        self._beside = Beside(DecodeRules())

    def has(self, key: str) -> bool:
        """Tell whether a candidate was made, or refused for good.

        Raises:
            RunError: what it was made of has changed.
        """
        if _record(self._folder, key).exists():
            return True
        try:
            record = json.loads(_record(self._own, key).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return False
        for file in starmap(File, record["of"]):
            if not self._beside.same(file):
                what = f"{file.uri}, which has" if not file.find else f"the photos of one scene with {file.uri}, which have"
                raise RunError(f"`{record['maker']}` went by {what} changed since this run began: put back what was there, or use a new --out")
        return True

    def keep(self, key: str, made: Srgb | BadSample | Made, told: Mapping[str, Any]) -> None:
        """Write a candidate down, or why there is none."""
        record, folder = dict(told), self._folder
        if isinstance(made, (Made, Unmade)):
            record, folder = record | {"of": made.of}, self._own
        if isinstance(made, BadSample):
            record |= {"reason": str(made.reason), "detail": made.detail}
        else:
            data = png.encode(made.picture if isinstance(made, Made) else made)
            commit.write_bytes(_picture(folder, key), data)
            record |= {"sha256": commit.sha256(data)}
        commit.write_json(_record(folder, key), record)

    def picture(self, key: str) -> tuple[Srgb, str]:
        """Return a candidate's pixels and the SHA-256 of its file.

        Raises:
            BadSample: the maker refused it.
            RunError: it has not been made.
            CorruptRun: its file is damaged.
        """
        folder = self._own if _record(self._own, key).exists() else self._folder
        try:
            record = json.loads(_record(folder, key).read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise RunError(f"the candidate {key} has not been made: run `patina restore RUN`") from None
        if "reason" in record:
            raise BadSample(Reason(record["reason"]), record["detail"])
        path = _picture(folder, key)
        data = path.read_bytes() if path.exists() else b""
        if commit.sha256(data) != record["sha256"]:
            raise CorruptRun(f"{path} is damaged: remove {_record(folder, key).name} beside it and run `patina restore` again")
        return pictures.decode(data), record["sha256"]


def _record(folder: Path, key: str) -> Path:
    return folder / key[:2] / f"{key}.json"


def _picture(folder: Path, key: str) -> Path:
    return folder / key[:2] / f"{key}.png"
