"""The photo of a display: its lattice on the picture, through a colour filter array, developed.

    site = x (1 + (1 - 0.75 x^4) m) + noise,  then demosaic, then the mean of zoom x zoom camera pixels

x is the picture's light at the photosite, softened as display, lens and photosite do, m the modulation of the lattice
that this site's colour sees. The screen's white lies near the clip of the photo, so lights keep less of the pattern; all
else is linear. Work goes band by band at the camera's own resolution.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from degrade import camera
from degrade.air import shot
from degrade.arrays.bands import bands
from degrade.contract import Linear, Map, Srgb
from degrade.raw import bayer
from degrade.screen import geometry, optics
from degrade.screen.layouts import CELL, LAYOUTS

REACH_PX = 8  # of softening and demosaicing, px of the finished photo
CODES = 16384.0  # of the screen's white: single sub-pixels are brighter
COLOUR_PX = 1.5  # reach of the camera's smoothing of colours, one sigma
LINEAR = (cv2.COLOR_BayerRGGB2RGB, cv2.COLOR_BayerGRBG2RGB, cv2.COLOR_BayerGBRG2RGB, cv2.COLOR_BayerBGGR2RGB)
WIDE = 0.25  # variance, px^2, up to which three weights are a Gaussian
BURNT = 0.75  # share of the pattern that is lost at the clip
MASK = CELL - 1
BITS = CELL.bit_length() - 1


class Screen(NamedTuple):
    """A display and the camera before it."""

    layout: str
    fill: float  # share of the panel that shines
    view: geometry.View
    soft_px: float  # blur of lens and anti-alias filter, camera px
    zoom: int  # camera px per px of the finished photo
    site: int  # of red in the mosaic, 0-3
    quad: bool  # four neighbours share a colour, and are rearranged to a Bayer mosaic
    denoise: float  # share of fine colour that the camera smooths away
    sharpening: float  # of its unsharp mask


class Seen(NamedTuple):
    """What the lattice comes to, worked out once per photo."""

    table: NDArray[np.float32]  # modulation by colour, row phase and column phase
    nodes: NDArray[np.float32]  # of the phase map
    places: NDArray[np.int32]  # 4xW: the colour of each site, as the table has it
    moves: NDArray[np.int32]  # 2x4xW: steps of phase to where a quad-Bayer site lies


def photograph(light: Linear, screen: Screen, contrast: float, noise_gain: float, noise_seed: int) -> Srgb:
    """Return the photo of a display that shows a picture, HxWx3.

    Args:
        light: HxWx3 linear light of the picture; clipped to [0, 1].
        screen: display and camera.
        contrast: RMS modulation of a grey in the finished photo; less where the lens does not see as much.
        noise_gain: variance of the shot noise per linear light.
        noise_seed: of its field.
    """
    height, width = light.shape[:2]
    if height % 2 or width % 2:
        light = cv2.copyMakeBorder(light, 0, height % 2, 0, width % 2, cv2.BORDER_REFLECT_101)
    zoom, size = screen.zoom, (light.shape[1] * screen.zoom, light.shape[0] * screen.zoom)
    plan = plan_of(screen, size, contrast)
    grain = shot.words(noise_seed, size[1], size[0])
    photo = np.empty(light.shape, np.uint8)
    for band in bands(light.shape[0], REACH_PX):
        sites = slice(zoom * band.first, zoom * band.last)
        mosaic = _mosaic(_sharp(light[band.seen], screen), screen.site)
        added = _added(mosaic, _modulation(plan, sites, size[0]), grain[sites], noise_gain)
        photo[band.made] = _developed(_demosaiced(mosaic, added, screen.site), screen)[band.kept]
    return np.ascontiguousarray(photo[:height, :width])


def plan_of(screen: Screen, size: tuple[int, int], contrast: float) -> Seen:
    """Work out what the lattice looks like to a camera of this size.

    Where the lens would see more than the contrast asked for, the screen's matte surface scatters the rest; nothing ever adds.
    """
    period = LAYOUTS[screen.layout]
    gradient = geometry.gradient(screen.view, size)
    waves = optics.seen(optics.shown(screen.layout, screen.fill), period, gradient, screen.soft_px)
    natural = optics.contrast(waves, period, gradient, optics.Camera(screen.zoom, screen.quad))
    ripple = optics.modulation(waves) * min(contrast / max(natural, 1e-9), 1.0)
    colours = np.array(bayer.colours(screen.site), np.int32).reshape(2, 2) << (2 * BITS)
    moves = np.zeros((2, 4, size[0]), np.int32)
    if screen.quad:
        steps = gradient * CELL / period
        across, down = np.tile(optics.QUAD, size[0] // 4 + 1)[None, : size[0]], np.array(optics.QUAD)[:, None]
        moves[:] = [np.rint(steps[axis, 0] * across + steps[axis, 1] * down) for axis in range(2)]
    return Seen(
        _padded(ripple),
        geometry.phases(screen.view, size, period, CELL),
        np.tile(colours, (2, size[0] // 2)),
        moves,
    )


def _padded(ripple: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return a table as long as `cv2.LUT` wants it for 16-bit places."""
    table = np.zeros((1, 1 << 16), np.float32)
    table[0, : ripple.size] = ripple.ravel()
    return table


def _sharp(part: Linear, screen: Screen) -> Linear:
    """Return the picture at the camera's resolution, softened by display pixel, lens and photosite.

    Linear enlargement softens too, by no optics: its variance, the mean of d (1 - d) over the places d between two pixels, is
    taken off, which may leave a filter that sharpens a little.
    """
    boxes = (screen.view.pitch_px**2 + optics.APERTURE**2) / 12  # variance of two boxes
    enlarging = (screen.zoom**2 - 1) / 6 if screen.zoom % 2 else (2 * screen.zoom**2 + 1) / 12
    variance = (screen.soft_px**2 + boxes - enlarging) / screen.zoom**2
    part = cv2.threshold(part, 1.0, 0.0, cv2.THRESH_TRUNC)[1]
    if variance > WIDE:
        part = cv2.GaussianBlur(part, (0, 0), math.sqrt(variance), borderType=cv2.BORDER_REFLECT)
    else:
        taps = np.array([variance / 2, 1 - variance, variance / 2])
        part = cv2.threshold(cv2.sepFilter2D(part, -1, taps, taps, borderType=cv2.BORDER_REFLECT), 0.0, 0.0, cv2.THRESH_TOZERO)[1]
    if screen.zoom == 1:
        return part
    return cv2.resize(part, None, fx=screen.zoom, fy=screen.zoom, interpolation=cv2.INTER_LINEAR)


def _modulation(plan: Seen, sites: slice, width: int) -> Map:
    """Return the modulation at some rows of sites; the first is a multiple of eight."""
    start = geometry.STEP * (sites.start // geometry.STEP)
    across, down = (axis[sites.start - start :] for axis in geometry.rows(plan.nodes, slice(start, sites.stop), width))
    repeated = np.arange(sites.start, sites.stop) % 4
    across, down = across + plan.moves[0][repeated], down + plan.moves[1][repeated]
    index = ((down & MASK) << BITS) | (across & MASK) | plan.places[repeated]
    return cv2.LUT(index.astype(np.uint16), plan.table)


def _mosaic(picture: Linear, red: int) -> Map:
    """Return the light that reaches the sites of an array, HxW."""
    mosaic = np.empty(picture.shape[:2], np.float32)
    for site, channel in enumerate(bayer.colours(red)):
        mosaic[site // 2 :: 2, site % 2 :: 2] = picture[site // 2 :: 2, site % 2 :: 2, channel]
    return mosaic


def _added(mosaic: Map, modulation: Map, drawn: NDArray[np.uint8], noise_gain: float) -> Map:
    """Return what lattice and photons add to the light at each site."""
    square = cv2.multiply(mosaic, mosaic)
    kept = cv2.add(cv2.multiply(square, square, scale=-BURNT), 1.0)
    added = cv2.multiply(cv2.multiply(mosaic, modulation), kept)
    noise = cv2.LUT(drawn, shot.quantiles() * np.float32(math.sqrt(noise_gain)))
    light = cv2.threshold(cv2.add(mosaic, added), 0.0, 0.0, cv2.THRESH_TOZERO)[1]
    cv2.accumulateProduct(cv2.sqrt(light, light), noise, added)
    return added


def _demosaiced(mosaic: Map, added: Map, red: int) -> Linear:
    """Return the light in all colours, HxWx3: the picture along its edges, what was added to it in straight lines.

    A lattice would mislead the choice between directions, towards the darker: linear interpolation keeps its brightness.
    """
    edge = 4  # keeps what demosaicing does at borders out of the photo, and the colours of the sites where they are
    read = cv2.addWeighted(mosaic, CODES, added, 0.0, 0.0, dtype=cv2.CV_16U)
    ripple = cv2.addWeighted(mosaic, 0.0, added, CODES, bayer.MIDDLE, dtype=cv2.CV_16U)
    read, ripple = (cv2.copyMakeBorder(codes, edge, edge, edge, edge, cv2.BORDER_REFLECT_101) for codes in (read, ripple))
    both = cv2.addWeighted(bayer.demosaic(read, red), 1.0, cv2.cvtColor(ripple, LINEAR[red]), 1.0, -bayer.MIDDLE, dtype=cv2.CV_32F)
    return both[edge:-edge, edge:-edge]


def _developed(light: Linear, screen: Screen) -> Srgb:
    """Return the finished photo of demosaiced light in codes."""
    height, width = (side // screen.zoom for side in light.shape[:2])
    light = cv2.resize(light, (width, height), interpolation=cv2.INTER_AREA) if screen.zoom > 1 else light
    smoothing = cv2.subtract(cv2.GaussianBlur(light, (0, 0), COLOUR_PX), light)
    colour = screen.denoise * (np.eye(3) - np.array(bayer.GREY))  # what is smoothed has no luma
    photo = camera.to_srgb(cv2.addWeighted(light, 1 / CODES, cv2.transform(smoothing, colour), 1 / CODES, 0.0))
    return cv2.addWeighted(photo, 1 + screen.sharpening, cv2.GaussianBlur(photo, (0, 0), 1.0), -screen.sharpening, 0.0)
