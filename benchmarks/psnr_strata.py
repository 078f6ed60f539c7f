"""`python -m benchmarks.psnr_strata [--draws 4] [--markdown FILE]`: PSNR to the clean side by degradation and severity, photo by photo.

Two claims are checked: the mean of a photo's draws falls from each stratum to the next, and stratum 1 is mild. A photo that a
degradation refuses (haze without distance, flare without a lamp) is counted apart. Reflections take the next photo as second scene.
"""

from __future__ import annotations

import argparse
import itertools
import os
import statistics
import sys
from pathlib import Path
from typing import NamedTuple

import cv2

import degrade
from degrade.errors import BadSample
from pipelines import crops, single
from pipelines.crops import Crop, CropRecipe
from pipelines.pair import psnr_db
from pipelines.single import Beside, Opened

STRATA = (1, 2, 3, 4, 5)
MILD_DB = 25.0  # stratum 1 shall be above it
DATA = Path(os.environ.get("PATINA_TEST_DATA", Path(__file__).resolve().parents[2] / "shared" / "data")) / "clean"


class Line(NamedTuple):
    """One degradation over all photos."""

    kind: str
    photos: int
    refused: int
    falling: float  # share of photos whose mean falls at every stratum
    mild: float  # share of photos whose mean at stratum 1 is above MILD_DB
    mild_draws: float  # share of single draws at stratum 1 above it
    medians: tuple[float, ...]  # dB over photos, by stratum
    not_falling: tuple[str, ...]
    not_mild: tuple[str, ...]


def measure(folder: Path, kinds: list[str], size: int, draws: int) -> list[Line]:
    """Degrade every photo of a folder; answer a line per degradation.

    Args:
        folder: photos.
        kinds: degradations.
        size: px of the central crop.
        draws: seeds per photo and stratum.
    """
    opened = dict(_openable(folder))
    partners = dict(zip(opened, [*list(opened.values())[1:], *list(opened.values())[:1]], strict=True))
    return [_line(kind, {name: _photo(kind, photo, partners[name], size, draws) for name, photo in opened.items()}) for kind in kinds]


def _openable(folder: Path) -> list[tuple[str, Opened]]:
    found = []
    for path in sorted(path for path in folder.iterdir() if path.is_file()):
        try:
            found.append((path.stem, single.open_photo(path)))
        except BadSample as error:
            print(f"{path.name} is left out: {error.reason}: {error.detail}", file=sys.stderr)
    return found


def _photo(kind: str, photo: Opened, partner: Opened, size: int, draws: int) -> list[list[float]] | None:
    """Return the PSNR of every draw, by stratum; None where the photo does not suit."""
    crop: Crop = crops.filling(CropRecipe(max_upscale=4.0), photo.photo.width, photo.photo.height, size, size)
    told = []
    for stratum in STRATA:
        reached = []
        for seed in range(draws):
            try:
                tried = single.try_one(photo, kind, stratum, seed, crop, Beside(partner=partner))
            except BadSample:
                return None
            reached.append(psnr_db(tried.clean, tried.degraded.pixels))
        told.append(reached)
    return told


def _line(kind: str, told: dict[str, list[list[float]] | None]) -> Line:
    suited = {name: one for name, one in told.items() if one is not None}
    means = {name: [statistics.fmean(reached) for reached in one] for name, one in suited.items()}
    rising = tuple(name for name, one in means.items() if any(after >= before for before, after in itertools.pairwise(one)))
    harsh = tuple(name for name, one in means.items() if one[0] <= MILD_DB)
    first = [reached for one in suited.values() for reached in one[0]]
    return Line(
        kind,
        len(suited),
        len(told) - len(suited),
        1 - len(rising) / len(suited),
        1 - len(harsh) / len(suited),
        sum(reached > MILD_DB for reached in first) / len(first),
        tuple(statistics.median(one[at] for one in means.values()) for at in range(len(STRATA))),
        rising,
        harsh,
    )


def table(lines: list[Line]) -> str:
    """Return the lines for people, as Markdown."""
    medians = [f"dB at {stratum}" for stratum in STRATA]
    head = ["degradation", "photos", "refused", "PSNR falls", "1 above 25 dB", "single draws", *medians, "not falling; not mild"]
    rows = [head, ["---", *["---:"] * (len(head) - 2), "---"]]
    for line in lines:
        shares = [f"{100 * share:.0f} %" for share in (line.falling, line.mild, line.mild_draws)]
        names = "; ".join(", ".join(group) or "none" for group in (line.not_falling, line.not_mild))
        rows.append([line.kind, str(line.photos), str(line.refused), *shares, *(f"{median:.1f}" for median in line.medians), names])
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.psnr_strata", description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--photos", type=Path, default=DATA, help="a folder of photos")
    parser.add_argument("--kind", choices=degrade.NAMES, action="append", help="only this one; may be repeated")
    parser.add_argument("--size", type=int, default=512, help="px of the crop")
    parser.add_argument("--draws", type=int, default=4, help="seeds per photo and stratum")
    parser.add_argument("--markdown", type=Path, help="write the table here too")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    text = table(measure(options.photos, options.kind or list(degrade.NAMES), options.size, options.draws))
    print(text)
    if options.markdown:
        options.markdown.write_text(text + "\n")


if __name__ == "__main__":
    main()
