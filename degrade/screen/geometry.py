"""Where on the display each camera pixel looks: a tilted plane behind a lens with radial distortion.

    undistorted u = x (1 + k1 |x|^2),  then the meeting of its ray with the display's plane

(Brown, 1966, one term, in half diagonals). The picture itself stays where it is: the display shows it so that it lands on the
clean side's grid, which is what a pair registered perfectly would be; only the lattice runs through the camera's geometry.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from degrade.screen.optics import Gradient

STEP = 8  # camera px between the nodes of the map: strongest tilt and lens bend a photo of 500 px by 1/50 display px between them
NEAREST = 0.7  # how near a ray may come to passing the display by (at 1 it runs along it): the map of nodes still follows it

Coordinates = NDArray[np.float64]  # ...x2: display column, display row


class View(NamedTuple):
    """How the camera stands before the display."""

    pitch_px: float  # camera px from one display column to the next, at the centre
    roll_deg: float  # of the display's columns, at the centre
    tilt_deg: float
    axis_deg: float  # direction of the axis that the display is tilted about
    field_deg: float  # field of view across the short side
    k1: float
    x_phase: float  # place of the display's cell at the centre, in cells
    y_phase: float


def looked_at(x: NDArray[np.float64], y: NDArray[np.float64], view: View, size: tuple[int, int]) -> Coordinates:
    """Return the display coordinates, in display pixels, that camera positions look at.

    Args:
        x: camera columns, px; broadcast with `y`.
        y: camera rows.
        view: of the display.
        size: (width, height) of the camera's picture.
    """
    return np.asarray(_plane(x, y, view, size) @ _turn(view, size).T) / view.pitch_px


def steepest_deg(field_deg: float, k1: float, size: tuple[int, int]) -> float:
    """Return the tilt up to which every ray meets the display well before the camera; beyond it, the far corners would be folded back.

    A ray that leaves the axis by u focal lengths meets a display tilted towards it where u tan(tilt) < 1.

    Args:
        field_deg: field of view across the short side.
        k1: of the lens.
        size: (width, height) of the camera's picture.
    """
    width, height = (side + 3 * STEP for side in size)  # as far as the nodes of the map
    corner = math.hypot(width, height) / math.hypot(*size)
    bent = 1 + max(k1, 0.0) * corner**2
    farthest = math.hypot(width, height) / min(size) * math.tan(math.radians(field_deg) / 2) * bent
    return math.degrees(math.atan(NEAREST / farthest))


def gradient(view: View, size: tuple[int, int]) -> Gradient:
    """Return how the display's coordinates change per camera px at the centre, 2x2."""
    middle = np.array([[size[0] - 1.0], [size[1] - 1.0]]) / 2
    ahead, behind = (np.asarray(middle + half * np.eye(2), np.float64) for half in (0.5, -0.5))  # columns: a px across, a px down
    return np.asarray((looked_at(ahead[0], ahead[1], view, size) - looked_at(behind[0], behind[1], view, size)).T)


def phases(view: View, size: tuple[int, int], period: int, steps: int) -> NDArray[np.float32]:
    """Return the phase within the display's cell at the nodes of a coarse map, in steps, never negative; hxwx2.

    `rows` reads them.

    Args:
        view: of the display.
        size: (width, height) of the camera's picture.
        period: display pixels across a cell.
        steps: of the phase across a cell.
    """
    cells = looked_at(_nodes(size[0])[None, :], _nodes(size[1])[:, None], view, size) / period + (view.x_phase, view.y_phase)
    whole = math.ceil(-float(cells.min())) + 1
    return np.asarray((cells + whole) * steps, np.float32)


def _nodes(side: int) -> NDArray[np.float64]:
    """Return the places of the nodes along a side, px; one more beyond each end."""
    return STEP * (np.arange(-(-side // STEP) + 2, dtype=np.float64) - 0.5) - 0.5


def enlarged(nodes: NDArray[np.float32], part: slice, width: int) -> NDArray[np.float32]:
    """Return the values of some rows of camera pixels, from those at the nodes of a coarse map.

    Args:
        nodes: every `STEP` px, the first at -(STEP + 1) / 2.
        part: rows; starts at a multiple of `STEP`.
        width: of the camera's picture.
    """
    first, last = part.start // STEP, -(-part.stop // STEP) + 2
    fine = cv2.resize(nodes[first:last], (nodes.shape[1] * STEP, (last - first) * STEP), interpolation=cv2.INTER_LINEAR)
    return fine[STEP : STEP + part.stop - part.start, STEP : STEP + width]


def rows(nodes: NDArray[np.float32], part: slice, width: int) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Return two phases at some rows of camera pixels, in whole steps; arguments as of `enlarged`, nodes hxwx2."""
    whole = enlarged(nodes, part, width).astype(np.int32)
    return whole[..., 0], whole[..., 1]


def _plane(x: NDArray[np.float64], y: NDArray[np.float64], view: View, size: tuple[int, int]) -> Coordinates:
    """Return where rays meet the tilted plane, in camera px as if it stood straight at the same distance."""
    centred_x, centred_y = x - (size[0] - 1) / 2, y - (size[1] - 1) / 2
    bent = 1 + view.k1 * (centred_x**2 + centred_y**2) / (0.25 * (size[0] ** 2 + size[1] ** 2))
    focal = 0.5 * min(size) / math.tan(math.radians(view.field_deg) / 2)
    tilt, axis = math.radians(view.tilt_deg), math.radians(view.axis_deg)
    along = (centred_x * math.cos(axis) + centred_y * math.sin(axis)) * bent
    beside = (centred_y * math.cos(axis) - centred_x * math.sin(axis)) * bent
    far = beside / (math.cos(tilt) - beside / focal * math.sin(tilt))
    near = along * (1 + far / focal * math.sin(tilt))
    return np.stack([near * math.cos(axis) - far * math.sin(axis), near * math.sin(axis) + far * math.cos(axis)], -1)


def _turn(view: View, size: tuple[int, int]) -> NDArray[np.float64]:
    """Return the similarity, 2x2, that gives the columns unit pitch and the roll as they are seen at the centre."""
    middle = np.array([[size[0] - 1.0], [size[1] - 1.0]]) / 2
    ahead, behind = (middle + half * np.eye(2) for half in (0.5, -0.5))
    change = _plane(ahead[0], ahead[1], view, size) - _plane(behind[0], behind[1], view, size)
    roll = math.radians(view.roll_deg)
    first = np.linalg.solve(change, [math.cos(roll), math.sin(roll)])
    return np.array([first, [-first[1], first[0]]])
