"""Reflection: a pane passes part of the scene's light and mirrors another scene into it.

    D = k (T C + R j),    linear light

j has edges of its own, but not those of C: regressing the detail of D on that of C gives k T all the same (`passage`), and what is left of D
is the mirrored light. Strength is its mean over that of the light which passed, in per cent, over pixels that are not clipped, as
`degrade.reflection` has it. Light cannot be taken away: see `added`.
"""

from __future__ import annotations

from filters.explain import added
from filters.explain.sides import Finding, Sides, luminance

CLIPPED = 0.9  # linear light from which a channel may be clipped
FEWEST = 0.02  # share of pixels below it, or all of them count


def explain(sides: Sides) -> Finding:
    """Return the mirrored light in per cent of what passed, and whether the clean side passes through an addition of light."""
    light = added.split(sides)
    fair = sides.coarse.clean.max(axis=2) < CLIPPED
    if fair.mean() < FEWEST:
        fair[:] = True
    passed = max(float(luminance(sides.coarse.clean)[fair].mean()), 1e-4)
    return Finding(max(100 * float(light.added[fair].mean()) / passed, 0.0), light.explained)
