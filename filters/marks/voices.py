"""Two opinions on one watermark: the classifier's, which errs on writing in a scene, and CLIP's, which errs on small marks."""

from __future__ import annotations

import math
from collections.abc import Mapping

CLASSIFIER = ("watermark.clean", "watermark.photo")  # of a pair, of a photo
CLIP = "clip.tag.watermark"  # of the clean side of a pair, or of a photo
SURE = 1e-6  # no opinion counts as certain


def second_voice(numbers: Mapping[str, float]) -> float | None:
    """Return what the two make of it together, a probability; the one that spoke if only one did, None if neither.

    The mean of their log odds (logarithmic opinion pool: Genest and Zidek, Statistical Science 1986): an undecided second
    voice halves a claim, a contrary one takes it back, and neither can shout the other down.

    Args:
        numbers: by name, `scorer.measure`.
    """
    heard = [numbers[name] for name in (*CLASSIFIER, CLIP) if name in numbers]
    if not heard:
        return None
    odds = sum(math.log(max(p, SURE) / max(1 - p, SURE)) for p in heard) / len(heard)
    return 1 / (1 + math.exp(-odds))
