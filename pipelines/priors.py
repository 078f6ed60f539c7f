"""The scene of a photo: depth, sky and segments, made once per photo and kept by content and maker.

Maps are small, belong to the whole upright photo and are stored as 16-bit integers, also before their first use, so
that a fresh map and a cached one are the same bits. A stand-in is computed where it is needed; a model is run for all
photos that need it before the first pair is rendered, in workers of its own.
"""

from __future__ import annotations

import contextlib
import functools
import json
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from degrade.contract import Assets, Srgb
from degrade.errors import BadSample, MissingModel, Reason
from degrade.scene import depth, mask_models, models, segments, sky
from degrade.scene.proxy import cut, proxy
from manifests import commit
from pipelines.crops import Crop
from pipelines.photos.indexed import Indexed
from pipelines.run import load

STEPS = 65535.0
FIELD_OF_VIEW_RAD = 1.1  # of a photo's long side: about 63 degrees, a 28-35 mm lens
STAND_INS = {"geometric", "superpixels", "colour"}


class Prior(NamedTuple):
    """One map of a whole photo."""

    values: NDArray[np.uint16]
    horizon_frac: float
    maker: str  # a stand-in, or a model with its revision
    sha256: str


class Priors:
    """Priors of the photos of a run.

    Args:
        folder: the run folder; maps are kept in its `scene/`. None keeps nothing.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder / "scene" if folder else None
        self._recent: dict[tuple[str, str, str], Prior] = {}

    def assets(self, photo: Srgb, sha256: str, crop: Crop, makers: dict[str, str]) -> tuple[Assets, list[dict[str, str]]]:
        """Return what a render needs, cut to its crop, and the record of what was used.

        Raises:
            BadSample: the model died of this photo.
            MissingModel: the model has not been run on it.
        """
        maps: dict[str, Any] = {}
        used = []
        height, width = photo.shape[:2]
        box = (float(crop.x), float(crop.y), float(crop.crop_width), float(crop.crop_height))
        for kind, maker in sorted(makers.items()):
            prior = self._of(photo, sha256, kind, maker)
            whole = prior.values.astype(np.int32) if kind == "segments" else prior.values.astype(np.float32) / np.float32(STEPS)
            maps[kind] = cut(whole, box, (width, height))
            used.append({"kind": kind, "maker": prior.maker, "sha256": prior.sha256})
            if kind == "depth":
                maps["horizon_frac"] = (prior.horizon_frac * height - crop.y) / crop.crop_height
        maps["height_rad"] = FIELD_OF_VIEW_RAD * crop.crop_height / max(height, width)
        return Assets(**maps), used

    def _of(self, photo: Srgb, sha256: str, kind: str, maker: str) -> Prior:
        key = (sha256, kind, maker)
        if key not in self._recent:
            prior = self.stored(*key)
            if prior is None:
                if maker not in STAND_INS:
                    untold = f"the {kind} map of {maker} for {sha256[:12]} is not in {self._folder}: run `patina render` (once more, if the photo was away)"
                    raise self.given_up(key) or MissingModel(untold)
                prior = self.keep(key, *_stand_in(proxy(photo), kind), maker)
            if len(self._recent) > 8:  # maps are small, but a shard has many photos
                self._recent.clear()
            self._recent[key] = prior
        return self._recent[key]

    def forget(self) -> None:
        """Drop what is kept in memory; what is on disk stays."""
        self._recent.clear()

    def model(self, photo: Srgb, sha256: str, kind: str, maker: str) -> None:
        """Make and keep a map of a photo by a model; the horizon of a depth map is the stand-in's."""
        small, key = proxy(photo), (sha256, kind, maker)
        if kind == "segments":
            network = _segment_model(maker)
            self._recent[key] = self.keep(key, network.labels([small])[0], 0.5, network.maker)
        else:
            prior = _depth_model(maker).priors([small], [sky.sky(small)])[0]
            self._recent[key] = self.keep(key, prior.inverse, prior.horizon_frac, prior.maker)

    def path(self, sha256: str, kind: str, maker: str) -> Path | None:
        """Return where a map is kept, if it is."""
        name = f"{sha256}.{kind}.{commit.short_hash(maker)[:8]}.map"
        return self._folder / sha256[:2] / name if self._folder else None

    def stored(self, sha256: str, kind: str, maker: str) -> Prior | None:
        """Return a kept map; None when it has yet to be made (a damaged one is made again)."""
        path = self.path(sha256, kind, maker)
        if path is None:
            return None
        try:
            head, _, body = path.read_bytes().partition(b"\n")
            told = json.loads(head)
            values = np.frombuffer(body, "<u2").reshape(told["shape"])
            prior = Prior(values, float(told["horizon_frac"]), str(told["maker"]), str(told["sha256"]))
        except (FileNotFoundError, KeyError, TypeError, ValueError):
            return None
        return prior if _content_hash(prior.values, prior.horizon_frac) == prior.sha256 else None

    def give_up(self, key: tuple[str, str, str], reason: str, detail: str) -> None:
        """Remember that a model died of a photo: a head without a map, in the map's place. The next `patina render` tries again."""
        path = self.path(*key)
        if path is not None:
            _write(path, {"reason": reason, "detail": detail}, b"")

    def given_up(self, key: tuple[str, str, str]) -> BadSample | None:
        """Return why a photo has no map, if that was given up."""
        path = self.path(*key)
        try:
            told = json.loads(path.read_bytes().partition(b"\n")[0]) if path else {}
            return BadSample(Reason(told["reason"]), f"no {key[1]} map of it: {told['detail']}")
        except (FileNotFoundError, KeyError, TypeError, ValueError):
            return None

    def keep(self, key: tuple[str, str, str], values: NDArray[Any], horizon_frac: float, maker: str) -> Prior:
        """Store a map (float in [0, 1], or labels) and return it as it will be read back."""
        stored = values.astype(np.uint16) if values.dtype.kind in "iu" else np.rint(np.clip(values, 0, 1) * STEPS).astype(np.uint16)
        prior = Prior(stored, horizon_frac, maker, _content_hash(stored, horizon_frac))
        path = self.path(*key)
        if path is None:
            return prior
        head = {"shape": stored.shape, "horizon_frac": horizon_frac, "maker": maker, "sha256": prior.sha256}
        _write(path, head, np.ascontiguousarray(stored).astype("<u2").tobytes())
        return prior


@functools.cache
def _depth_model(maker: str) -> models.DepthModel:
    """Return a depth model, loaded once per process."""
    return models.DepthModel(maker)


@functools.cache
def _segment_model(maker: str) -> mask_models.SegmentModel:
    """Return a segment model, loaded once per process."""
    return mask_models.SegmentModel(maker)


def _write(path: Path, head: dict[str, Any], body: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}{commit.TEMPORARY}")
    with open(temporary, "xb") as file:  # a cache: whole or absent, but not worth an fsync
        file.write(json.dumps(head).encode() + b"\n" + body)
    temporary.rename(path)


def _content_hash(values: NDArray[np.uint16], horizon_frac: float) -> str:
    head = f"{values.shape} {horizon_frac!r} ".encode()
    return commit.sha256(head + np.ascontiguousarray(values).astype("<u2").tobytes())


def _stand_in(small: Srgb, kind: str) -> tuple[NDArray[Any], float]:
    """Make a map without weights."""
    if kind == "segments":
        return segments.superpixels(small), 0.5
    sky_map = sky.sky(small)
    if kind == "sky":
        return sky_map, 0.5
    prior = depth.geometric(small, sky_map)
    return prior.inverse, prior.horizon_frac


def photo_key(row: dict[str, Any]) -> str:
    """Return the name under which a photo's maps are kept; each frame of a clip is a photo of its own."""
    frame = row["photo_frame"]
    return str(row["photo_sha256"]) if frame is None else f"{row['photo_sha256']}-{frame}"


def check(task: dict[str, Any], _at: Callable[[str], None]) -> str:
    """Load a model where the work will be done; answer its full name, or stop with the command that gets it."""
    return _segment_model(task["maker"]).maker if task["kind"] == "segments" else _depth_model(task["maker"]).maker


def work(task: dict[str, Any], at: Callable[[str], None]) -> int:
    """Run a model over a task's photos; answer how many maps were made. The model stays loaded between tasks.

    A photo that cannot be opened any more is passed over: its pairs are refused for that when they are rendered.
    """
    run = load(Path(task["run"]))
    priors, rules = Priors(run.folder), run.recipe.index.decode
    made = 0
    for photo in task["photos"]:
        name = photo_key(photo)
        key = (name, task["kind"], task["maker"])
        if priors.stored(*key) is not None:
            continue
        if name in task["skip"]:
            priors.give_up(key, *task["skip"][name])
            continue
        at(name)
        with contextlib.suppress(BadSample):
            priors.model(Indexed.of(photo).opened(rules)[0].pixels, *key)
            made += 1
    return made
