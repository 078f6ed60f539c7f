"""What the web did to a photo since it was taken: blurred, resized, disturbed and saved, once lightly or twice hard.

    x_i = JPEG(resize(x_i-1 * k_i) + n_i),  i = 1, 2;    y = grow(ringing(resize(x_2)))

the second-order degradation of Real-ESRGAN (Wang et al., ICCVW 2021) for strata 3 to 5, and the light pass of
RealRestorer's web augmentation for 1 and 2. We depart in four places. Every number is drawn for one picture, none for a
batch. The factor of super-resolution is drawn too, and the small picture is grown back, so that a pair has one size. Poisson
noise counts photons (`upload.speckle`). And a dial takes each draw towards harmless, or towards the worst that its
preset knows, until it leaves as much resolution as the stratum asks for: a published chain alone is almost always
severe. Widths are px of the picture at hand, as published: kernels, blocks and pixels of a file have no other size.

Severity is the resolution that is left, in per cent of the clean side's (`upload.resolution`).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, NamedTuple

import numpy as np
from pydantic import PrivateAttr, field_validator

from degrade.coding.resampling import SHRINK
from degrade.contract import Assets, Encoded, Facts, Generator, Interval, Ranges, Srgb, Stage, choice, interval
from degrade.keys import Weights, refuse_unknown_names
from degrade.stream import pick
from degrade.upload import chain, resolution
from degrade.upload.draft import MOST_ROLLS, Limits, cut, draft, settled
from degrade.upload.presets import PRESETS, Preset

STRATA: Final = (90.0, 68.0, 48.0, 32.0, 20.0, 7.0)
LIGHT: Final = 2  # strata up to here take the light presets
GROW: Final = ("linear", "cubic", "lanczos")
KNOWN: Final[dict[str, Iterable[str]]] = {"light": PRESETS, "heavy": PRESETS, "resampling": SHRINK, "grow": GROW}


class WebRanges(Ranges):
    """What may vary; the numbers of a preset are cut to these intervals."""

    light: Weights[str] = choice({"realrestorer": 1.0}, "presets of strata 1 and 2: " + "; ".join(f"{name}: {one.about}" for name, one in PRESETS.items()))
    heavy: Weights[str] = choice({"real_esrgan": 0.6, "stablesr": 0.4}, "presets of strata 3 to 5")
    factor: Interval = interval(1.0, 4.0, "times", "how much smaller the picture is that super-resolution begins with", (1.0, 8.0))
    scale: Interval = interval(0.15, 1.5, "of what comes in", "long side after a pass", (0.05, 2.0))
    sigma_px: Interval = interval(0.1, 3.0, "px", "width of a blur", (0.05, 8.0))
    side_px: Interval = interval(7, 21, "px", "side of a kernel, odd", (3, 41))
    noise: Interval = interval(0.5, 34.0, "8-bit codes", "deviation of the noise at middle grey", (0.1, 100.0))
    quality: Interval = interval(30, 100, "quality", "of JPEG", (1, 100))
    resampling: Weights[str] = choice({"area": 1.0, "linear": 1.0, "cubic": 1.0}, "how pictures are resized on the way")
    grow: Weights[str] = choice({"cubic": 0.6, "linear": 0.25, "lanczos": 0.15}, "how the small picture is brought back to the clean side's size")
    _limits: Limits = PrivateAttr()
    _presets: dict[str, Preset] = PrivateAttr()

    @field_validator("light", "heavy", "resampling", "grow")
    @classmethod
    def _known_names(cls, weights: dict[str, float], info: Any) -> dict[str, float]:
        return refuse_unknown_names(weights, KNOWN[info.field_name])

    def model_post_init(self, _: Any) -> None:
        """Cut the presets to these ranges, once for all draws."""
        self._limits = Limits(*(getattr(self, name) for name in Limits._fields))
        self._presets = {name: cut(preset, self._limits) for name, preset in PRESETS.items()}

    def preset(self, stratum: int, roll: float) -> tuple[Preset, Limits]:
        """Return a preset for a stratum, and what else is allowed."""
        return self._presets[pick(self.light if stratum <= LIGHT else self.heavy, roll)], self._limits


class WebParams(NamedTuple):
    """A drawn chain."""

    passes: tuple[chain.Pass, ...]
    finish: chain.Finish


def sample(rng: np.random.Generator, ranges: WebRanges, _facts: Facts, stratum: int) -> WebParams:
    """Draw a chain of a preset, and dial it to a severity in the stratum."""
    roll = iter(rng.random(MOST_ROLLS).tolist()).__next__
    drawn = draft(*ranges.preset(stratum, roll()), roll)
    return WebParams(*settled(drawn, (STRATA[stratum] / 100.0, STRATA[stratum - 1] / 100.0), roll()))


def render(picture: Srgb, params: WebParams, _: Assets) -> Encoded:
    """Return a picture after its chain, in its own size, and the JPEG where that is what one sees.

    Args:
        picture: HxWx3 uint8 sRGB, at least 64x64; left untouched.
        params: the chain.
    """
    return chain.run(picture, params.passes, params.finish)


def severity(params: WebParams) -> float:
    """Return the resolution that is left, per cent."""
    return 100.0 * resolution.left_by(params.passes, params.finish)


GENERATOR: Final = Generator(
    name="web",
    version=1,
    about="blurred, resized, disturbed and saved by the web: a light pass, or Real-ESRGAN's two",
    stage=Stage.TAIL,
    severity_name="resolution left",
    unit="%",
    strata=STRATA,
    ranges=WebRanges,
    params=WebParams,
    sample=sample,
    render=render,
    severity=severity,
)
