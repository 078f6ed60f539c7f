"""From vectors of pictures and of sayings to probabilities and margins: no network, float64 throughout.

A question has two sides, present and absent; each is the mean of its wordings' unit vectors, made a unit vector again. With x the
unit vector of a view and s the temperature that the network learned,

    logit = s x . (present - absent),   p = 1 / (1 + exp(-logit)),   margin = logit - largest logit of all other tasks

where p is the softmax between the two sides, and the difference of two questions' logits says which of them the view answers
more plainly. Views of one photo are pooled as logits, before p, which saturates.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from filters.language.prompts import Basis

Vectors = NDArray[np.float32]  # n x d, each of length 1
Numbers = NDArray[np.float64]


def unit(vectors: NDArray[np.floating]) -> Numbers:
    """Return vectors at length 1, along the last axis; a vector of zeros stays one."""
    wide = vectors.astype(np.float64)
    length = np.linalg.norm(wide, axis=-1, keepdims=True)
    scaled: Numbers = wide / np.maximum(length, 1e-12)
    return scaled


def contrast(present: Vectors, absent: Vectors) -> Numbers:
    """Return a question's direction, d values: the mean of its one side minus that of the other.

    Args:
        present: n x d, the vectors of the wordings of one side.
        absent: m x d, of the other.
    """
    sides = [unit(unit(side).mean(axis=0)) for side in (present, absent)]
    return sides[0] - sides[1]


def logits(views: Vectors, contrasts: Numbers, scale: float) -> Numbers:
    """Return how plainly each view answers each question: views x questions, 0 where both sides fit alike.

    Args:
        views: n x d, unit vectors.
        contrasts: q x d, from `contrast`.
        scale: the network's temperature, about 100.
    """
    # not `@`: BLAS sums in another order for another number of views
    return np.asarray(scale * np.einsum("nd,qd->nq", unit(views), contrasts))


def probability(logit: Numbers) -> Numbers:
    """Return the softmax between the two sides, 0..1."""
    odds: Numbers = np.exp(-np.abs(logit))  # of the less likely side: never overflows
    return np.where(logit < 0, odds, 1.0) / (1 + odds)


def margins(logit: Numbers) -> Numbers:
    """Return each question's logit less the largest of the others; a lone one keeps its logit: it stands against neither side.

    Args:
        logit: q values.
    """
    if len(logit) == 1:
        return logit
    first, second = np.sort(logit)[::-1][:2]
    best = np.arange(len(logit)) == np.argmax(logit)
    return np.where(best, logit - second, logit - first)


def pooled(frame: Numbers, tiles: Numbers, bases: Sequence[Basis]) -> Numbers:
    """Return one logit per question from those of the views in which it shows.

    Args:
        frame: q logits of the whole photo.
        tiles: t x q logits of its tiles; with none, the frame speaks for everything.
        bases: for each question, the views that count; of `both`, frame and the mean of tiles weigh the same.
    """
    if not len(tiles):
        return frame
    mean, most = tiles.mean(axis=0), tiles.max(axis=0)
    choices = {"frame": frame, "tiles": mean, "tiles_max": most, "both": (frame + mean) / 2}
    return np.array([choices[basis][at] for at, basis in enumerate(bases)])
