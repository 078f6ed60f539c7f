"""Sky without a network: what is smooth, joins the top of the photo and has a colour that skies have.

Growing a region from the top under a gradient threshold is Shen and Wang's idea (IJARS 2013). We depart from it: the
region, not a border per column, is grown, so that a tower may stand in it; a quadratic surface through its colours
(Gaussian sky models, e.g. Lalonde et al., IJCV 2010, reduced to what a proxy carries) then decides for each pixel, which
stops leaks into hazy hills and takes sky between branches; and colours that no sky has (foliage, wood, a dark thing that
is not bluish) are never grown into. It errs towards no sky: a wall that is blue, flat and fills the top fools it.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from degrade.contract import Map, Srgb
from degrade.scene.proxy import proxy as reduced

WORK_PX = 192  # long side at which regions are grown
STEPS = (1.2, 2.0, 3.0, 4.5, 6.5, 9.0)  # gradient thresholds, 8-bit codes per pixel
LEAST_FRAC = 0.008  # a smaller sky is none
LEAST_TOP = 0.29  # share of the top row that a sky holds
SURE_TOP = 0.5  # one that holds less must be brighter than the rest
DEEPEST_FRAC = (0.5, 0.68)  # where a sky that reaches the lower edge fades: black ground under a black sky
DARK = 0.2  # sRGB value below which colour says little
WARM_TOP, WARM_LOW = 0.33, 0.75  # (red - blue) / brightest allowed in the top row, and at most
NIGHT, LIT, UNLIT = 0.2, 0.75, 0.3  # sRGB values: of a night's sky at most, of a lamp at least, of the sky in its glow at most
GLOW_FRAC, GLOW_STEP = 0.2, 0.035  # long sides that the glow reaches, and how much it changes within three px
BESIDE_FRAC = 0.04  # long sides within which it need not be smooth: the edge of a sign
BORDER_FRAC = 0.03  # long sides within which colours decide what the mask is too coarse for
Mask = NDArray[np.bool_]
Picture = NDArray[np.float32]


def sky(proxy: Srgb) -> Map:
    """Return how much each pixel is sky, 0..1, at the size of the proxy.

    Args:
        proxy: hxwx3 uint8, the whole photo at low resolution (`degrade.scene.proxy.proxy`).
    """
    small = reduced(proxy, WORK_PX).astype(np.float32) / np.float32(255.0)
    region = _grown(small)
    if region is None:
        return np.zeros(proxy.shape[:2], np.float32)
    mask = _by_colour(small, region)
    if _reaches_the_lower_edge(mask) and small[len(mask) // 2 :][mask[len(mask) // 2 :]].mean() > DARK:
        return np.zeros(proxy.shape[:2], np.float32)  # asphalt, paper, a table: only at night do sky and ground look alike
    return _refined(mask, proxy)


def sky_frac(soft: Map) -> float:
    """Return the share of the photo that is sky."""
    return float(soft.mean())


def plausible(colours: Picture) -> Mask:
    """Return where an hxwx3 picture in 0..1 sRGB can be sky: not foliage, wood, or dark without being bluish.

    Sunsets are warm low in the picture only; warm colours at the top are walls and wood.
    """
    red, green, blue = colours[..., 0], colours[..., 1], colours[..., 2]
    top = _brightest(colours) + 0.04
    rows = np.linspace(0.0, 1.0, colours.shape[0], dtype=np.float32)[:, None]
    warm = (red - blue) / top < np.clip(WARM_TOP + 1.2 * rows, 0.0, WARM_LOW)
    foliage = ((green - np.maximum(red, blue)) / top > 0.09) | ((green > red) & ((green - blue) / top > 0.12))
    dusky = (blue >= red - 0.008) & (blue >= green - 0.008) & ((green >= 0.8 * red - 0.01) | (blue > 1.5 * red))
    return np.asarray(warm & ~foliage & (dusky | (top > 0.36)))


def _brightest(picture: Picture) -> Picture:
    """Return the greatest of the three channels; several times faster than numpy's maximum over a short axis."""
    first, second, third = cv2.split(picture)
    return cv2.max(first, cv2.max(second, third))


def _grown(small: Picture) -> Mask | None:
    """Return the flat region that hangs from the top, or None: the loosest threshold that does not yet leak."""
    smooth: Picture = cv2.GaussianBlur(small, (0, 0), 0.8)
    across, down = cv2.Sobel(smooth, cv2.CV_32F, 1, 0), cv2.Sobel(smooth, cv2.CV_32F, 0, 1)
    gradient = np.sqrt(_brightest(across * across + down * down)) * np.float32(255.0 / 8.0)
    possible = plausible(smooth)
    best: Mask | None = None
    for step in STEPS:
        region = _from_top((gradient < step) & possible)
        share = float(region.mean())
        if share < LEAST_FRAC or float(region[:2].mean()) < LEAST_TOP:
            continue
        if best is not None and _leaks(smooth, best, region):
            break
        best = region
    if best is not None and best[:2].mean() < SURE_TOP and smooth[best].mean() < 0.9 * smooth[~best].mean():
        return None
    return best


def _from_top(flat: Mask) -> Mask:
    opened = cv2.morphologyEx(flat.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(opened, connectivity=4)
    keep = np.zeros(count, bool)
    keep[np.unique(labels[:2])] = True
    keep[0] = False
    keep &= stats[:, cv2.CC_STAT_AREA] > 0.004 * flat.size
    return np.asarray(keep[labels])


def _leaks(smooth: Picture, before: Mask, after: Mask) -> bool:
    """Answer whether the gain of a looser threshold lies below the sky and looks unlike it."""
    gain = after & ~before
    if gain.mean() < 0.03:
        return False
    if smooth[gain].mean() < 0.6 * smooth[before].mean():  # skies grow brighter towards the horizon, land does not
        return True
    if before.mean() < 0.05:
        return False  # too little to know the sky's colours
    gain &= cv2.dilate(before.astype(np.uint8), np.ones((21, 21), np.uint8)).astype(bool)  # the surface is trusted no farther
    return bool(np.median(_distance(smooth, before)[gain]) > 3.0)


def _distance(colours: Picture, region: Mask) -> Picture:
    """Return how far each pixel's colour is from the sky's smooth colour surface, in its spreads."""
    height, width = region.shape
    y, x = np.mgrid[0:height, 0:width].astype(np.float32) / np.float32(max(height, width)) - np.float32(0.5)
    basis = np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], -1)
    inside = basis[region][::3], colours[region][::3]
    normal = inside[0].T @ inside[0] + 1e-2 * np.diag([0, 0, 0, 1, 1, 1]) * len(inside[0])
    surface = np.linalg.lstsq(normal, inside[0].T @ inside[1], rcond=None)[0].astype(np.float32)
    residual = _brightest(np.abs(colours - np.clip(basis @ surface, 0, 1)))
    brightness = float(colours[region].mean())
    spread = max(float(np.sqrt((residual[region] ** 2).mean())), 0.028 + 0.015 * brightness)
    return np.asarray(residual / np.float32(spread))


def _by_colour(small: Picture, region: Mask) -> Mask:
    """Return the region less what does not fit its colours, with the gaps between branches that do."""
    distance = _distance(small, region)
    lowest = int(np.flatnonzero(region.any(1)).max())
    dark = _brightest(small) < DARK  # at night the glow of a lamp on the sky may have any colour
    fits = (distance < 3.0) & (plausible(small) | dark)
    fits[lowest + 1 :] = False
    near = cv2.dilate(region.astype(np.uint8), np.ones((7, 7), np.uint8)).astype(bool)
    glowing = _beside_lamps(small, region)
    glowing[lowest + 1 :] = False
    cleaned = cv2.morphologyEx(((region & (distance < 4.0)) | (fits & near) | glowing).astype(np.uint8), cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    return np.asarray(cleaned.astype(bool))


def _beside_lamps(small: Picture, region: Mask) -> Mask:
    """Return what is sky of a night though a lamp's glow lies on it: dark, smooth, near a light, and near the region."""
    brightest = _brightest(small)
    if float(np.median(brightest[region])) > NIGHT:
        return np.zeros_like(region)
    smooth = cv2.morphologyEx(brightest, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)) < GLOW_STEP
    near = [cv2.dilate(where.astype(np.uint8), _disc(GLOW_FRAC * max(region.shape))).astype(bool) for where in (brightest > LIT, region)]
    beside = cv2.dilate(region.astype(np.uint8), _disc(BESIDE_FRAC * max(region.shape))).astype(bool)
    return np.asarray(near[0] & (brightest < UNLIT) & (beside | (near[1] & smooth)))


def _disc(radius: float) -> NDArray[np.uint8]:
    side = 2 * round(radius) + 1
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)).astype(np.uint8)


def _reaches_the_lower_edge(mask: Mask) -> bool:
    return bool(mask[-3:].mean() > 0.3)


def _refined(mask: Mask, proxy: Srgb) -> Map:
    """Return the mask, soft, on the proxy's own edges: near the border a pixel is as much sky as its colour says.

    Where it lies between the mean colours of the sky and of the land around it is how much of it is sky: twigs against the sky
    and sky between twigs, both finer than the mask.
    """
    size = (proxy.shape[1], proxy.shape[0])
    coarse: Map = cv2.resize(mask.astype(np.float32), size, interpolation=cv2.INTER_LINEAR)
    colours = proxy.astype(np.float32) / np.float32(255.0)
    side = (2 * round(BORDER_FRAC * max(size)) + 1,) * 2
    share = cv2.blur(coarse, side, borderType=cv2.BORDER_REPLICATE)
    of_sky = cv2.blur(cv2.multiply(colours, cv2.cvtColor(coarse, cv2.COLOR_GRAY2RGB)), side, borderType=cv2.BORDER_REPLICATE)
    of_land = cv2.subtract(cv2.blur(colours, side, borderType=cv2.BORDER_REPLICATE), of_sky)
    of_sky = of_sky / (share + np.float32(1e-4))[..., None]
    of_land = of_land / (np.float32(1.0001) - share)[..., None]
    apart = of_sky - of_land
    contrast = np.einsum("ijk,ijk->ij", apart, apart)
    along = np.einsum("ijk,ijk->ij", colours - of_land, apart) / np.maximum(contrast, np.float32(1e-4))
    soft = np.clip((along - np.float32(0.3)) / np.float32(0.5), 0, 1)
    trust = np.clip(contrast / np.float32(0.02), 0, 1) * np.clip(np.float32(8.0) * np.minimum(share - 0.04, 0.96 - share), 0, 1)
    soft = coarse + trust.astype(np.float32) * (soft - coarse)
    if _reaches_the_lower_edge(mask):
        rows = (np.arange(len(soft), dtype=np.float32) / np.float32(len(soft)))[:, None]
        soft *= np.clip((DEEPEST_FRAC[1] - rows) / (DEEPEST_FRAC[1] - DEEPEST_FRAC[0]), 0, 1)
    return np.asarray(soft, np.float32)
