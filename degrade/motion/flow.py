"""Where things are between two frames: optical flow at a reduced size, carried to any time in between.

Flow is found both ways (dense inverse search, Kroeger et al., ECCV 2016) and kept as maps of half that size, no coarser than the
search itself is. A point's motion belongs to the frame it was found in;
at a time between, it has moved along itself, so the flow is splatted forward from both frames, weighted by how well the two
agree and by how well the colours match (softmax splatting, Niklaus and Liu, CVPR 2020): what disappears under a moving thing gives way
to it. The weights also tell which frame still shows what is seen at that time.
"""

from __future__ import annotations

import functools
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from degrade.contract import Map, Srgb

WORK_PX = 480  # long side at which motion is found
MAP_PX = 240  # long side of the maps of it
PATCH_STRIDE, DESCENTS, SMOOTHINGS = 5, 8, 1  # of the search: as exact as OpenCV's "medium" in a third of the time
AGREE_PX = 0.6  # px of the maps by which the two flows may differ
COLOURS = 12.0  # grey levels by which a point may change between frames
SMOOTH_PX = 0.8  # of the splatted flow
WIDE_PX = 9  # window from which a gap in the splatted flow is filled

Flow = NDArray[np.float32]  # hxwx2, x then y, px of the maps per frame


class Pair(NamedTuple):
    """The motion between two frames."""

    forward: Flow
    backward: Flow
    forward_trust: Map  # 0..1: whether a point of the first frame is found in the second
    backward_trust: Map


class Between(NamedTuple):
    """What moves at a time between two frames."""

    flow: Flow  # at the place where things are at that time
    later: Map  # 0..1: the share of the colour that the second frame has to give


def grey(frame: Srgb) -> NDArray[np.uint8]:
    """Return a frame at working size, hxw uint8."""
    return cv2.resize(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), size_at(frame.shape, WORK_PX), interpolation=cv2.INTER_AREA)


def size_at(shape: tuple[int, ...], long_side: int) -> tuple[int, int]:
    """Return (width, height) of a picture reduced to a long side, never enlarged but to 16 px."""
    scale = min(long_side / max(shape[:2]), 1.0)
    return max(round(shape[1] * scale), 16), max(round(shape[0] * scale), 16)


def seeker() -> cv2.DISOpticalFlow:
    """Return what finds motion; it holds buffers, so make one for each exposure."""
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    search.setPatchStride(PATCH_STRIDE)
    search.setGradientDescentIterations(DESCENTS)
    search.setVariationalRefinementIterations(SMOOTHINGS)
    return search


def pair(search: cv2.DISOpticalFlow, first: NDArray[np.uint8], second: NDArray[np.uint8]) -> Pair:
    """Return the motion between two frames of working size."""
    size = size_at(first.shape, MAP_PX)
    forward, backward = at_size(search.calc(first, second, None), size), at_size(search.calc(second, first, None), size)
    seen = cv2.resize(first, size, interpolation=cv2.INTER_AREA), cv2.resize(second, size, interpolation=cv2.INTER_AREA)
    return Pair(forward, backward, _trust(forward, backward, *seen), _trust(backward, forward, *seen[::-1]))


def at_size(flow: Flow, size: tuple[int, int]) -> Flow:
    """Return a flow for a picture of another (width, height), in its px."""
    height, width = flow.shape[:2]
    if (width, height) == size:
        return flow
    way = cv2.INTER_AREA if size[0] < width else cv2.INTER_LINEAR
    return cv2.multiply(cv2.resize(flow, size, interpolation=way), (size[0] / width, size[1] / height, 0, 0))


def speeds(flow: Flow) -> Map:
    """Return how fast each point is, px per frame."""
    return cv2.magnitude(*cv2.split(flow))


def fastest_px(motion: Pair) -> float:
    """Return the speed that one point in fifty exceeds, px of the maps per frame."""
    speed = speeds(motion.forward)
    return float(np.partition(speed.ravel(), int(0.98 * speed.size))[int(0.98 * speed.size)])


def at_time(motion: Pair, time: float) -> Between:
    """Return the motion at a time between two frames.

    Args:
        motion: of the pair.
        time: 0 at the first frame, 1 at the second.
    """
    height, width = motion.forward.shape[:2]
    total = np.zeros((height * width, 3), np.float64)
    _splat(motion.forward, motion.forward_trust, time, total, sign=1.0)
    _splat(motion.backward, motion.backward_trust, 1.0 - time, total, sign=-1.0)
    flow = _settled(total.reshape(height, width, 3).astype(np.float32))
    earlier_shows = _shown(motion.forward, flow, -time)
    later_shows = _shown(-motion.backward, flow, 1.0 - time)
    late = np.float32(time) * later_shows
    return Between(flow, np.asarray(late / (late + np.float32(1.0 - time) * earlier_shows + np.float32(1e-6)), np.float32))


def at_frame(before: Pair | None, after: Pair | None) -> Flow:
    """Return the motion in a frame, by the pair that it ends and the pair that it begins.

    Raises:
        ValueError: neither is given.
    """
    known = [(pair.forward, pair.forward_trust) for pair in (after,) if pair] + [(-pair.backward, pair.backward_trust) for pair in (before,) if pair]
    if not known:
        raise ValueError("a frame's motion needs the frame before it or the one after")
    sums = [np.dstack([weight, weight[..., None] * flow]) for flow, trust in known for weight in [trust + np.float32(1e-3)]]
    return _settled(sums[0] if len(sums) == 1 else sums[0] + sums[1])


def _settled(sums: NDArray[np.float32]) -> Flow:
    """Return flow from weights and weighted flow, HxWx3: smoothed a little, and from farther away where hardly anything is known."""
    near = cv2.GaussianBlur(sums, (5, 5), SMOOTH_PX)
    wide = cv2.blur(sums, (WIDE_PX, WIDE_PX))
    near += np.float32(0.01) * wide + np.float32(1e-4) * cv2.blur(wide, (4 * WIDE_PX + 1,) * 2)
    return np.ascontiguousarray(near[..., 1:] / (near[..., :1] + np.float32(1e-9)))


def _trust(there: Flow, back: Flow, first: NDArray[np.uint8], second: NDArray[np.uint8]) -> Map:
    """Return how surely a point is found again: both flows agree, and the colours match."""
    places = _grid(there) + there
    returned = cv2.remap(back, places, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE) + there
    seen = cv2.remap(second, places, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    change = cv2.absdiff(cv2.GaussianBlur(first, (3, 3), 0.7), cv2.GaussianBlur(seen, (3, 3), 0.7)).astype(np.float32)
    doubt = _squared(returned) / np.float32(AGREE_PX**2) + (change / np.float32(COLOURS)) ** 2
    return np.asarray(np.exp(-np.minimum(doubt, 12)), np.float32)


def _splat(flow: Flow, trust: Map, time: float, total: NDArray[np.float64], *, sign: float) -> None:
    """Add weights and weighted flow where points are after a time; what moves weighs more, for it is mostly in front."""
    height, width = trust.shape
    places = _grid(flow) + np.float32(time) * flow
    x, y = np.rint(places[..., 0]).astype(np.int32).ravel(), np.rint(places[..., 1]).astype(np.int32).ravel()
    inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    index = (y * width + x)[inside]
    weight = ((trust + np.float32(1e-3)) * (1 + np.float32(0.4) * speeds(flow))).ravel()[inside]
    total[:, 0] += np.bincount(index, weight, height * width)
    for axis in (0, 1):
        total[:, 1 + axis] += np.bincount(index, weight * (np.float32(sign) * flow[..., axis].ravel()[inside]), height * width)


def _shown(own: Flow, flow: Flow, time: float) -> Map:
    """Return whether a frame, `time` away, shows what is here now: its own motion there is the motion here."""
    places = _grid(flow) + np.float32(time) * flow
    there = cv2.remap(own, places, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    off = _squared(there - flow) / (np.float32(AGREE_PX**2) + np.float32(0.02) * _squared(flow))
    return np.asarray(np.exp(-np.minimum(off, 8)), np.float32)


def _squared(flow: Flow) -> Map:
    across, down = cv2.split(flow)
    return across * across + down * down


def _grid(flow: Flow) -> Flow:
    """Return `grid` for maps, which there are many of."""
    return _kept_grid(*flow.shape[:2])


@functools.lru_cache(maxsize=4)
def _kept_grid(height: int, width: int) -> Flow:
    return grid((height, width))


def grid(shape: tuple[int, ...]) -> Flow:
    """Return every pixel's own place, HxWx2: x, then y."""
    height, width = shape[:2]
    return np.dstack(np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)))
