"""Ghosts: images of the iris, and of the light itself, that elements of the lens throw back and forth.

Two reflections put an image of the iris on the line from the light through the optical centre,

    place = centre + along (light - centre),

at -1 for the commonest pair, where the light's own sharp image lands too (BracketFlare, Dai et al., CVPR 2023). We depart from drawn
discs: a ghost is the very iris of the starburst, out of focus, brighter towards its rim and to one side, mottled by the dust it
was focused on, cut by the barrel of the lens, and its edge is coloured because glass bends blue more than red.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import cv2
import numpy as np

from degrade.arrays import fields
from degrade.contract import Linear, Map
from degrade.lens.aperture import Aperture, reach

TEMPLATE_PX = 104  # side at which ghosts are drawn; they are soft
FILL = 12 / 13  # of the template by the iris
MOTTLE = 0.12  # unevenness, one sigma

Point = tuple[float, float]  # px


class Ghost(NamedTuple):
    """One pair of reflecting surfaces."""

    along: float  # place on the line: 1 at the light, 0 at the optical centre, -1 opposite
    radius_frac: float
    weight: float  # share of the light that the reflections keep, relative
    colour: tuple[float, float, float]  # of the coating, the strongest channel 1
    softness: float  # width of the edge, radii
    rim: float  # how much brighter the rim is than the middle
    slope: float  # how much brighter the side away from the centre is, per radius
    bite: float  # radii by which the barrel's shadow lies to one side
    dispersion: float  # by how much blue is smaller than red, radii


class Mirror(NamedTuple):
    """The sharp image of the lights themselves, rotated by half a turn."""

    weight: float
    colour: tuple[float, float, float]
    blur_frac: float


class Iris(NamedTuple):
    """The outline that all ghosts of a lens share."""

    edge: Map  # TEMPLATE_PX square: 1 on the edge, less inside
    seed: int  # of the dust


def iris_of(aperture: Aperture) -> Iris:
    """Return the outline of an iris: the same for every ghost, so made once."""
    return Iris(reach(aperture, TEMPLATE_PX), aperture.seed)


def place(light: Point, centre: Point, along: float) -> Point:
    """Return where a ghost lies on the line through the optical centre."""
    return centre[0] + along * (light[0] - centre[0]), centre[1] + along * (light[1] - centre[1])


def draw(canvas: Linear, ghost: Ghost, iris: Iris, light: Point, centre: Point, energy: tuple[float, float, float], ceiling: float) -> None:
    """Add a ghost to a canvas, in place.

    Args:
        canvas: HxWx3 linear light.
        ghost: what to add.
        iris: whose image it is, of `iris_of`.
        light: where the light lies, px; may be outside.
        centre: of the lens, px.
        energy: sum over the ghost's pixels per weight, for each channel.
        ceiling: light that a ghost, however small, comes near to but does not pass: no element reflects a lamp.
    """
    radius = max(ghost.radius_frac * min(canvas.shape[:2]), 1.5)
    at = place(light, centre, ghost.along)
    direction = math.atan2(at[1] - centre[1], at[0] - centre[0])
    template = _template(ghost, iris, direction)
    strength = np.array(energy) * np.array(ghost.colour) * ghost.weight / (math.pi * radius**2)
    strength /= 1 + strength.max() / ceiling
    _add_scaled(canvas, cv2.multiply(template, (*strength.tolist(), 0.0)), at, 2 * radius / (TEMPLATE_PX * FILL))


def _template(ghost: Ghost, iris: Iris, direction: float) -> Linear:
    """Return a ghost of unit mean inside, TEMPLATE_PX square x 3."""
    edge = iris.edge
    half = (np.arange(TEMPLATE_PX, dtype=np.float32) - np.float32((TEMPLATE_PX - 1) / 2)) / np.float32(TEMPLATE_PX * FILL / 2)
    outwards = half[None] * np.float32(math.cos(direction)) + half[:, None] * np.float32(math.sin(direction))
    sideways = half[:, None] * np.float32(math.cos(direction)) - half[None] * np.float32(math.sin(direction))
    light: Map = np.clip(1 + np.float32(ghost.slope) * outwards, 0.05, None)
    mottle = fields.fractal(iris.seed + round(1e4 * ghost.radius_frac), TEMPLATE_PX, TEMPLATE_PX, TEMPLATE_PX / 6, octaves=3)
    light *= 1 + np.float32(MOTTLE) * mottle
    shadow = np.hypot(outwards + np.float32(ghost.bite), sideways)
    light *= _edge(shadow.astype(np.float32), 1.0, max(ghost.softness, 0.08))
    channels = []
    for index in range(3):
        size = 1 - ghost.softness - ghost.dispersion * index / 2
        rim = cv2.pow(cv2.min(edge * np.float32(1 / size), 1.0), 6.0)
        channels.append(light * (1 + np.float32(ghost.rim) * rim) * _edge(edge, size, ghost.softness))
    made = cv2.merge(channels)
    return made / np.float32(max(float(made[..., 1].mean()) * 4 / math.pi / FILL**2, 1e-3))


def _edge(distance: Map, size: float, softness: float) -> Map:
    """Return 1 inside a size and 0 outside, passing smoothly."""
    step = np.clip((np.float32(size + softness) - distance) / np.float32(2 * softness), 0, 1)
    return np.asarray(step * step * (3 - 2 * step), np.float32)


def _add_scaled(canvas: Linear, picture: Linear, centre: Point, scale: float) -> None:
    """Add a small picture to the canvas, scaled about its middle onto a point, in place."""
    across, down = scale * picture.shape[1] / 2, scale * picture.shape[0] / 2
    left, top = max(math.floor(centre[0] - across), 0), max(math.floor(centre[1] - down), 0)
    right, bottom = min(math.ceil(centre[0] + across) + 1, canvas.shape[1]), min(math.ceil(centre[1] + down) + 1, canvas.shape[0])
    if right <= left or bottom <= top:
        return
    offset = centre[0] - left - scale * (picture.shape[1] - 1) / 2, centre[1] - top - scale * (picture.shape[0] - 1) / 2
    matrix = np.array([[scale, 0, offset[0]], [0, scale, offset[1]]])
    canvas[top:bottom, left:right] += cv2.warpAffine(picture, matrix, (right - left, bottom - top), flags=cv2.INTER_LINEAR)


def mirrored(canvas: Linear, bright: Linear, corner: tuple[int, int], mirror: Mirror, centre: Point, energy: float) -> None:
    """Add a light's own image, rotated by half a turn about the optical centre, in place.

    Args:
        canvas: HxWx3 linear light.
        bright: hxwx3, what shines around the light, and nothing else.
        corner: where that piece lies on the canvas, left and top px.
        mirror: gain, colour and blur.
        centre: of the lens, px.
        energy: sum over the image's pixels per weight.
    """
    total = float(cv2.sumElems(bright)[1])
    if total <= 0.0:
        return
    sigma = mirror.blur_frac * min(canvas.shape[:2])
    border = math.ceil(3 * sigma) + 2
    image = cv2.copyMakeBorder(cv2.flip(bright, -1), border, border, border, border, cv2.BORDER_CONSTANT)
    image = cv2.GaussianBlur(image, (0, 0), sigma) if sigma > 0.3 else image
    strength = np.array(mirror.colour) * mirror.weight * energy / total
    middle = corner[0] + (bright.shape[1] - 1) / 2, corner[1] + (bright.shape[0] - 1) / 2
    _add_scaled(canvas, cv2.multiply(image, (*strength.tolist(), 0.0)), place(middle, centre, -1.0), 1.0)
