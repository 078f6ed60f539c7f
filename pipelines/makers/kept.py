"""Candidates that were made, kept by what decides them: nothing dear is asked for twice, in this run or the next.

    FOLDER/ab/abcdef....0123456789ab.png    the candidate as the maker gave it, lossless, under the first digits of its SHA-256
    FOLDER/ab/abcdef....json                who made it, from what, and why there is no picture, if there is none; written last

Of jobs that make one candidate at the same time, the first that writes its record has made it: what was rendered from it stays true.
The others take their own picture away, nobody else's. Candidates of before pictures had digits in their names (`KEY.png`) are read too.
What files beside the photo decided (see `made_of`) is kept with its run only: the key does not know them.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Mapping
from itertools import starmap
from pathlib import Path
from typing import Any

from degrade.contract import Srgb
from degrade.errors import BadSample, CorruptRun, Reason, RunError
from manifests import commit, pictures, png
from pipelines.makers.beside import same
from pipelines.makers.made_of import File, Made, Unmade

LEFT_S = 3600.0  # after which nobody is still writing a file of a few megabytes


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

    def has(self, key: str) -> bool:
        """Tell whether a candidate was made, or refused for good.

        Raises:
            RunError: what it was made of has changed, or cannot be read now.
        """
        if _record(self._folder, key).exists():
            return True
        try:
            record = json.loads(_record(self._own, key).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return False
        for file in starmap(File, record["of"]):
            if not same(file):
                what = f"{file.uri}, which has" if not file.find else f"the photos of one scene with {file.uri}, which have"
                raise RunError(f"`{record['maker']}` went by {what} changed since this run began: put back what was there, or use a new --out")
        return True

    def keep(self, key: str, made: Srgb | BadSample | Made, told: Mapping[str, Any]) -> None:
        """Write a candidate down, or why there is none; unless another job was first."""
        record, folder = dict(told), self._folder
        if isinstance(made, (Made, Unmade)):
            record, folder = record | {"of": made.of}, self._own
        if isinstance(made, BadSample):
            record |= {"reason": str(made.reason), "detail": made.detail.encode("utf-8", "backslashreplace").decode()}
        else:
            data = png.encode(made.picture if isinstance(made, Made) else made)
            record |= {"sha256": commit.sha256(data)}
            commit.write_bytes(_picture(folder, key, record["sha256"]), data)
        try:
            commit.write_json(_record(folder, key), record, exclusive=True)
        except FileExistsError:
            first = json.loads(_record(folder, key).read_text(encoding="utf-8"))
            if "sha256" in record and record["sha256"] != first.get("sha256"):
                _picture(folder, key, record["sha256"]).unlink(missing_ok=True)

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
        path = _picture(folder, key, record["sha256"])
        if not path.exists() and (old := path.with_name(f"{key}.png")).exists():
            path = old
        data = path.read_bytes() if path.exists() else b""
        if commit.sha256(data) != record["sha256"]:
            raise CorruptRun(f"{path} is damaged: remove {_record(folder, key).name} beside it and run `patina restore` again")
        return pictures.decode(data), record["sha256"]

    def clear(self) -> None:
        """Remove what killed jobs left half-written; what is younger than `LEFT_S` may be another run's, at work in the same folder."""
        for folder in (self._folder, self._own):
            for path in folder.glob(f"??/.*{commit.TEMPORARY}"):
                with contextlib.suppress(FileNotFoundError):  # another job was quicker
                    if time.time() - path.stat().st_mtime > LEFT_S:
                        path.unlink()


def _record(folder: Path, key: str) -> Path:
    return folder / key[:2] / f"{key}.json"


def _picture(folder: Path, key: str, sha256: str) -> Path:
    return folder / key[:2] / f"{key}.{sha256[:12]}.png"

