"""A thousand draws of each degradation over real photos, by the path of `patina degrade`: run with `-m slow -n 0 -s` to see the counts."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

import degrade
from degrade.contract import STRATA
from degrade.errors import BadSample, Reason
from degrade.stream import unit_draws
from pipelines import crops, single
from pipelines.crops import CropRecipe
from pipelines.single import Beside, Opened, Tried

DRAWS = 1000
SIZES = (512, 1024)
BANKS = {"flare": "flare", "haze": "smoke", "rain": "rain", "reflection": "dirt", "moire": "glass"}  # kind -> folder of data/textures
REASONS: dict[str, set[Reason]] = {
    "flare": {Reason.NO_LIGHT_SOURCE},
    "haze": {Reason.NO_FAR_PLANE},
    "rain": {Reason.NO_FAR_PLANE},
    "reflection": {Reason.NO_USABLE_MIXTURE},
}  # for which a photo may be refused; the other degradations suit every photo

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]


def cases(folder: Path) -> Iterator[tuple[Opened, Opened, int]]:
    """Yield (photo, second photo, number of the draw): all draws of a photo, then the next photo."""
    paths = sorted(folder.glob("*.jpg"))
    other = single.open_photo(paths[-1])
    for place, path in enumerate(paths):
        photo = single.open_photo(path)
        for number in range(place, DRAWS, len(paths)):
            yield photo, other, number // len(paths)
        other = photo


def tried(kind: str, photo: Opened, number: int, beside: Beside) -> Tried:
    """Degrade a crop of the photo, placed as the plan does it; sizes alternate and strata take turns."""
    recipe, known = CropRecipe(size=SIZES[number % len(SIZES)], max_upscale=4.0), photo.photo
    places = unit_draws(number, "draws", known.sha256), unit_draws(number, "more", known.sha256)
    crop = crops.draw(recipe, known.width, known.height, places[0][:3], known.detail_grid, lambda: places[1])
    return single.try_one(photo, kind, 1 + number % STRATA, number, crop, beside)


def told(kind: str, refused: Counter[str], level: dict[int, list[float]]) -> str:
    """Return a line of counts, and the PSNR of each stratum: 10, 50 and 90 % of its pairs are below."""
    spread = "  ".join(f"{stratum}: " + "/".join(f"{value:.1f}" for value in np.percentile(level[stratum], (10, 50, 90))) for stratum in sorted(level))
    return f"\n{kind}: {sum(map(len, level.values()))} pairs, refused {dict(refused)}; PSNR in dB  {spread}"


@pytest.mark.parametrize("kind", degrade.NAMES)
def test_a_thousand_draws_over_real_photos(kind: str, data: Path) -> None:
    """No draw fails, none is refused without a reason that its degradation has, and every pair is whole and differs."""
    bank = single.open_bank(str(data / "textures" / BANKS[kind])) if kind in BANKS else ()
    refused: Counter[str] = Counter()
    level: dict[int, list[float]] = defaultdict(list)
    for photo, other, number in cases(data / "clean"):
        try:
            made = tried(kind, photo, number, Beside(partner=other, bank=bank))
        except BadSample as bad:
            if bad.reason not in REASONS.get(kind, ()):
                raise
            refused[str(bad.reason)] += 1
            continue
        seen = made.degraded.pixels
        assert seen.shape == made.clean.shape == (SIZES[number % len(SIZES)],) * 2 + (3,)
        assert seen.dtype == made.clean.dtype == np.uint8
        assert not np.array_equal(seen, made.clean), f"{photo.photo.uri} {number}: unchanged"
        level[1 + number % STRATA].append(cv2.PSNR(made.clean, seen))
    print(told(kind, refused, level))
    medians = [float(np.median(level[stratum])) for stratum in range(1, STRATA + 1)]
    assert medians == sorted(medians, reverse=True)
    assert sum(map(len, level.values())) > 0.3 * DRAWS
