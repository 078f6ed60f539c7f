"""Depth priors: relative inverse depth, where the horizon is, and whether a photo shows distance at all.

Inverse depth is what single-image networks predict (Ranftl et al., TPAMI 2022) and what a ground plane gives for free:
under a pinhole camera it falls linearly with the image row and is zero at the horizon. `geometric` is the stand-in that
needs no weights, and it is no more than that: ground plane + horizon + sky, with flat-coloured regions that rise above the
horizon stood upright on the ground where they meet it, or receding to the skyline where that is the skyline of hills
(`degrade.scene.terrain`). It knows no object. Use a depth network (`degrade.scene.models`) where near and far things overlap.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from degrade.arrays.guided import coefficients, guide_mix
from degrade.camera import to_linear
from degrade.contract import Map, Srgb
from degrade.scene import terrain
from degrade.scene.proxy import proxy as reduced

WORK_PX = 192  # long side at which regions are found
LOWEST_HORIZON = 0.85  # below it there is no ground left to tell distances from
HORIZON_PRIOR = 0.55  # where horizons lie in photos that do not show theirs
SMOOTH_FRAC = 0.03  # blur of the stand-in, in long sides
BESIDE_FRAC = 0.06  # how far a standing region lends its distance to what is beside it
NEAREST_FOOT = 0.6  # things that stand up are not at our feet
LEAST_SKY = 0.1  # a photo with less sky shows no distance that we could prove
BROWN = 0.15  # (red - blue) / red above which a colour from red over green to blue is brown, not light
DAYLIT, BLACK = 0.15, 0.125  # median light of land that the sun shines on, and the share of it below which no sky lies by day
BLURRED_SURROUND = 0.10  # sharpness of the rim over that of the sharpest part, below which a lens isolates its subject


class DepthPrior(NamedTuple):
    """What is known about a photo's distances."""

    inverse: Map  # hxw float32, 1 nearest, 0 farthest
    horizon_frac: float  # row of the horizon in heights; may lie outside 0..1
    maker: str  # "geometric", or a model with its revision


def geometric(proxy: Srgb, sky: Map) -> DepthPrior:
    """Return the weight-free depth prior of a photo.

    Args:
        proxy: hxwx3 uint8, the whole photo at low resolution.
        sky: hxw float32, from `degrade.scene.sky.sky`, same size.
    """
    horizon = horizon_frac(sky)
    small = reduced(proxy, WORK_PX)
    size = (small.shape[1], small.shape[0])
    open_air = cv2.resize(sky, size, interpolation=cv2.INTER_AREA)
    ground = _ground(size[1], size[0], horizon)
    regions, above = _regions(small), open_air > 0.5
    upright = terrain.receding(_stood_upright(regions, ground, above, horizon), regions, above, horizon)
    smooth = _smoothed_on_land(upright, 1.0 - np.clip(open_air, 0, 1))
    coarse: Map = cv2.resize(smooth, (proxy.shape[1], proxy.shape[0]), interpolation=cv2.INTER_LINEAR)
    colours = proxy.astype(np.float32) / np.float32(255.0)
    guide: Map = cv2.transform(colours, guide_mix(colours, coarse).reshape(1, 3))
    slope, offset = coefficients(guide, coarse, 9, 2e-3)
    inverse = np.clip(slope * guide + offset, 0, 1) * (1 - sky)
    return DepthPrior(inverse.astype(np.float32), horizon, "geometric")


def horizon_frac(sky: Map) -> float:
    """Return the row of the horizon, in heights, from where the sky ends; without sky a usual place.

    Things rise above the horizon and hide sky, so it is the low end of the skyline that tells, and land between skyline
    and horizon (hills) is allowed for by leaning on where horizons usually are.
    """
    height = sky.shape[0]
    filled = sky > 0.5
    columns = filled.any(0)
    if columns.mean() < 0.1:
        return HORIZON_PRIOR - 0.1
    ends = (height - np.argmax(filled[::-1], axis=0))[columns] / height
    low = min(float(np.percentile(ends, 85)), LOWEST_HORIZON)
    if float(np.percentile(ends, 85) - np.percentile(ends, 35)) < 0.02 and columns.mean() > 0.8:
        return low  # a straight skyline right across: the sea, a plain
    return low if low >= HORIZON_PRIOR else 0.7 * low + 0.3 * HORIZON_PRIOR


def far(proxy: Srgb, sky: Map) -> bool:
    """Answer whether a photo shows distance: open sky with air in it, no lens isolating a near subject, no portrait.

    Without weights only sky proves distance; a street canyon or a forest without sky is refused, on the safe side.

    Args:
        proxy: hxwx3 uint8, the whole photo at low resolution.
        sky: hxw float32, same size.
    """
    if float(sky.mean()) < LEAST_SKY or _brown_above(proxy, sky) or _black_behind_daylight(proxy, sky):
        return False
    return _surround_sharpness(proxy, sky) >= BLURRED_SURROUND and not _shows_a_face(proxy)


def _brown_above(proxy: Srgb, sky: Map) -> bool:
    """Answer whether what passes for sky is brown where it is highest: a blurred wall or fur; dusk is brown only below."""
    height = len(proxy)
    first = int(np.argmax(sky.max(axis=1) > 0.5))
    weight = sky.copy()
    weight[min(first + max(height // 8, 1), height) :] = 0
    red, green, blue = (proxy.astype(np.float64) * weight[..., None]).sum((0, 1)) / max(float(weight.sum()), 1e-6)
    return bool(red > green > blue and (red - blue) / (red + 10.0) > BROWN)


def _black_behind_daylight(proxy: Srgb, sky: Map) -> bool:
    """Answer whether what passes for sky is black while the land is well lit: space, or a studio's backdrop; neither has air."""
    light = cv2.cvtColor(to_linear(proxy), cv2.COLOR_RGB2GRAY)
    above, land = light[sky > 0.9], light[sky < 0.1]
    if not (above.size and land.size):
        return False
    lit = float(np.median(land))
    return lit > DAYLIT and float(np.median(above)) < BLACK * lit


def _ground(height: int, width: int, horizon: float) -> Map:
    """Return the inverse depth of a plane under a camera, 1 at the lower edge."""
    rows = (np.arange(height, dtype=np.float32) + np.float32(0.5)) / np.float32(height)
    falling = np.clip((rows - np.float32(horizon)) / np.float32(max(1.0 - horizon, 0.05)), 0, 1)
    return np.repeat(falling[:, None], width, 1)


def _regions(small: Srgb) -> NDArray[np.int32]:
    """Return labels 1..n of flat-coloured regions: a watershed of the gradient from its flat places."""
    smooth = cv2.bilateralFilter(small, 7, 30, 4)
    edges = cv2.morphologyEx(smooth, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)).max(-1)
    flat = (edges <= max(float(np.percentile(edges, 45)), 6.0)).astype(np.uint8)
    _, markers = cv2.connectedComponents(cv2.erode(flat, np.ones((2, 2), np.uint8)), connectivity=4)
    if markers.max() < 1:
        return np.ones(small.shape[:2], np.int32)
    labels: NDArray[np.int32] = cv2.watershed(smooth, markers.astype(np.int32))
    grown = cv2.dilate(np.maximum(labels, 0).astype(np.float32), np.ones((3, 3), np.uint8))  # over the lines between regions
    return np.where(labels > 0, labels, np.maximum(grown, 1).astype(np.int32))


def _stood_upright(labels: NDArray[np.int32], ground: Map, open_air: NDArray[np.bool_], horizon: float) -> Map:
    """Return inverse depth with regions that rise above the horizon set to the ground where they stand."""
    height, width = labels.shape
    level = horizon * height
    count = int(labels.max()) + 1
    rows = np.repeat(np.arange(height)[:, None], width, 1)
    lowest = np.zeros(count, np.int64)
    np.maximum.at(lowest, labels[~open_air], rows[~open_air])
    highest = np.full(count, height, np.int64)
    np.minimum.at(highest, labels[~open_air], rows[~open_air])
    rises = (highest < level - 0.03 * height) & (lowest > level)
    base = np.bincount(labels[-1], minlength=count)  # px of the lower edge that a region fills
    slopes = rises & (base >= 0.3 * width)  # land that reaches the camera lies, but may climb: its horizon is its own top
    rises &= ~slopes
    foot = np.minimum(ground[np.clip(lowest, 0, height - 1), 0], NEAREST_FOOT)
    stands = rises[labels] & ~open_air
    inverse = np.where(stands, foot[labels], ground).astype(np.float32)
    climbing = slopes[labels] & ~open_air
    own_top = highest[labels]
    inverse = np.where(climbing, (rows - own_top + 1) / np.maximum(height - own_top, 1), inverse).astype(np.float32)
    above = ~stands & ~climbing & ~open_air & (rows < level)
    inverse[above] = _from_beside(inverse, stands, above)[above]
    inverse[open_air] = 0
    return inverse


def _from_beside(inverse: Map, stands: NDArray[np.bool_], above: NDArray[np.bool_]) -> Map:
    """Return inverse depth for land above the horizon that stands on nothing we see: its neighbours', else far away."""
    sigma = BESIDE_FRAC * max(inverse.shape)
    known, doubt = stands.astype(np.float32), above.astype(np.float32) * np.float32(0.05)
    total = cv2.GaussianBlur(inverse * known, (0, 0), sigma)
    return np.asarray(total / (cv2.GaussianBlur(known + doubt, (0, 0), sigma) + np.float32(1e-4)), np.float32)


def _smoothed_on_land(inverse: Map, land: Map) -> Map:
    """Return inverse depth blurred over land alone: a guess should not claim an edge that the photo may not have."""
    sigma = SMOOTH_FRAC * max(inverse.shape)
    land = np.maximum(land, np.float32(1e-3))
    blurred = cv2.GaussianBlur(inverse * land, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE)
    return cv2.divide(blurred, cv2.GaussianBlur(land, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE))


def _surround_sharpness(proxy: Srgb, sky: Map) -> float:
    """Return how sharp the ground's rim is against its sharpest part: small where a lens isolates a subject."""
    grey = cv2.cvtColor(proxy, cv2.COLOR_RGB2GRAY).astype(np.float32)
    detail = np.abs(cv2.Laplacian(grey, cv2.CV_32F))
    cells = cv2.resize(detail, (12, 12), interpolation=cv2.INTER_AREA)
    ground = cv2.resize(sky, (12, 12), interpolation=cv2.INTER_AREA) < 0.3
    rim = np.ones((12, 12), bool)
    rim[3:9, 3:9] = False
    if (ground & rim).sum() < 6:
        return 1.0
    return float(np.median(cells[ground & rim]) / max(float(np.percentile(cells[ground], 95)), 1.0))


def _shows_a_face(proxy: Srgb) -> bool:
    """Answer whether there is a skin-coloured oval of a portrait's size in the upper part, before whatever backdrop."""
    light, red, blue = cv2.split(cv2.cvtColor(reduced(proxy, WORK_PX), cv2.COLOR_RGB2YCrCb))
    skin = ((red > 140) & (red < 175) & (blue > 95) & (blue < 128) & (light > 60)).astype(np.uint8)
    whole = cv2.morphologyEx(cv2.morphologyEx(skin, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8)), cv2.MORPH_OPEN, np.ones((5, 5), np.uint8))
    _, _, stats, centres = cv2.connectedComponentsWithStats(whole, connectivity=8)
    width, height, area = (stats[1:, column].astype(np.float64) for column in (cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT, cv2.CC_STAT_AREA))
    share, slender, filled = area / skin.size, height / np.maximum(width, 1), area / np.maximum(width * height, 1)
    oval = (share > 0.01) & (share < 0.2) & (slender > 0.9) & (slender < 2.0) & (filled > 0.55)
    return bool((oval & (centres[1:, 1] < 0.6 * len(skin))).any())
