"""Published settings of the web's chain, to draw from: numbers only, read in the settings files that their authors train with.

`real_esrgan` serves for more than its own network: the scripts of SeeSR (cswry/SeeSR, utils_data/make_paired_data.py) and of
DreamClear ("the same setting as SeeSR", tools/make_paired_data.py) hold the same numbers, and SUPIR's paper says it follows
them and differs only in growing the small picture back to full size, as every pair of ours is. None of them shrinks by
anything but 4; we draw the factor. They sharpen the clean side first; we leave it alone.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from degrade.upload.speckle import MID_PER_SCALE

Span = tuple[float, float]


class Order(NamedTuple):
    """What one pass may do."""

    blurs: float  # chance that it filters at all
    rings: float  # chance that the filter is a ringing low-pass instead of a blur
    sigma_px: Span
    exponent: Span  # of generalised Gaussians
    plateau: Span  # exponent of plateaus
    sizes: tuple[float, float, float]  # weights: larger, smaller, the same
    scale: Span
    disturbs: float  # chance of noise
    gaussian: float  # chance that it is Gaussian; else by photons
    gaussian_sigma: Span  # codes
    poisson_sigma: Span  # codes at middle grey
    grey: float
    quality: Span


class Preset(NamedTuple):
    """A published chain."""

    about: str
    orders: tuple[Order, ...]
    small: bool  # ends with a small picture, a quarter of the clean side as published
    rings: float  # chance that it rings at the end


def _codes(low: float, high: float) -> Span:
    """Return published Poisson scales as deviations, see `speckle`."""
    return low * MID_PER_SCALE, high * MID_PER_SCALE


REAL_ESRGAN_FIRST: Final = Order(
    1.0, 0.1, (0.2, 3.0), (0.5, 4.0), (1.0, 2.0), (0.2, 0.7, 0.1), (0.15, 1.5), 1.0, 0.5, (1.0, 30.0), _codes(0.05, 3.0), 0.4, (30, 95)
)
REAL_ESRGAN_SECOND: Final = Order(
    0.8, 0.1, (0.2, 1.5), (0.5, 4.0), (1.0, 2.0), (0.3, 0.4, 0.3), (0.3, 1.2), 1.0, 0.5, (1.0, 25.0), _codes(0.05, 2.5), 0.4, (30, 95)
)

PRESETS: Final = {
    "real_esrgan": Preset(
        "Real-ESRGAN x4plus; SeeSR, DreamClear and SUPIR train with the same numbers",
        (REAL_ESRGAN_FIRST, REAL_ESRGAN_SECOND),
        small=True,
        rings=0.8,
    ),
    "stablesr": Preset(
        "StableSR's milder Real-ESRGAN (v2-finetune_text_T_512.yaml)",
        (
            REAL_ESRGAN_FIRST._replace(
                sigma_px=(0.2, 1.5),
                exponent=(0.5, 2.0),
                plateau=(1.0, 1.5),
                scale=(0.3, 1.5),
                gaussian_sigma=(1.0, 15.0),
                poisson_sigma=_codes(0.05, 2.0),
                quality=(60, 95),
            ),
            REAL_ESRGAN_SECOND._replace(
                blurs=0.5,
                sigma_px=(0.2, 1.0),
                exponent=(0.5, 2.0),
                plateau=(1.0, 1.5),
                scale=(0.6, 1.2),
                gaussian_sigma=(1.0, 12.0),
                poisson_sigma=_codes(0.05, 1.0),
                quality=(60, 100),
            ),
        ),
        small=True,
        rings=0.8,
    ),
    "realrestorer": Preset(
        "RealRestorer's web augmentation: one light pass at the photo's own size",
        (Order(0.6, 0.0, (0.1, 1.2), (1.0, 1.0), (1.0, 1.0), (0.0, 1.0, 0.0), (0.5, 0.9), 0.5, 1.0, (1.0, 10.0), (1.0, 10.0), 0.0, (60, 95)),),
        small=False,
        rings=0.0,
    ),
}
