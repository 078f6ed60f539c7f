"""What a scorer is: it opens once, and maps photos or pairs to numbers. Decisions are elsewhere, and need no model.

A scorer works in two halves. `prepare` is the half without a network: crops, resizes, and whatever else the CPU does,
thread-safe, one item at a time, so that a GPU is fed by many threads with small arrays. `score` is the half with the
network, a batch at a time; a number never depends on what else is in the batch, beyond the tolerance that the scorer states.
An item that cannot be scored raises `BadSample` in `prepare`: it gets a row with a reason, the others their numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, model_validator

from degrade.contract import Srgb
from degrade.keys import refuse_unknown_keys
from filters import limits
from filters.verdict import Verdict


class Photo(NamedTuple):
    """One photo, e.g. a candidate from the web."""

    key: str
    pixels: Srgb
    data: bytes = b""  # the file, if there is one: its tables tell its history
    task: str = ""  # the degradation that a candidate was gathered for, if it was for one


class Pair(NamedTuple):
    """The two sides of a pair, of one size."""

    key: str
    task: str
    clean: Photo
    degraded: Photo


Item = Photo | Pair


class Scores(NamedTuple):
    """What a scorer found in one item."""

    numbers: Mapping[str, float]  # by measure, without the scorer's name
    vectors: Mapping[str, NDArray[np.float32]] = {}  # embeddings, by name
    texts: Mapping[str, str] = {}  # words, e.g. the tags of a scene


class Wants(NamedTuple):
    """What one worker of a scorer takes, and what it is given at once."""

    cpus: float = 1.0
    gpus: float = 0.0  # of a machine that has one; where there is none, the scorer works on the CPU
    batch: int = 16  # items per call of `score`
    deadline_s: float = 60.0  # per item
    whole_cpu: bool = False  # without a GPU, one worker has all cores of a machine: its weights are too large to be there once per core


class Scorer(Protocol):
    """An opened scorer."""

    maker: str  # what made the numbers: the model with its revision, or the file's own name and version

    def prepare(self, item: Item) -> Any:
        """Return what the network will see of an item; raises BadSample. Thread-safe, no network."""

    def score(self, prepared: Sequence[Any]) -> list[Scores]:
        """Return the scores of prepared items, in their order."""


class Settings(BaseModel):
    """What a recipe may say about a scorer; each scorer has its own."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _known_keys(cls, values: Any) -> Any:
        return refuse_unknown_keys(cls, values)


class Measure(NamedTuple):
    """One number that a scorer gives."""

    name: str  # `{task}` stands for each of the tasks
    unit: str
    meaning: str
    range: tuple[float, float]


class Filter(NamedTuple):
    """A line of the table in `filters/__init__.py`: how a scorer is named, set and opened."""

    name: str
    version: int  # a change of the numbers is a change of this
    about: str
    settings: type[Settings]
    open: Callable[[Any, str | None], Scorer]  # (settings, torch device or None for the best there is); raises MissingModel
    wants: Callable[[Any], Wants]  # of settings, known before anything is opened
    measures: tuple[Measure, ...]
    on: tuple[str, ...] = ("pairs", "photos")  # what it can score
    pace: tuple[str, ...] = ()  # settings that decide how fast it goes, and no number
    decide: Callable[..., Verdict] = limits.decide  # (numbers, limits) -> Verdict, pure
