"""What is seen in the pane: another photo, turned left to right as every mirror turns it, in its own light and focus.

The camera may look at any part of the mirrored scene; which part is regrown from a seed, so that a mixture that shows
nothing, or too much, can be tried again without another record.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from degrade import camera
from degrade.air import lamps
from degrade.air.airlight import LUMINANCE
from degrade.arrays import strips
from degrade.arrays.bands import Band
from degrade.contract import Linear, Srgb
from degrade.glass import focus, ghosts, illuminant
from degrade.glass.border import Curtain
from degrade.glass.focus import Focus
from degrade.glass.fresnel import Pane
from degrade.stream import field_rng

LAMPS = 0.3  # of all the light, the most that recovered highlights hold: else a lamp is mirrored, and nothing else
NIGHT = 0.1  # mean linear light at which a photo's highlights are about a third as much above white as lamps are


class Mirrored(NamedTuple):
    """The scene on the camera's side of the glass."""

    zoom: float  # how much less of its photo is seen than there is
    photo_k: float  # colour temperature of the light behind the glass, for which the camera balances
    partner_k: float  # and before it
    colour: float  # share of its photo's colourfulness that is left: photos are developed stronger than the world is
    lamp_gain: float  # how bright a clipped lamp really is at night, in display whites
    vignette: float  # by how much the mirrored light falls off towards the corners
    curtain: Curtain | None


class View(NamedTuple):
    """Which part of the photo is mirrored, where it falls, and to which side the pane is turned."""

    x_frac: float  # of the room that the zoom leaves
    y_frac: float
    side: int
    lit: Curtain | None  # None: all that is mirrored is in the light


def draw(seed: int, tried: int) -> View:
    """Return the view that belongs to a seed and the number of views that were tried before it.

    The first sees all of the mirrored scene, those after it less and less: the same energy on a part of the frame is
    seen where it was too thin, and leaves the rest alone where it was too much.
    """
    across, down, side, angle, turn, soft = field_rng(seed + tried).random(6).tolist()
    lit = Curtain(90.0 * int(4 * angle) + 16.0 * turn - 8.0, 0.07 * tried - 0.05, (0.2 + 0.4 * soft) / (1 + 0.2 * tried), 0.03) if tried else None
    return View(across, down, 1 if side < 0.5 else -1, lit)


def highlights(partner: Srgb, lamp_gain: float) -> float:
    """Return how many display whites a clipped pixel of a photo is taken for: lamps outshine a night, not a day.

    What many highlights share is less for each: their sum stays below `LAMPS` of all the light.
    """
    few = camera.to_linear(np.ascontiguousarray(partner[:: max(partner.shape[0] // 64, 1), :: max(partner.shape[1] // 64, 1)]))
    mean = float(np.dot(cv2.mean(few)[:3], LUMINANCE))
    wanted = (lamp_gain - 1.0) * math.exp(-mean / NIGHT)
    lifted = float(np.dot(cv2.mean(camera.recover_highlights(few, 2.0, lamps.KNEE) - few)[:3], LUMINANCE))  # by a gain of one more
    return 1.0 + wanted / (1.0 + wanted * lifted * (1.0 / LAMPS - 1.0) / max(mean, 1e-6))


def cut(partner: Srgb, view: View, zoom: float, shape: tuple[int, int]) -> Srgb:
    """Return the part of a photo that is mirrored, turned left to right, at the frame's rows and columns."""
    height, width = shape
    rows, columns = partner.shape[:2]
    scale = min(columns / width, rows / height) / zoom
    across, down = max(round(width * scale), 1), max(round(height * scale), 1)
    left, top = round(view.x_frac * (columns - across)), round(view.y_frac * (rows - down))
    part = cv2.flip(cv2.cvtColor(partner[top : top + down, left : left + across], cv2.COLOR_RGB2RGBA), 1)  # a third of the time of three channels
    if part.shape[:2] != shape:
        part = cv2.resize(part, (width, height), interpolation=cv2.INTER_LINEAR if scale <= 1 else cv2.INTER_AREA)
    return cv2.cvtColor(part, cv2.COLOR_RGBA2RGB)


def lamp_table(gain: float) -> NDArray[np.float32]:
    """Return the linear light of the 256 codes of a photo whose highlights are recovered."""
    codes = np.arange(256, dtype=np.uint8).reshape(1, 256, 1)
    return camera.recover_highlights(camera.to_linear(codes), gain, lamps.KNEE).reshape(1, 256)


class Seen:
    """The mirrored scene before the pane takes its share: its light and colours, its ghosts, its defocus.

    What is sharp is made a few rows at a time, as they are asked for; what is blurred, once, at a fraction of the size.
    """

    def __init__(self, shown: Srgb, side: int, pane: Pane, lens: Focus, scene: Mirrored, gain: float, focal_px: float) -> None:
        """Prepare the scene.

        Args:
            shown: from `cut`, HxWx3.
            side: of the view.
            pane: the glass.
            lens: where things are.
            scene: what is mirrored.
            gain: from `highlights`.
            focal_px: distance of the image plane in pixels of `shown`.
        """
        disc = focus.disc_px(lens, lens.mirrored_m, focal_px)
        self.step = min(focus.work_step(disc), max(min(shown.shape[:2]) // 16, 1))
        self._shown, self._table = shown, lamp_table(gain)
        self._matrix = (illuminant.cast(scene.photo_k, scene.partner_k) @ illuminant.muted(scene.colour)).astype(np.float32)
        self._ghosts, self._disc = ghosts.of(pane, side, lens.mirrored_m, focal_px / self.step), disc / self.step
        self._small = None if self.step == 1 else self._looked_at(strips.reduced(self._lit(shown), self.step))

    @property
    def reach_px(self) -> int:
        """How many rows above and below decide a row."""
        return 0 if self.step > 1 else ghosts.reach_px(self._ghosts) + math.ceil(self._disc)

    def rows(self, band: Band) -> Linear:
        """Return the rows that a band makes, full size."""
        if self._small is not None:
            return strips.enlarged(self._small, self.step, band.made, self._shown.shape[1])
        return self._looked_at(self._lit(self._shown[band.seen]))[band.kept]

    def typical(self) -> NDArray[np.float32]:
        """Return the light (3,) that most of the scene has: a mean that a few lamps do not rule."""
        few = np.ascontiguousarray(self._shown[::8, ::8])
        return np.asarray(np.sqrt(cv2.transform(self._lit(few), self._matrix).clip(0)).mean((0, 1)) ** 2)

    def _lit(self, shown: Srgb) -> Linear:
        return cv2.LUT(shown, self._table)

    def _looked_at(self, picture: Linear) -> Linear:
        cv2.transform(picture, self._matrix, dst=picture)
        cv2.threshold(picture, 0.0, 0.0, cv2.THRESH_TOZERO, dst=picture)  # colours that no display can show
        return focus.blurred(ghosts.add(picture, self._ghosts), self._disc)
