"""Evidence without a model: is the degraded side its clean side behind such a degradation, and how strong is it?

The operator of the pair's own task is fitted between the two sides (`filters/explain`, one file per task): haze by airlight and
transmission, flare by light that can only be added, blur by kernels, and so on. Three numbers say what was found:

    strength   of the task, in its own unit (EV, optical depth, px of 1024...): rises with severity
    explained  0..1: the clean side's content is there, in the worst twentieth of the photo too
    hue_deg    by how far colours turned around the colour circle: casts and veils scale and tint them, but do not turn them

An editor that repaints a corner, moves the picture by some pixels or changes the colour of a coat leaves a pair that no
physics explains. Nothing here tells whether the degradation LOOKS like its kind: that is for models that were taught it.

A photo has no clean side: it gives `sign.{task}`, what its own pixels tell of six of the nine, as a gate before dearer scorers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from pydantic import Field

from degrade.contract import Srgb
from degrade.errors import BadSample, Reason
from filters.contract import Filter, Item, Measure, Pair, Photo, Scores, Settings, Wants
from filters.explain import blur, colours, compression, flare, haze, low_light, moire, noise, passage, rain, reflection
from filters.explain.sides import LEAST_PX, Finding, Sides

VERSION: Final = 3
BATCH: Final = 16
INFINITE: Final = float("inf")


class Operator(NamedTuple):
    """How one task explains a pair, and what its strength is measured in."""

    explain: Callable[[Sides], Finding]
    unit: str
    meaning: str
    range: tuple[float, float]


OPERATORS: Final = {
    "blur": Operator(blur.explain, "px of 1024", "length of the even streak of the same spread, most blurred twentieth", (0.0, INFINITE)),
    "compression": Operator(compression.explain, "100 - quality", "100 less the JPEG quality that costs as much", (0.0, 100.0)),
    "flare": Operator(flare.explain, "%", "share of the photo that added light drowns", (0.0, 100.0)),
    "haze": Operator(haze.explain, "optical depth", "mean of -ln transmission", (0.0, 5.0)),
    "low_light": Operator(low_light.explain, "EV", "exposure that is missing, after any brightening", (-13.0, 13.0)),
    "moire": Operator(moire.explain, "%", "RMS modulation of light where the clean side is even", (0.0, INFINITE)),
    "noise": Operator(noise.explain, "8-bit levels", "standard deviation of what is fine and different, luma", (0.0, 255.0)),
    "rain": Operator(rain.explain, "optical depth", "mean of -ln of the detail that arrives through veil and drops", (0.0, 4.0)),
    "reflection": Operator(reflection.explain, "%", "mirrored light over the light that passes", (0.0, INFINITE)),
}
SIGNS: Final = (
    Measure("sign.blur", "0..1", "softness of the sharpest places: 0.5 ideal edges, 1 none", (0.0, 1.0)),
    Measure("sign.compression", "100 - quality", "100 less the lowest JPEG quality that file or pixels show; 0 for none", (0.0, 99.0)),
    Measure("sign.haze", "0..1", "median of the dark channel over the airlight that it suggests", (0.0, 1.0)),
    Measure("sign.low_light", "EV", "by how much the photo can be lifted, to middle grey at most, before more than lamps clip", (-3.0, 12.0)),
    Measure("sign.moire", "%", "RMS of periodic colour in the median tile", (0.0, 100.0)),
    Measure("sign.noise", "8-bit levels", "standard deviation of luma noise in the quietest places", (0.0, 255.0)),
)


class EvidenceSettings(Settings):
    """What a recipe may say about evidence."""

    all_tasks: bool = Field(default=False, strict=True, description="also the strength that each of the nine operators finds in the pair")


class Evidence:
    """The scorer: everything happens in `prepare`, for there is no network. It is thread-safe and keeps nothing."""

    maker = f"evidence/{VERSION}"

    def __init__(self, settings: EvidenceSettings) -> None:
        self.settings = settings

    def prepare(self, item: Item) -> dict[str, float]:
        """Return the numbers of a pair or photo; raises BadSample for one below 64 px."""
        photo = item.clean if isinstance(item, Pair) else item
        short = min(photo.pixels.shape[:2])
        if short < LEAST_PX:
            raise BadSample(Reason.TOO_SMALL, f"{short} px; evidence needs {LEAST_PX}")
        return of_pair(item, all_tasks=self.settings.all_tasks) if isinstance(item, Pair) else signs(item)

    def score(self, prepared: Sequence[dict[str, float]]) -> list[Scores]:
        """Return the numbers as scores."""
        return [Scores(numbers) for numbers in prepared]


def explain(task: str, clean: Srgb, degraded: Srgb) -> Finding:
    """Return how strong a task's degradation is in a pair, and whether it explains the pair.

    Args:
        task: one of the nine.
        clean: HxWx3 uint8 sRGB, at least 64 px short.
        degraded: the same size.
    """
    return OPERATORS[task].explain(Sides(clean, degraded))


def of_pair(pair: Pair, *, all_tasks: bool = False) -> dict[str, float]:
    """Return `strength`, `explained` and `hue_deg` of a pair, and `strength.{task}` if asked for.

    A task without an operator of its own (the web tail) has no strength; it is explained as far as the clean side's detail arrives.
    """
    sides = Sides(pair.clean.pixels, pair.degraded.pixels)
    asked = OPERATORS if all_tasks else OPERATORS.keys() & {pair.task}
    found = {task: OPERATORS[task].explain(sides) for task in asked}
    own = found.get(pair.task)
    numbers = {"explained": own.explained if own else passage.explained(passage.passage(sides.coarse)), "hue_deg": colours.turned_deg(sides.coarse)}
    if own:
        numbers["strength"] = own.strength
    return numbers | ({f"strength.{task}": finding.strength for task, finding in found.items()} if all_tasks else {})


def signs(photo: Photo) -> dict[str, float]:
    """Return `sign.{task}` of a photo."""
    return {
        "sign.blur": blur.sign(photo.pixels),
        "sign.compression": compression.sign(photo.pixels, photo.data),
        "sign.haze": haze.sign(photo.pixels),
        "sign.low_light": low_light.sign(photo.pixels),
        "sign.moire": moire.sign(photo.pixels),
        "sign.noise": noise.sign(photo.pixels),
    }


FILTER = Filter(
    name="evidence",
    version=VERSION,
    about="does physics explain the pair, and how strong is the degradation: nine operators fitted, no model",
    settings=EvidenceSettings,
    open=lambda settings, _device: Evidence(settings),
    wants=lambda _settings: Wants(batch=BATCH),
    measures=(
        Measure("strength", "its task's", "how strong the pair's own degradation is", (-INFINITE, INFINITE)),
        Measure("explained", "0..1", "whether the degraded side is this clean side behind such a degradation, in the worst twentieth too", (0.0, 1.0)),
        Measure("hue_deg", "degrees", "by how far colours turned around the colour circle", (0.0, 180.0)),
        *(Measure(f"strength.{task}", operator.unit, operator.meaning, operator.range) for task, operator in OPERATORS.items()),
        *SIGNS,
    ),
)
