"""Drawing a chain as its preset publishes it, and dialling it to how much resolution is to be left.

Each number of a draft is a knob with three marks: harmless, as drawn, and the worst that the preset knows. One dial turns
all of them: 0 is harmless, 1 as drawn, 2 the worst. What was drawn relative to the rest stays so: a noisy draft is noisy
at every severity.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final, NamedTuple

from degrade.stream import pick
from degrade.upload.chain import Finish, Pass
from degrade.upload.kernels import Blur, Ringing
from degrade.upload.presets import Order, Preset, Span
from degrade.upload.resolution import Toll, left, spread
from degrade.upload.speckle import Speckle

Roll = Callable[[], float]  # the next number in [0, 1)
Knob = tuple[float, float, float]  # harmless, as drawn, worst

MOST_ROLLS: Final = 48
SHAPES: Final = (  # share up to here, family, elongated, how the exponent is drawn
    (0.45, "gaussian", False, None),
    (0.70, "gaussian", True, None),
    (0.82, "gaussian", False, "exponent"),
    (0.85, "gaussian", True, "exponent"),
    (0.97, "plateau", False, "plateau"),
    (1.00, "plateau", True, "plateau"),
)
LARGE_PX: Final = 13  # side of a kernel from which a first ringing may cut lower
OPEN: Final[Knob] = (math.pi, math.pi, math.pi)
NOTHING: Final[Knob] = (0.0, 0.0, 0.0)
TRIES: Final = 24
MILDEST: Final = 0.82  # of the resolution: what a harmless chain leaves, about
WORST: Final = 0.25  # what one pass leaves at the other end of the dial, about
NEAR: Final = 0.15  # of a band: a chain that comes so near to its target is kept


class Limits(NamedTuple):
    """What a recipe leaves of every preset."""

    factor: Span
    scale: Span
    sigma_px: Span
    side_px: Span
    noise: Span
    quality: Span
    resampling: dict[str, float]
    grow: dict[str, float]


class Look(NamedTuple):
    """What a dial does not turn in a pass."""

    kernel: Blur | None
    rings_px: int  # side of a ringing kernel; 0 for none
    ratio: float  # of a blur's axes
    stretch: float  # width of the blur per sigma
    resampling: str
    speckle: Speckle | None


class Draft(NamedTuple):
    """A chain before it is dialled."""

    looks: tuple[Look, ...]
    knobs: tuple[tuple[Knob, Knob, Knob, Knob, Knob], ...]  # sigma, cutoff, scale, noise, quality
    factor: Knob
    cutoff: Knob
    finish: Finish


def cut(preset: Preset, allowed: Limits) -> Preset:
    """Return a preset with its numbers cut to what a recipe allows.

    Raises:
        ValueError: no kernel has a side that is allowed.
    """
    (narrow, wide), (least, most) = allowed.side_px, _halves(allowed.side_px)
    if narrow <= wide and least > most:
        raise ValueError(f"`side_px` = [{narrow}, {wide}] px holds no odd number, and kernels have odd sides: widen it by 1")
    orders = [
        order._replace(
            sigma_px=_cut(order.sigma_px, allowed.sigma_px),
            scale=_cut(order.scale, allowed.scale),
            gaussian_sigma=_cut(order.gaussian_sigma, allowed.noise),
            poisson_sigma=_cut(order.poisson_sigma, allowed.noise),
            quality=_cut(order.quality, allowed.quality),
        )
        for order in preset.orders
    ]
    return preset._replace(orders=tuple(orders))


def draft(preset: Preset, allowed: Limits, roll: Roll) -> Draft:
    """Draw a chain of a preset that was cut to what is allowed."""
    drawn = [_pass(order, allowed, roll) for order in preset.orders]
    most = allowed.factor[1] if preset.small else 1.0
    least = min(allowed.factor[0], most)
    rings = _side(allowed, roll) if roll() < preset.rings else 0
    ringing = Ringing(rings, math.pi) if rings else None
    return Draft(
        tuple(look for look, _ in drawn),
        tuple(knobs for _, knobs in drawn),
        (least, _between((least, most), roll()), most),
        (math.pi, _between((math.pi / 3, math.pi), roll()), math.pi / 3) if rings else OPEN,
        Finish(1.0, pick(allowed.resampling, roll()), ringing, roll() < 0.5, pick(allowed.grow, roll())),
    )


def _pass(order: Order, allowed: Limits, roll: Roll) -> tuple[Look, tuple[Knob, Knob, Knob, Knob, Knob]]:
    """Draw one pass: what stays, and its knobs."""
    kernel, rings_px, ratio, stretch = None, 0, 1.0, 0.0
    sigma, cutoff = NOTHING, OPEN
    if roll() < order.blurs:
        side = _side(allowed, roll)
        if roll() < order.rings:
            rings_px, lowest = side, math.pi / (5 if side >= LARGE_PX else 3)
            cutoff = math.pi, _between((lowest, math.pi), roll()), lowest
        else:
            sigma = _knob(order.sigma_px, roll)
            kernel, ratio, stretch = _blur(order, side, sigma, roll)
    speckle, noise = _speckle(order, roll)
    worst, best = order.quality
    quality = best, _between((worst, best), roll()), worst
    look = Look(kernel, rings_px, ratio, stretch, pick(allowed.resampling, roll()), speckle)
    return look, (sigma, cutoff, _scale(order, roll), noise, quality)


def _blur(order: Order, side: int, sigma: Knob, roll: Roll) -> tuple[Blur, float, float]:
    """Draw the shape of a blur; return it with its axes' ratio and its width per sigma."""
    share = roll()
    _, family, elongated, named = next(shape for shape in SHAPES if share < shape[0])
    exponent, ratio, angle = 1.0, 1.0, 0.0
    if named is not None and order.exponent[0] < order.exponent[1]:
        low, high = getattr(order, named)
        below = roll() < 0.5 and low < 1.0  # long tails as often as flat tops
        exponent = _between((low, 1.0) if below else (max(low, 1.0), high), roll())
    if elongated:
        ratio, angle = _between((sigma[0], sigma[1]), roll()) / sigma[1], 180.0 * roll()
    return Blur(family, side, 1.0, ratio, angle, exponent), ratio, spread(family, exponent) * math.sqrt(0.5 * (1.0 + ratio * ratio))


def _speckle(order: Order, roll: Roll) -> tuple[Speckle | None, Knob]:
    if roll() >= order.disturbs:
        return None, NOTHING
    gaussian = roll() < order.gaussian
    noise = _knob(order.gaussian_sigma if gaussian else order.poisson_sigma, roll)
    return Speckle("gaussian" if gaussian else "poisson", 0.0, roll() < order.grey, int(roll() * (1 << 53))), noise


def _scale(order: Order, roll: Roll) -> Knob:
    low, high = order.scale
    larger, smaller, same = order.sizes
    at = roll() * (larger + smaller + same)
    if at < smaller:
        top = min(high, 1.0)
        return (top, _between((low, top), roll()), low)
    scale = _between((max(low, 1.0), high), roll()) if at < smaller + larger and high > 1.0 else min(max(1.0, low), high)
    return scale, scale, scale


def settled(drawn: Draft, band: Span, roll: float) -> tuple[tuple[Pass, ...], Finish]:
    """Turn a draft's dial until the resolution that is left lies in a band; as near as it can be brought otherwise."""
    height = math.log(band[1] / band[0])
    target = math.log(band[0]) + height * (NEAR + (1.0 - 2.0 * NEAR) * roll)
    (least, mild), (most, hard) = (0.0, math.log(MILDEST) - target), (2.0, len(drawn.looks) * math.log(WORST) - target)
    dial = min(most * max(mild, 0.0) / (max(mild, 0.0) - hard), most)  # turned farther, it would leave the preset
    for attempt in range(TRIES):
        tolls, factor, cutoff = _at(drawn, dial)
        off = math.log(left(tolls, 1.0 / factor, cutoff, saved_last=drawn.finish.saved_last)) - target
        if abs(off) < NEAR * height:
            break
        if off > 0:
            least, mild = dial, off
        else:
            most, hard = dial, off
        share = mild / (mild - hard) if attempt % 3 != 1 and mild > 0 > hard else 0.5  # where a line crosses, now and then the middle
        dial = least + (most - least) * share
    return _passes(drawn, tolls), _finish(drawn.finish, factor, cutoff)


def _at(drawn: Draft, dial: float) -> tuple[list[Toll], float, float]:
    """Return the numbers of a draft with its dial set; written out, for it is most of what a draw costs."""
    side, turn = (0, dial) if dial <= 1.0 else (1, dial - 1.0)
    other = side + 1
    factor = drawn.factor[side] + (drawn.factor[other] - drawn.factor[side]) * turn
    cutoff = drawn.cutoff[side] + (drawn.cutoff[other] - drawn.cutoff[side]) * turn
    tolls = []
    divisors = (1.0,) * (len(drawn.looks) - 1) + (factor,)
    for look, (sigma, low_pass, scale, noise, quality), divisor in zip(drawn.looks, drawn.knobs, divisors, strict=True):
        tolls.append(
            Toll(
                (sigma[side] + (sigma[other] - sigma[side]) * turn) * look.stretch,
                low_pass[side] + (low_pass[other] - low_pass[side]) * turn,
                (scale[side] + (scale[other] - scale[side]) * turn) / divisor,
                noise[side] + (noise[other] - noise[side]) * turn,
                quality[side] + (quality[other] - quality[side]) * turn,
            )
        )
    return tolls, factor, cutoff


def _passes(drawn: Draft, tolls: list[Toll]) -> tuple[Pass, ...]:
    passes = []
    for look, toll in zip(drawn.looks, tolls, strict=True):
        kernel, speckle = look.kernel, look.speckle
        if kernel is not None:
            sigma = toll.width_px / look.stretch
            kernel = kernel._replace(sigma_px=sigma, across_px=sigma * look.ratio)
        if speckle is not None:
            speckle = speckle._replace(sigma=toll.sigma)
        ringing = Ringing(look.rings_px, toll.cutoff) if look.rings_px else None
        passes.append(Pass(kernel, ringing, toll.scale, look.resampling, speckle, round(toll.quality)))
    return tuple(passes)


def _finish(finish: Finish, factor: float, cutoff: float) -> Finish:
    ringing = None if finish.ringing is None else finish.ringing._replace(cutoff=cutoff)
    return finish._replace(scale=1.0 / factor, ringing=ringing)


def _side(allowed: Limits, roll: Roll) -> int:
    """Draw an odd side of a kernel."""
    low, high = _halves(allowed.side_px)
    return 2 * (low + int((high - low + 1) * roll())) + 1


def _halves(side_px: Span) -> tuple[int, int]:
    """Return n for the least and the largest side 2 n + 1 in an interval."""
    return math.ceil((side_px[0] - 1) / 2), math.floor((side_px[1] - 1) / 2)


def _knob(span: Span, roll: Roll) -> Knob:
    return span[0], _between(span, roll()), span[1]


def _cut(span: Span, allowed: Span) -> Span:
    """Return what two intervals share; the allowed end that is nearest where that is nothing."""
    return min(max(span[0], allowed[0]), allowed[1]), max(min(span[1], allowed[1]), allowed[0])


def _between(bounds: Span, roll: float) -> float:
    return bounds[0] + (bounds[1] - bounds[0]) * roll
