"""What a maker is: it opens once, and turns degraded photos into candidates for their clean side.

Candidates are dear, so a maker is asked once for each: what it gave is kept under a hash of the photo's pixels, the maker's
name and revision, the prompt and the seed (see `pipelines/makers/kept.py`). A maker changes nothing but the picture: size,
shift and scale that it changes on its way are undone by `pipelines/restore.py`, or the candidate is refused there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Protocol, runtime_checkable

from degrade.contract import Srgb
from degrade.errors import BadSample
from filters.contract import Settings, Wants
from pipelines.crops import Crop
from pipelines.makers.made_of import Made


class Order(NamedTuple):
    """One candidate to be made."""

    key: str  # names the candidate: 32 hex digits
    pixels: Srgb  # the degraded photo as the pair will hold it
    task: str
    prompt: str
    seed: int
    uri: str = ""  # of the photo, for makers that find what they give beside it
    extra: Mapping[str, str] = {}  # the columns that came with it
    crop: Crop | None = None  # which part of the photo the pixels are, for makers that open a reference beside it


class Maker(Protocol):
    """An opened maker."""

    name: str  # with its revision: what the row records

    def make(self, orders: Sequence[Order]) -> Sequence[Srgb | BadSample | Made]:
        """Return a candidate for every order, in their order, HxWx3 uint8 of whatever size; or why there is none.

        Makers that read other files than the photo say which, with `Made` and `Unmade`.

        What may pass (a server that is busy, a lost connection) is tried again inside and raised in the end: the job stops and
        goes on later. What will not pass (a refusal, a photo that is too large) is a BadSample: it is kept, and never asked again.
        """


@runtime_checkable
class OneByOne(Protocol):
    """A maker whose candidates arrive one by one: each is kept as it comes, so that what a kill can cost is what is under way."""

    def each(self, orders: Sequence[Order]) -> Iterator[tuple[str, Srgb | BadSample]]:
        """Yield candidates, or why there is none, by the key of their order, in the order in which they arrive.

        What `make` would raise is raised after all that is under way has arrived; what was not yielded has not been made.
        """


class Kind(NamedTuple):
    """A line of the table in `pipelines/makers/table.py`: how a kind of maker is named, set and opened."""

    name: str  # `kind` in a recipe
    about: str
    settings: type[Settings]
    open: Callable[[Any, str | None], Maker]  # (settings, torch device or None for the best there is); raises MissingModel
    wants: Callable[[Any], Wants]
    chance: bool = True  # whether another seed gives another candidate
    pace: tuple[str, ...] = ("batch", "cpus", "gpus", "deadline_s", "startup_s", "timeout_s", "tries", "at_once", "url")  # settings that decide no pixel
