"""Whether the two sides of a pair lie on each other: shift, scale and rotation of the whole, and what moved on its own.

A restorer that learns from pairs which are a pixel apart learns to move, and to blur where it cannot know which way. An
editor's output is seldom where its input was: it comes back resized, shifted, or with things put elsewhere. What is found
here is found in what survives degradation (`registration.structure`), by the coarse-to-fine fit of a similarity to the moves
of tiles (`registration.fit`), which answers with a standard deviation of its own, and by what the tiles still move after it
(`registration.flow`). No model is asked. Where too little is left to tell (another scene, a picture of fog), `matched` is 0
and the lengths are absent.

Signs: what the degraded side shows at x stands in the clean side at S(x); shifts point right and down, scale above 1 is a
clean side that is magnified, rotation is clockwise. `registration.warp.correct` undoes what is small.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from filters import limits as intervals
from filters.contract import Filter, Item, Measure, Pair, Scores, Settings, Wants
from filters.limits import EVERY, Limit
from filters.registration.match import Match, match
from filters.registration.similarity import Similarity
from filters.verdict import Verdict

LIMITS: dict[str, Limit] = {  # what our own pairs keep to, at every severity; long blur has no one place
    "same_size": {EVERY: (1.0, 1.0)},
    "matched": {EVERY: (0.02, 1.0)},
    "shift_px": {EVERY: (0.0, 1.0), "blur": (0.0, 2.0)},
    "scale": {EVERY: (0.997, 1.003)},
    "rotation_deg": {EVERY: (-0.3, 0.3)},
    "flow_px": {EVERY: (0.0, 4.0), "blur": (0.0, 8.0)},
}
UNTOLD = "nothing on both sides that can be matched: another scene, or too little left of it"


class AlignmentSettings(Settings):
    """Nothing to set: what is measured does not depend on taste, what is allowed stands in the limits."""


class Alignment:
    """Measures the geometry of pairs; all of it on the CPU, in `prepare`."""

    maker = "alignment 1"

    def __init__(self, settings: AlignmentSettings, device: str | None = None) -> None:
        del settings, device  # the signature of every scorer

    def prepare(self, item: Item) -> Mapping[str, float]:
        """Return the numbers of a pair; raises TypeError for a photo, which lies on nothing."""
        if not isinstance(item, Pair):
            raise TypeError("alignment compares the two sides of a pair: a single photo has none")
        clean, degraded = item.clean.pixels, item.degraded.pixels
        (tall, wide), (height, width) = clean.shape[:2], degraded.shape[:2]
        same = (tall, wide) == (height, width)
        size = {"same_size": float(same), "aspect_ratio": wide * height / (tall * width)}
        return size if not same else size | _numbers(match(clean, degraded))

    def score(self, prepared: Sequence[Mapping[str, float]]) -> list[Scores]:
        """Return the numbers of prepared pairs; none depends on another."""
        return [Scores(numbers) for numbers in prepared]


def _numbers(told: Match | None) -> dict[str, float]:
    if told is None:
        return {"matched": 0.0}
    lengths = {"shift_px": told.found.shift_px, **told.found._asdict(), "error_px": told.error_px}
    return lengths | {name: getattr(told, name) for name in ("matched", "confidence", "detail", "flow_px", "flow_share")}


def found(numbers: Mapping[str, float]) -> Similarity | None:
    """Return where the clean side lies, from its numbers, for `registration.warp.correct`; None where it could not be told."""
    if "shift_px" not in numbers:
        return None
    return Similarity(*(numbers[name] for name in Similarity._fields))


def decide(numbers: Mapping[str, float], limits: Mapping[str, Limit] = LIMITS, task: str = "") -> Verdict:
    """Return whether a pair is aligned.

    Args:
        numbers: of `Alignment`, by measure.
        limits: by measure, in the order in which they are asked.
        task: of the pair.
    """
    verdict = intervals.decide(numbers, limits, task)
    return verdict._replace(detail=f"matched 0: {UNTOLD}") if not verdict.keep and numbers.get("matched") == 0.0 else verdict


FILTER = Filter(
    name="alignment",
    version=1,
    about="Whether both sides lie on each other: shift, scale, rotation and residual flow, found in what survives degradation; no model.",
    settings=AlignmentSettings,
    open=Alignment,
    wants=lambda _: Wants(cpus=1.0, gpus=0.0, batch=16, deadline_s=30.0),
    measures=(
        Measure("same_size", "0 or 1", "whether both sides have one size; if not, nothing else but `aspect_ratio` is measured", (0.0, 1.0)),
        Measure("aspect_ratio", "ratio", "aspect of the clean side over that of the degraded one", (0.001, 1000.0)),
        Measure("matched", "share", "of the tiles with structure, those found on both sides; 0: nothing can be told, and the rest is absent", (0.0, 1.0)),
        Measure("shift_px", "px", "how far the clean side is displaced, at the pair's own scale", (0.0, 20000.0)),
        Measure("shift_x_px", "px", "the same, to the right", (-20000.0, 20000.0)),
        Measure("shift_y_px", "px", "the same, down", (-20000.0, 20000.0)),
        Measure("scale", "factor", "how much the clean side is magnified; 1 is the same", (0.5, 2.0)),
        Measure("rotation_deg", "deg", "how far the clean side is turned, clockwise", (-45.0, 45.0)),
        Measure("error_px", "px", "standard deviation of the shift", (0.0, 4.0)),
        Measure("confidence", "correlation", "of the structure of the tiles that were found", (0.0, 1.0)),
        Measure("detail", "share", "of the fine contrast that both sides share, over the coarse: below 0.7 the degraded side is blurred", (0.0, 1.0)),
        Measure("flow_px", "px", "95th percentile of what the tiles moved besides, for certain", (0.0, 100.0)),
        Measure("flow_share", "share", "of the tiles, those that moved besides by more than 1/500 of the short side", (0.0, 1.0)),
    ),
    on=("pairs",),
    decide=decide,
)
