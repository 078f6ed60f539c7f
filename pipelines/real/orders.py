"""From a row of the plan to what its maker sees, and the name under which the candidate is kept."""

from __future__ import annotations

import json
from typing import Any

from degrade.contract import Srgb
from manifests import commit
from pipelines import crops
from pipelines.crops import Crop
from pipelines.makers.contract import Order
from pipelines.makers.kept import Candidates, key_of
from pipelines.photos.decode import DecodeRules
from pipelines.photos.indexed import Indexed
from pipelines.run import Run


def candidates(run: Run) -> Candidates:
    """Return the folder of candidates of a run."""
    named = run.recipe.real.candidates if run.recipe.real else ""
    return Candidates(run.folder / (named or "candidates"), run.folder / "candidates" / "beside")


def record_of(row: dict[str, Any]) -> dict[str, Any]:
    """Return what a row says of its candidate: maker, prompt, seed, margin_px."""
    found: dict[str, Any] = json.loads(row["others"])[0]
    return found


def seen_crop(row: dict[str, Any]) -> Crop:
    """Return the box of the photo that the maker sees: the pair with its margin."""
    margin = record_of(row)["margin_px"]
    return Crop(row["crop_x"], row["crop_y"], row["crop_width"], row["crop_height"], row["width"] + 2 * margin, row["height"] + 2 * margin)


def key(row: dict[str, Any], makers: dict[str, dict[str, Any]]) -> str:
    """Return the name of a row's candidate: what decides its pixels, and nothing else.

    Args:
        row: of the plan.
        makers: the run's, opened: with revision and settings.
    """
    told = record_of(row)
    content = commit.fingerprint([row["photo_sha256"], row["photo_frame"], list(seen_crop(row))])
    return key_of(content, commit.fingerprint(makers[told["maker"]]), row["task"], told["prompt"], told["seed"])


class Seen:
    """Opens photos as makers see them; keeps the one it opened last, because its candidates stand together.

    Args:
        rules: how photos are decoded.
    """

    def __init__(self, rules: DecodeRules) -> None:
        self._rules = rules
        self._open: tuple[Any, Srgb] | None = None

    def pixels(self, row: dict[str, Any]) -> Srgb:
        """Return the box of a row's photo at the size that the maker sees; raises BadSample when the photo has gone or changed."""
        name = (row["photo_sha256"], row["photo_frame"])
        if self._open is None or self._open[0] != name:
            self._open = (name, Indexed.of(row).opened(self._rules)[0].pixels)
        return crops.cut(self._open[1], seen_crop(row))

    def order(self, row: dict[str, Any], name: str) -> Order:
        """Return the order of a row's candidate, which is kept under a name."""
        told = record_of(row)
        crop = seen_crop(row)
        return Order(name, self.pixels(row), row["task"], told["prompt"], told["seed"], row["photo_uri"], dict(row["extra"] or ()), crop)
