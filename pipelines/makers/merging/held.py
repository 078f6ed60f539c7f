"""A merge, held to the photo that it stands for: where the two differ by more than the photo's own noise, the photo is right.

    x = y + sum over bands of k_b (m - y)_b,    k_b = min(1, V_b / mean nearby of (m - y)_b^2)

y is the photo, m the merge, V_b the variance that noise alone gives to a band of their difference: Wiener's filter on what merging
changed, as in the temporal merge of Hasinoff et al. (SIGGRAPH Asia 2016), in octaves of a Laplacian pyramid instead of Fourier's tiles,
and of sRGB levels, in which noise is nearly as large in the dark as beside it in the light. Detail finer than pixels is aliased
differently in every frame, and the mean of many has less of it than the photo. Where noise is larger than that the mean is nearer to
the truth, where it is smaller the photo is; k is what errs least.

V is measured by brightness where the merge is flattest, and a line through flat and rich places takes off what detail gives there: what
is aliased grows with detail. Looking for flat places does not choose quiet ones, since of weights of least variance the mean says
nothing about the difference. Where a brightness has no flat place, its neighbours say how much noise there can be.
"""

from __future__ import annotations

import cv2
import numpy as np

from degrade import camera
from degrade.contract import Linear, Map

BANDS = 4
LEAST_SIDE_PX = 16  # of a band
NEARBY_PX = (7, 7)
CHANCE = 1.2  # by how much the mean square of noise in 49 pixels may be above what is expected
SAMPLES, BINS = 1 << 16, 12  # of places, and of brightness
FLATTEST = 0.03  # share of a bin's places whose noise is taken for all
FEWEST = 24  # places that are taken of a bin
SURE = 8.0  # by how much the line may lower it
STOPS = 6.0  # by which it may rise over the range of brightness
NEAR_BLACK = 0.05  # level below which noise is cut off, and says nothing of its neighbours
NEAR_WHITE, WHITE = 0.9, 0.97  # light between which the photo's say fades: what it clips, others know better
STEPS = 256  # of brightness
ROUNDING = 1 / (12 * 255**2)  # variance of 8-bit levels


def held(photo: Linear, merged: Linear) -> Linear:
    """Return a merge that is no farther from the truth than the photo, as far as noise can be told from detail.

    Args:
        photo: HxWx3 linear light.
        merged: the same size and exposure.
    """
    say = np.clip((np.float32(WHITE) - cv2.dilate(photo, np.ones((3, 3), np.uint8))) / np.float32(WHITE - NEAR_WHITE), 0, 1)
    own, mean = (camera.linear_to_srgb(np.clip(light, 0, 1)).astype(np.float32) for light in (photo, merged))
    rest, kept = (mean - own) * say, []
    for _ in range(BANDS):
        if min(rest.shape[:2]) < 2 * LEAST_SIDE_PX:
            break
        less, lighter = cv2.pyrDown(rest), cv2.pyrDown(mean)
        band, detail = (whole - cv2.pyrUp(low, dstsize=whole.shape[1::-1]) for whole, low in ((rest, less), (mean, lighter)))
        kept.append(_kept(band, detail, mean))
        rest, mean = less, lighter
    rest = _kept(rest, mean - cv2.blur(mean, NEARBY_PX), mean)
    for band in reversed(kept):
        rest = band + cv2.pyrUp(rest, dstsize=band.shape[1::-1])
    light = camera.srgb_to_linear(np.clip(own + rest, 0, 1).astype(np.float64)).astype(np.float32)
    return np.asarray(say * light + (1 - say) * merged, np.float32)


def _kept(band: Map, detail: Map, levels: Map) -> Map:
    """Return what noise explains of a band of a difference, RxCx3.

    Args:
        band: RxCx3.
        detail: the same band of the picture.
        levels: what the picture's noise depends on.
    """
    smooth = np.clip(cv2.blur(levels, NEARBY_PX), 0, 1)
    energy, texture = (cv2.blur(cv2.multiply(part, part), NEARBY_PX) for part in (band, detail))
    expected = np.stack([noise(*(part[:, :, channel] for part in (energy, texture, smooth))) for channel in range(3)], 2)
    excess = cv2.transform(energy / expected, np.full((1, 3), 1 / 3, np.float32))
    return band / np.maximum(excess / np.float32(CHANCE), 1)[:, :, None]


def noise(energy: Map, texture: Map, levels: Map) -> Map:
    """Return what noise alone gives to a band's energy, RxC, by brightness.

    Args:
        energy: RxC, mean square of a band of a difference nearby.
        texture: the same of the picture.
        levels: brightness, 0 to 1.
    """
    every = max(levels.size // SAMPLES, 1)
    places, values, detail = (part.ravel()[::every] for part in (levels, energy, texture))
    middles, found = [], []
    for inside in np.array_split(np.argsort(places, kind="stable"), max(min(BINS, int(len(places) * FLATTEST) // FEWEST), 1)):
        ranked = inside[np.argsort(detail[inside], kind="stable")]
        flat, rich = ranked[: max(int(len(ranked) * FLATTEST), 1)], ranked[len(ranked) // 2 :]
        low, little, high, much = (float(np.median(of[part])) for part in (flat, rich) for of in (values, detail))
        middles.append(float(np.median(places[flat])))
        found.append(max(low - little * max(high - low, 0) / max(much - little, 1e-12), low / SURE) + ROUNDING)
    at, stops = np.array(middles), np.log2(found)
    told = (at > NEAR_BLACK) & (at < NEAR_WHITE)
    if told.any():
        stops = np.minimum(stops, (stops[told] + STOPS * np.abs(at[:, None] - at[told])).min(1))
    table = np.exp2(np.interp(np.linspace(0, 1, STEPS), at, stops)).astype(np.float32)
    return cv2.LUT(np.rint(levels * (STEPS - 1)).astype(np.uint8), table)
