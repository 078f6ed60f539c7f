"""Whether both sides tell of one scene: what an editor changed besides, found by comparing detail, colours and places; no model.

Detail is what Gaussians leave between two widths, and it is compared by least squares in tiles: gain a = sum C'D' / sum C'C'.

    tint      the gains of red, green and blue are alike, whatever haze, glass or exposure did: D_k = a C_k + b_k.
              The median tile's largest departure from their mean, in octaves: another white balance
    cast      how far chroma moved, median place, dE of CIELAB with each place's lightness made equal
    white     how far it moved on the whole: the length of the median move
    fine      gain of the detail of 1 to 2 px over that of 2 to 4 px, octaves: above 0 the clean side is the softer of the two,
              far below 0 the degraded one is, or the clean one was sharpened
    leak      in even places nothing but the degradation shows. A clean side that kept the share s of it agrees there with what
              it should have lost: cov(C', D' - aC') / var(D' - aC') = s / (1 - s)
    likeness_ the correlation of detail in the window in which it is least, for three widths: a window was painted anew.
              Energies below the noise and below a few per cent of the photo's own pull it to 1: an empty sky is like another
    foreign   detail of the clean side, tile by tile, that certainly does not arrive as it does nearby, standard deviations: letters
    missing   what the degraded side shows and the clean side does not explain, where that is most, over the median, octaves

Each of them says little of some tasks (a second scene that is mirrored is like nothing): which, stands in `filters/defaults.py`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from degrade.contract import Linear, Map
from degrade.errors import BadSample, Reason
from filters.contract import Filter, Item, Measure, Pair, Scores, Settings, Wants
from filters.explain.passage import TILE_PX, tiles
from filters.explain.sides import Both, Sides, fine_part, luminance, reduced

NAME, VERSION = "consistency", 1
LEAST_PX = 128  # short side: windows need some tiles beside them
WORK_PX = 512  # short side at which places are compared
WIDTHS = {"fine": (0.7, 3.0), "middle": (2.0, 6.0), "wide": (4.0, 16.0)}  # px of it, one sigma: between which detail is compared
WINDOW = 5  # tiles: side of a window
COLOUR_PX = 3.0  # one sigma, of the copy 256 px short
PLAIN, PLAIN_OF_ALL = 0.05, 1e-7  # of the mean energy of colour, and at least: a tile below tells nothing
FEWEST = 6  # tiles that can speak for a photo
EVENEST = 0.3  # of the tiles, where leaks are looked for
LIT = (0.01, 0.95)  # linear light between which colour can be told
ANYTHING = 1e9


class ConsistencySettings(Settings):
    """Nothing to set."""


class Consistency:
    """The scorer: everything happens in `prepare`, for there is no network."""

    maker = f"{NAME}/{VERSION}"

    def __init__(self, settings: ConsistencySettings, device: str | None = None) -> None:
        del settings, device  # the signature of every scorer

    def prepare(self, item: Item) -> dict[str, float]:
        """Return the numbers of a pair; raises TypeError for a photo and BadSample for a pair below 128 px."""
        if not isinstance(item, Pair):
            raise TypeError("consistency compares the two sides of a pair: a single photo has none")
        return of_pair(item)

    def score(self, prepared: Sequence[dict[str, float]]) -> list[Scores]:
        """Return the numbers as scores."""
        return [Scores(numbers) for numbers in prepared]


class Shared(NamedTuple):
    """What tiles of detail hold; maps of rows x columns, squared levels."""

    clean: Map  # mean of C'C'
    both: Map  # of C'D'
    degraded: Map  # of D'D'


def of_pair(pair: Pair) -> dict[str, float]:
    """Return the numbers of a pair; one that a photo without colour or detail cannot give is absent."""
    short = min(pair.clean.pixels.shape[:2])
    if short < LEAST_PX:
        raise BadSample(Reason.TOO_SMALL, f"{short} px; consistency needs {LEAST_PX}")
    sides = Sides(pair.clean.pixels, pair.degraded.pixels)
    clean, degraded = (cv2.cvtColor(side.pixels, cv2.COLOR_RGB2GRAY) for side in (pair.clean, pair.degraded))
    ours, theirs = (reduced(side, WORK_PX).astype(np.float32) for side in (clean, degraded))
    found = _colours(sides.coarse) | _finest(clean.astype(np.float32), degraded.astype(np.float32)) | _places(ours, theirs)
    found |= {f"likeness_{name}": _likeness(ours, theirs, low_px, high_px) for name, (low_px, high_px) in WIDTHS.items()}
    return {name: value for name, value in found.items() if math.isfinite(value)}


def _colours(both: Both) -> dict[str, float]:
    return {"tint": _tint(both)} | _chroma(both)


def _tint(both: Both) -> float:
    detail = [[fine_part(np.ascontiguousarray(side[..., channel]), COLOUR_PX) for side in both] for channel in range(3)]
    energy = np.stack([tiles(clean * clean) for clean, _ in detail])
    shared = np.stack([tiles(clean * degraded) for clean, degraded in detail])
    mean = energy.mean(axis=0)
    telling = (mean > PLAIN * mean.mean() + PLAIN_OF_ALL) & (energy > PLAIN / 5 * mean.mean() + PLAIN_OF_ALL / 10).all(axis=0)
    if telling.sum() < FEWEST:
        return math.nan
    gain = np.log2(np.maximum(shared[:, telling] / energy[:, telling], 1e-3))
    return float(np.abs(np.median(gain - gain.mean(axis=0), axis=1)).max())


def _chroma(both: Both) -> dict[str, float]:
    clean, degraded = (_tiles_of(side) for side in both)
    light, other = luminance(clean), luminance(degraded)
    lit = (light > LIT[0]) & (other > LIT[0] / 5) & (clean.max(axis=2) < LIT[1]) & (degraded.max(axis=2) < LIT[1])
    if lit.sum() < FEWEST:
        return {}
    level = np.asarray(degraded * (light / np.maximum(other, 1e-4))[..., None], np.float32)
    moved = (_lab(level) - _lab(clean))[lit][:, 1:]
    return {"cast": float(np.median(np.hypot(moved[:, 0], moved[:, 1]))), "white": float(np.hypot(*np.median(moved, axis=0)))}


def _tiles_of(side: Linear) -> Linear:
    return np.dstack([tiles(np.ascontiguousarray(side[..., channel])) for channel in range(3)])


def _lab(linear: Linear) -> NDArray[np.float32]:
    light = np.clip(linear, 0, 1)
    coded = np.where(light <= 0.0031308, light * 12.92, 1.055 * np.maximum(light, 0.0031308) ** (1 / 2.4) - 0.055)
    return np.asarray(cv2.cvtColor(coded.astype(np.float32), cv2.COLOR_RGB2LAB), np.float32)


def _finest(clean: Map, degraded: Map) -> dict[str, float]:
    """Return `fine` and `leak`, at the pair's own size."""
    soft = [[side, *(cv2.GaussianBlur(side, (0, 0), width) for width in (1.0, 2.0, 4.0))] for side in (clean, degraded)]
    near, far = (_gain(_shared(*(side[at] - side[at + 1] for side in soft)), 0.2, 0.05) for at in (1, 2))
    both = _shared(*(side[0] - side[2] for side in soft))
    gain = _gain(both, 0.2, 0.0)
    even = both.clean <= np.quantile(both.clean, EVENEST)
    rest = (both.degraded - 2 * gain * both.both + gain * gain * both.clean)[even]
    agrees = (both.both - gain * both.clean)[even]
    return {"fine": math.log2(max(near, 0.02) / max(far, 0.02)), "leak": float(agrees.sum() / (rest.sum() + 0.05 * rest.size))}


def _gain(shared: Shared, plain: float, least: float) -> float:
    telling = shared.clean > plain * shared.clean.mean() + least
    return float(np.median(shared.both[telling] / shared.clean[telling])) if telling.sum() >= FEWEST else math.nan


def _shared(clean: Map, degraded: Map) -> Shared:
    return Shared(tiles(clean * clean), tiles(clean * degraded), tiles(degraded * degraded))


def _band(side: Map, low_px: float, high_px: float) -> Map:
    return cv2.GaussianBlur(side, (0, 0), low_px) - cv2.GaussianBlur(side, (0, 0), high_px)


def _likeness(clean: Map, degraded: Map, low_px: float, high_px: float) -> float:
    """Return the correlation in the window in which it is least; strong edges of either side do not speak for their neighbours."""
    shared = _shared(_band(clean, low_px, high_px), _band(degraded, low_px, high_px))
    rest = shared.degraded - np.where(shared.clean > 0.01, shared.both**2 / np.maximum(shared.clean, 1e-3), 0)
    say = [np.minimum(1, (np.quantile(energy, 0.8) + 0.05) / np.maximum(energy, 1e-6)) for energy in (shared.clean, shared.degraded)]
    even = np.sqrt(say[0] * say[1])
    ours, common, theirs = (_windows(energy * even) for energy in shared)
    slack = 0.03 * math.sqrt(float(ours.mean() * theirs.mean())) + max(float(np.quantile(rest, 0.25)), 0.0) + 0.2
    return float(((common + slack) / (np.sqrt(np.maximum(ours * theirs, 0)) + slack)).min())


def _windows(values: Map) -> Map:
    rim = WINDOW // 2
    return cv2.blur(values.astype(np.float32), (WINDOW, WINDOW))[rim:-rim, rim:-rim]


def _places(clean: Map, degraded: Map) -> dict[str, float]:
    """Return `foreign` and `missing`."""
    shared = _shared(_band(clean, 0.7, 4.0), _band(degraded, 0.7, 4.0))
    say = np.minimum(shared.clean, np.quantile(shared.clean, 0.8)) + np.float32(1e-3)
    gain = shared.both / (shared.clean + np.float32(0.1))
    around = np.maximum(cv2.blur(gain * say, (7, 7)) / cv2.blur(say, (7, 7)), 0.02)
    rest = np.maximum(shared.degraded - 2 * gain * shared.both + gain * gain * shared.clean, 0)
    error = np.sqrt((rest + 0.5) / (shared.clean + 0.1) / (TILE_PX * TILE_PX / 12))  # some twelve neighbouring px say one thing
    short = (0.5 * around - gain) / np.sqrt(error**2 + (0.1 * around) ** 2)
    usual = float(np.median(rest) + 0.05 * (around**2 * shared.clean).mean()) + 1.0
    most = float(np.quantile(cv2.blur(rest, (3, 3)), 0.997))
    return {"foreign": float(np.quantile(short, 0.9875)), "missing": math.log2(max(most / usual, 1e-3))}


FILTER = Filter(
    name=NAME,
    version=VERSION,
    about="whether both sides tell of one scene: colours, leaks, letters, patches painted anew, softened or sharpened detail; no model",
    settings=ConsistencySettings,
    open=Consistency,
    wants=lambda _settings: Wants(cpus=1.0, batch=16, deadline_s=30.0),
    measures=(
        Measure("tint", "octaves", "how unlike the three colours' detail passes", (0.0, 20.0)),
        Measure("cast", "dE", "how far chroma moved, median place, at equal lightness", (0.0, 400.0)),
        Measure("white", "dE", "how far chroma moved on the whole", (0.0, 400.0)),
        Measure("fine", "octaves", "gain of the finest detail over coarser: above 0 the clean side is the softer", (-20.0, 20.0)),
        Measure("leak", "ratio", "what the clean side keeps of the degradation over what it lost, in even places", (-ANYTHING, ANYTHING)),
        *(Measure(f"likeness_{name}", "correlation", f"of {name} detail in the least alike window", (-1.0, 1.0)) for name in WIDTHS),
        Measure("foreign", "standard deviations", "of the clean side's detail that does not arrive, worst eightieth of the tiles", (-ANYTHING, ANYTHING)),
        Measure("missing", "octaves", "what the clean side does not explain, where it is most, over the median", (-20.0, 60.0)),
    ),
    on=("pairs",),
)
