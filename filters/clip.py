"""CLIP: what a photo shows of the nine degradations, in words; whether a pair shows what it claims, and its clean side does not.

Each task is a question with two sides, a degraded saying and its antonym, both in several wordings (`language/prompts.py`). The photo
answers by where its vector lies between them, against the answers to all other tasks (`language/margins.py`); it is asked as a frame
and in tiles at its own pixels, because shrinking to 224 px hides noise, moire and blocks (`language/views.py`).

    p = softmax between the two sides,   margin = its logit less the largest of all other tasks,   gain = claim - clean claim

Antonyms: Wang et al., AAAI 2023 (CLIP-IQA); the six prompts that RealRestorer gated its real photos by are the preset `realrestorer`
(arXiv 2603.25502; it names no opposite, we hold them against "a photo"). The vectors are kept: of one scene they lie close, which
finds near-duplicates. Tags of the scene come from the same pass. The web tail is a mixture and makes no claim here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from degrade.keys import nearest
from filters.contract import Filter, Item, Measure, Pair, Scores, Settings, Wants
from filters.language import margins, views
from filters.language.prompts import BASIS, PRESETS, TAGS, TASKS, Sayings
from filters.open_clip_models import OpenClip

Saying = Annotated[str, Field(min_length=3, max_length=200)]  # networks read 77 tokens and pass over what follows
SHOWN = 0.5  # p from which a photo's other degradations are told in words


class Words(Settings):
    """A recipe's own sayings about a task."""

    degraded: tuple[Saying, ...] = Field(min_length=1)
    clean: tuple[Saying, ...] = Field(min_length=1)


class ClipSettings(Settings):
    """What a recipe may say about CLIP."""

    model: str = Field(default="vit_l_14", description="short name, hub id, either with @revision, MODEL:TAG of open_clip, or a folder")
    preset: Literal["antonyms", "realrestorer", "own"] = Field(default="antonyms", description="the sayings; `own`: only those of `prompts`")
    prompts: dict[str, Words] = Field(default_factory=dict, description="sayings by task, instead of the preset's")
    tiles: int = Field(default=5, ge=0, le=64, strict=True, description="views at the photo's own pixels; 0: the frame alone")
    pick: views.Pick = Field(default="spread", description="tiles: evenly spread, or the most detailed")
    tags: bool = Field(default=True, strict=True, description="whether the scene is tagged")
    least_tag: float = Field(default=0.6, ge=0, le=1, description="p from which a tag is told in words")
    batch: int = Field(default=16, ge=1, strict=True, description="photos or pairs at once")
    cpus: int = Field(default=4, ge=1, le=64, strict=True, description="threads that decode and cut views ahead of a GPU")

    @model_validator(mode="after")
    def _askable(self) -> ClipSettings:
        for task in self.prompts:
            if task not in TASKS:
                raise ValueError(f"unknown task `{task}` in `prompts`; {nearest(task, TASKS)}")
        if self.preset == "own" and not self.prompts:
            raise ValueError("preset `own` has no sayings: write some into `prompts`, or choose `antonyms`")
        return self

    def sayings(self) -> dict[str, Sayings]:
        """Return the sayings by task, in the catalogue's order."""
        said = {**PRESETS[self.preset], **{task: Sayings(words.degraded, words.clean) for task, words in self.prompts.items()}}
        return {task: said[task] for task in TASKS if task in said}


class Seen(NamedTuple):
    """The views of one item: of a pair, the clean side's first."""

    task: str  # what a pair claims, or what a photo was gathered for; "" if nothing
    sides: tuple[NDArray[np.uint8], ...]  # each n x height x width x 3: the frame, then the tiles


class Side(NamedTuple):
    """What one side answered."""

    vector: NDArray[np.float32]  # of the frame
    told: dict[str, float]  # logits by task, of the views that count for it
    margin: dict[str, float]
    frame: dict[str, float]  # logits
    mean: dict[str, float]  # of the tiles; empty where there are none
    most: dict[str, float]
    tags: dict[str, float]  # p

    @property
    def best(self) -> str:
        """The task that shows most plainly."""
        return max(self.told, key=lambda task: self.told[task])


class Clip:
    """An opened scorer; its numbers do not depend on the batch, to 1e-4 in p (on a GPU, in bfloat16, to 1e-3)."""

    def __init__(self, settings: ClipSettings, device: str | None = None) -> None:
        self._settings = settings
        self._network = OpenClip(settings.model, device)
        self.maker = self._network.maker
        sayings = settings.sayings()
        self._tasks, self._tags = tuple(sayings), tuple(TAGS) if settings.tags else ()
        self._contrasts = _contrasts(self._network, [*sayings.values(), *(TAGS[tag] for tag in self._tags)])

    def prepare(self, item: Item) -> Seen:
        """Return the views of a photo or pair; tiles stand at the same places on both sides, chosen on the clean one."""
        photos = (item.clean, item.degraded) if isinstance(item, Pair) else (item,)
        sight = self._network.sight
        places = views.places(photos[0].pixels, self._settings.tiles, self._settings.pick, sight) if self._settings.tiles else []
        # stacked, which copies: a tile that pointed into its photo would keep all of it in memory until its turn
        sides = tuple(np.stack([views.frame(photo.pixels, sight), *views.tiles(photo.pixels, places, sight)]) for photo in photos)
        return Seen(item.task, sides)

    def score(self, prepared: Sequence[Any]) -> list[Scores]:
        """Return the scores of photos and pairs in their order, from one pass over all their views."""
        seen: Sequence[Seen] = prepared
        flat = [side for one in seen for side in one.sides]
        vectors = self._network.views([view for side in flat for view in side])
        cuts = np.cumsum([len(side) for side in flat])[:-1]
        answers = iter([self._side(part) for part in np.split(vectors, cuts)])
        return [_scores(one.task, [next(answers) for _ in one.sides], self._settings.least_tag) for one in seen]

    def _side(self, vectors: margins.Vectors) -> Side:
        """Return what the views of one side answer."""
        logits = margins.logits(vectors, self._contrasts, self._network.scale)
        asked, tagged = logits[:, : len(self._tasks)], logits[0, len(self._tasks) :]
        frame, tiles = asked[0], asked[1:]
        told = margins.pooled(frame, tiles, [BASIS[task] for task in self._tasks])
        return Side(
            vector=vectors[0],
            told=self._by_task(told),
            margin=self._by_task(margins.margins(told)),
            frame=self._by_task(frame),
            mean=self._by_task(tiles.mean(axis=0)) if len(tiles) else {},
            most=self._by_task(tiles.max(axis=0)) if len(tiles) else {},
            tags=dict(zip(self._tags, margins.probability(tagged).tolist(), strict=True)),
        )

    def _by_task(self, values: margins.Numbers) -> dict[str, float]:
        return dict(zip(self._tasks, values.tolist(), strict=True))


def _contrasts(network: OpenClip, sayings: Sequence[Sayings]) -> margins.Numbers:
    """Return the direction of each question, from one reading of all sayings."""
    sides = [side for one in sayings for side in one]
    vectors = np.split(network.words([saying for side in sides for saying in side]), np.cumsum([len(side) for side in sides])[:-1])
    return np.stack([margins.contrast(present, absent) for present, absent in zip(vectors[::2], vectors[1::2], strict=True)])


def _scores(task: str, sides: Sequence[Side], least_tag: float) -> Scores:
    """Return what is stored: of a pair its claim, of a photo all tasks; of both the scene."""
    scene = sides[0]
    numbers, texts = _of_photo(task, scene) if len(sides) == 1 else _of_pair(task, scene, sides[1])
    vectors = {"image": scene.vector} if len(sides) == 1 else {"image": scene.vector, "degraded": sides[1].vector}
    numbers |= {f"tag.{tag}": p for tag, p in scene.tags.items()}
    if scene.tags:
        texts["tags"] = ",".join(tag for tag, p in scene.tags.items() if p >= least_tag)
    return Scores(numbers, vectors, texts)


def _of_photo(task: str, side: Side) -> tuple[dict[str, float], dict[str, str]]:
    """Return p and margin of every task, its views apart, and the tasks in words."""
    p = _p(side.told)
    told = {"p": p, "margin": side.margin, "frame": _p(side.frame), "tiles": _p(side.mean), "tiles_max": _p(side.most)}
    numbers = {f"{measure}.{about}": float(value) for measure, values in told.items() for about, value in values.items()}
    if task in p:
        numbers |= {"claim": p[task], "claim_margin": side.margin[task]}
    others = sorted((other for other in p if other != side.best and p[other] >= SHOWN), key=lambda other: -p[other])
    return numbers, {"task": side.best, "others": ",".join(f"{other}={p[other]:.2f}" for other in others)}


def _of_pair(task: str, clean: Side, degraded: Side) -> tuple[dict[str, float], dict[str, str]]:
    """Return what a pair shows of its own task, on either side; a task without a saying has no claim."""
    shown, left = _p(degraded.told), _p(clean.told)
    numbers = {"clean_worst": left[clean.best], "likeness": float(np.clip(np.dot(clean.vector, degraded.vector), -1, 1))}
    if task in shown:
        numbers |= {"claim": shown[task], "claim_margin": float(degraded.margin[task]), "clean_claim": left[task], "gain": shown[task] - left[task]}
    return numbers, {"task": degraded.best, "clean_task": clean.best}


def _p(logits: Mapping[str, float]) -> dict[str, float]:
    return dict(zip(logits, margins.probability(np.array(list(logits.values()))).tolist(), strict=True))


_P, _LOGITS = (0.0, 1.0), (-200.0, 200.0)
FILTER = Filter(
    name="clip",
    version=1,
    about="what a photo shows of the nine degradations, by CLIP's antonyms: gates real photos, checks a pair's claim, tags the scene",
    settings=ClipSettings,
    pace=("batch", "cpus"),
    open=Clip,
    wants=lambda settings: Wants(cpus=settings.cpus, gpus=1.0, batch=settings.batch),
    measures=(
        Measure("claim", "p", "its degraded side shows the pair's task; of a photo, the task it was gathered for", _P),
        Measure("claim_margin", "logits", "how far that task stands above all others, on the same side", _LOGITS),
        Measure("clean_claim", "p", "pair: its clean side shows the task as well; should be low", _P),
        Measure("gain", "p", "pair: claim less clean_claim", (-1.0, 1.0)),
        Measure("clean_worst", "p", "pair: the degradation that its clean side shows most", _P),
        Measure("likeness", "cosine", "pair: of the two sides' vectors; low where the scene was changed", (-1.0, 1.0)),
        Measure("p.{task}", "p", "photo: it shows the task, in the views that count for it", _P),
        Measure("margin.{task}", "logits", "photo: how far the task stands above all others", _LOGITS),
        Measure("frame.{task}", "p", "photo: it shows the task in the whole frame", _P),
        Measure("tiles.{task}", "p", "photo: by the mean of its tiles", _P),
        Measure("tiles_max.{task}", "p", "photo: by the tile that shows it most", _P),
        *(Measure(f"tag.{tag}", "p", f"the scene: {sayings.present[0]}", _P) for tag, sayings in TAGS.items()),
    ),
)
