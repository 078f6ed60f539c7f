"""Rain: drops and their veil take part of the scene's light, and add their own.

    D = (1 - cover) (t C + (1 - t) A) + cover E        (Garg and Nayar, IJCV 2007)

Veil and drops take the clean side's detail alike, so strength is the optical depth of both together: the mean over places of -ln of the
share of detail that arrives (`passage.depth`). Streaks are bright and fine themselves, but they do not follow the scene, and drop out. How they look is
the business of models that were taught rain.
"""

from __future__ import annotations

from filters.explain import passage
from filters.explain.sides import Finding, Sides


def explain(sides: Sides) -> Finding:
    """Return the optical depth of rain and veil, and whether the clean side's detail shines through everywhere."""
    found = passage.passage(sides.coarse)
    return Finding(passage.depth(found), passage.explained(found))
