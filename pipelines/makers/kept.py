"""Candidates that were made, kept by what decides them: nothing dear is asked for twice, in this run or the next.

    FOLDER/ab/abcdef....png    the candidate as the maker gave it, lossless
    FOLDER/ab/abcdef....json   who made it, from what, and why there is no picture, if there is none; written last
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from degrade.contract import Srgb
from degrade.errors import BadSample, CorruptRun, Reason, RunError
from manifests import commit, pictures, png


def key_of(pixels_sha256: str, maker: str, task: str, prompt: str, seed: int) -> str:
    """Return the name of a candidate: what it shows depends on nothing else."""
    return commit.fingerprint({"pixels": pixels_sha256, "maker": maker, "task": task, "prompt": prompt, "seed": seed})


class Candidates:
    """A folder of candidates.

    Args:
        folder: where they are.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def has(self, key: str) -> bool:
        """Tell whether a candidate was made, or refused for good."""
        return self._record(key).exists()

    def keep(self, key: str, made: Srgb | BadSample, told: Mapping[str, Any]) -> None:
        """Write a candidate down, or why there is none."""
        record = dict(told)
        if isinstance(made, BadSample):
            record |= {"reason": str(made.reason), "detail": made.detail}
        else:
            data = png.encode(made)
            commit.write_bytes(self._picture(key), data)
            record |= {"sha256": commit.sha256(data)}
        commit.write_json(self._record(key), record)

    def picture(self, key: str) -> tuple[Srgb, str]:
        """Return a candidate's pixels and the SHA-256 of its file.

        Raises:
            BadSample: the maker refused it.
            RunError: it has not been made.
            CorruptRun: its file is damaged.
        """
        try:
            record = json.loads(self._record(key).read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise RunError(f"the candidate {key} has not been made: run `patina restore RUN`") from None
        if "reason" in record:
            raise BadSample(Reason(record["reason"]), record["detail"])
        path = self._picture(key)
        data = path.read_bytes() if path.exists() else b""
        if commit.sha256(data) != record["sha256"]:
            raise CorruptRun(f"{path} is damaged: remove {self._record(key).name} beside it and run `patina restore` again")
        return pictures.decode(data), record["sha256"]

    def _record(self, key: str) -> Path:
        return self._folder / key[:2] / f"{key}.json"

    def _picture(self, key: str) -> Path:
        return self._folder / key[:2] / f"{key}.png"
