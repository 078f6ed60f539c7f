"""The filter `clean`: is the clean side of a pair, or a photo, worth learning from? All of it without a model.

The index asks the first questions of `cleanness` of every photo, in a few milliseconds. Here the same are asked again, of
the crop that became a pair or of the picture that an editor made, and more: what software leaves behind (`traces`). The
degraded side is measured too, by what a degradation moves, so that limits may ask whether it shows.

Left to models, because nothing that can be measured here is to be trusted with it: watermarks (`watermark`), writing that
lies over a picture rather than in it, and the smooth inventions of generative editors.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pydantic import Field

from degrade.contract import Srgb
from degrade.errors import BadSample, Reason
from filters import cleanness, detail, tones
from filters.contract import Filter, Item, Measure, Photo, Scores, Settings, Wants
from filters.traces import banding, framing, halos, surfaces

NAME, VERSION = "clean", 1
LEAST_PX = 32  # a smaller picture does not tell
DEGRADED = "degraded_"
ANYTHING = 1e9  # upper end of the range of a measure that has none

OF_BOTH = (
    Measure("sharpness", "1 - H", "0 smooth, 0.5 ideal edges", (0, 1)),
    Measure("noise_sigma", "levels", "standard deviation of the noise in luma", (0, 255)),
    Measure("jpeg_quality", "libjpeg quality", "lowest JPEG quality that shows; 100 where none does", (1, 100)),
    Measure("blockiness", "ratio", "steps on the 8x8 grid over steps beside it; 1 is none", (0, ANYTHING)),
    Measure("clipped_low", "share", "pixels that are black", (0, 1)),
    Measure("clipped_high", "share", "pixels with two channels or more at the top", (0, 1)),
    Measure("content", "bits", "tone per pixel; logos and pages have less than 1", (0, 8)),
    Measure("colourfulness", "levels", "spread of colours; 0 is grey", (0, 255)),
)
OF_CLEAN = (
    Measure("border", "share", "of height or width that a uniform border takes", (0, 1)),
    Measure("framed", "share", "of height or width that blurred or plain mounts, captions and bars of a screen take", (0, 1)),
    Measure("banding", "share", "of the smooth gradients that climb in steps", (0, 1)),
    Measure("gaps", "share", "of the levels in use that no pixel has: 0.5 at seven bits, 0.75 at six", (0, 1)),
    Measure("halo", "share", "overshoot on both sides of clear edges, of their height: sharpened from 0.07 on", (0, ANYTHING)),
    Measure("texture", "ratio", "roughness beside edges: 0.3 to 0.5 for photos, less where smoothing wiped it", (0, 1)),
    Measure("flat", "share", "pixels exactly as their neighbours, neither black nor white: drawings and screens", (0, 1)),
)
_INDEXED = cleanness.Limits()
LIMITS: Mapping[str, tuple[float, float]] = {  # what a clean side may be unless the recipe says otherwise: lowest, highest
    "sharpness": (_INDEXED.min_sharpness, 1.0),
    "noise_sigma": (0.0, _INDEXED.max_noise_sigma),
    "jpeg_quality": (_INDEXED.min_jpeg_quality, 100.0),
    "blockiness": (0.0, _INDEXED.max_blockiness),
    "clipped_low": (0.0, _INDEXED.max_black),
    "clipped_high": (0.0, _INDEXED.max_clipped),
    "content": (_INDEXED.min_content, 8.0),
    "border": (0.0, _INDEXED.max_border),
    "framed": (0.0, _INDEXED.max_border),
    "banding": (0.0, 0.3),
    "gaps": (0.0, 0.4),
    "halo": (0.0, 0.07),
    "texture": (0.27, 1.0),
    "flat": (0.0, 0.6),
}


class CleanSettings(Settings):
    """What may be set."""

    degraded: bool = Field(default=True, strict=True, description="whether the degraded side of a pair is measured as well")


class CleanScorer:
    """Measures pictures; `prepare` does all of it, since nothing here wants a batch.

    Args:
        settings: of the recipe.
    """

    def __init__(self, settings: CleanSettings) -> None:
        self.maker = f"{NAME}/{VERSION}"
        self._degraded = settings.degraded

    def prepare(self, item: Item) -> Scores:
        """Return the scores of a photo or a pair; raises BadSample for a picture with a side below 32 px."""
        if isinstance(item, Photo):
            return Scores(traces(item))
        numbers = traces(item.clean)
        if self._degraded:
            found = cleanness.measure(item.degraded.pixels, item.degraded.data)
            numbers |= {DEGRADED + one.name: found[one.name] for one in OF_BOTH}
        return Scores(numbers)

    def score(self, prepared: Sequence[Scores]) -> list[Scores]:
        """Return what was measured."""
        return list(prepared)


def traces(photo: Photo) -> dict[str, float]:
    """Return every measure of `OF_BOTH` and `OF_CLEAN` of a picture; raises BadSample for one with a side below 32 px."""
    pixels: Srgb = photo.pixels
    if min(pixels.shape[:2]) < LEAST_PX:
        raise BadSample(Reason.TOO_SMALL, f"{pixels.shape[1]}x{pixels.shape[0]} px; less than {LEAST_PX} do not tell whether a picture is clean")
    known = cleanness.measure(pixels, photo.data)
    found = {one.name: known[one.name] for one in (*OF_BOTH, *OF_CLEAN) if one.name in known}
    return found | {
        "framed": framing.framed(pixels),
        "banding": banding.banding(pixels),
        "gaps": banding.gaps(tones.sample(pixels)),
        "halo": halos.halo(pixels),
        "texture": surfaces.texture(pixels),
        "flat": surfaces.flat(detail.lines(pixels)),
    }


FILTER = Filter(
    name=NAME,
    version=VERSION,
    about="sharpness, noise, JPEG, clipping, borders, banding, halos and wiped texture of the clean side, without a model",
    settings=CleanSettings,
    open=lambda settings, _device: CleanScorer(settings),
    wants=lambda _settings: Wants(cpus=1.0, batch=8, deadline_s=60.0),
    measures=(*OF_BOTH, *OF_CLEAN, *(one._replace(name=DEGRADED + one.name, meaning=f"{one.meaning}; of the degraded side") for one in OF_BOTH)),
)
