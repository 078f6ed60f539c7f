"""Photos as the web has them, made where the truth is known: half of a folder's photos, each strongly degraded in every way, and once not at all.

The truth lies in a folder of its own, which no verb of Patina is told of.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from benchmarks.train.names import by_stem
from degrade.contract import Encoded
from degrade.errors import BadSample, RunError
from degrade.stream import stream
from manifests import commit, png
from manifests.pictures import EXTENSIONS
from pipelines import crops
from pipelines.crops import Crop
from pipelines.single import Opened, open_photo, save, try_one

TASKS: Final = {"compression": (4, 5), "low_light": (3, 4), "noise": (5, 5)}  # how strong: the strata that take turns
GOOD: Final = "good"  # of a photo that is left as it is
SIDE_PX: Final = 512
SHRINK: Final = 3.0  # at most: smaller copies show less of what the camera itself left


def halves(folder: Path) -> tuple[list[Path], list[Path]]:
    """Return the photos of even number, to learn from, and those of odd number, for the web; raises RunError where two have one name."""
    paths = list(by_stem(sorted(path for path in folder.iterdir() if path.is_file())).values())
    return paths[0::2], paths[1::2]


def make(paths: Sequence[Path], folder: Path, truth: Path, seed: int = 1) -> int:
    """Write `NAME.TASK.png`, or the codec's own file, into a folder, and what it was before as `NAME.TASK.png` into another.

    Args:
        paths: photos.
        folder: for the photos of the web.
        truth: for the truth.
        seed: of every choice.

    Returns:
        How many there are now.

    Raises:
        RunError: two photos have one name, or none is large enough.
    """
    photos = by_stem(paths).values()
    folder.mkdir(parents=True, exist_ok=True)
    for path in photos:
        try:
            opened = open_photo(path)
        except BadSample as unusable:
            print(f"left out: {path.name}: {unusable}")
            continue
        if min(opened.pixels.shape[:2]) >= SIDE_PX:
            for number, task in enumerate((*TASKS, GOOD)):
                _one(opened, task, folder, truth, seed + number)
    count = len(list(folder.iterdir()))
    if not count:
        raise RunError(f"of {len(paths)} photos none can be read and has {SIDE_PX} px on its short side: give larger ones with --photos")
    return count


def _one(opened: Opened, task: str, folder: Path, truth: Path, seed: int) -> None:
    name = f"{Path(opened.photo.uri).stem}.{task}"
    crop = _crop(opened, name, seed)
    if task == GOOD:
        clean = crops.cut(opened.pixels, crop)
        degraded = Encoded(clean, None, None)
    else:
        rng = stream(seed, "web", name)
        strata = TASKS[task]
        tried = try_one(opened, task, strata[int(rng.integers(len(strata)))], seed, crop)
        clean, degraded = tried.clean, tried.degraded
    ending = EXTENSIONS[degraded.media_type] if degraded.data is not None and degraded.media_type is not None else "png"
    save(degraded, folder / f"{name}.{ending}")
    commit.write_bytes(truth / f"{name}.png", png.encode(clean))


def _crop(opened: Opened, name: str, seed: int) -> Crop:
    """Return a square of the photo, its place and scale drawn, at the size of a photo of the web."""
    height, width = opened.pixels.shape[:2]
    rng = stream(seed, "web crop", name)
    side = min(height, width, int(SIDE_PX * rng.uniform(1.5, SHRINK)))
    return Crop(int(rng.integers(0, width - side + 1)), int(rng.integers(0, height - side + 1)), side, side, SIDE_PX, SIDE_PX)
