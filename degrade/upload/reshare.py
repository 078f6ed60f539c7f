"""What the web does to the noise of a photo: shrinks and grows it with the photo, then codes it, so that grain becomes clumps.

The resizing acts on what the photo has more than its scene, and the scene keeps its detail: a clean side of the web
has been through such a resizing already, and pairs that ask a denoiser to undo a blur as well teach it to
sharpen grain (measured: the blur tail of the reference's noise costs 3.6 of the 4.0 dB that training on it loses).
The JPEG acts on all of it, blocks and grain together, as it must.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from degrade.coding.codecs import jpeg
from degrade.coding.resampling import GROW, SHRINK
from degrade.contract import Encoded, Srgb

STEPS: Final = 16.0  # fractions of a code in which noise is resized: whole codes would round to one side


class Reshare(NamedTuple):
    """How a noisy photo was posted again."""

    scale: float  # long side of the small copy, relative to the photo; 1 where it was not resized
    resampling: str  # both ways: a key of `resampling.SHRINK`
    quality: int  # of the JPEG


def reshared(photo: Srgb, scene: Srgb, reshare: Reshare) -> Encoded:
    """Return a noisy photo after its way through the web: HxWx3 uint8, and the JPEG that it came as.

    Args:
        photo: HxWx3 uint8, with noise.
        scene: the same without noise.
        reshare: the way.
    """
    if reshare.scale != 1.0:
        noise = cv2.addWeighted(photo, STEPS, scene, -STEPS, 0.0, dtype=cv2.CV_16S)
        photo = cv2.addWeighted(scene, 1.0, resized_noise(noise, reshare.scale, reshare.resampling), 1.0 / STEPS, 0.0, dtype=cv2.CV_8U)
    return jpeg(photo, reshare.quality, "4:2:0", "baseline")


def resized_noise(noise: NDArray[np.int16], scale: float, resampling: str) -> NDArray[np.int16]:
    """Return HxWx3 noise, fractions of a code, after shrinking to a scale and growing back."""
    height, width = noise.shape[:2]
    small = cv2.resize(noise, (max(1, round(width * scale)), max(1, round(height * scale))), interpolation=SHRINK[resampling])
    return cv2.resize(small, (width, height), interpolation=GROW[resampling])
