"""How strong a degradation is, in the eyes of a vision-language model: the expected digit of one forward pass.

    severity = sum over levels d = 1..5 of d p(d),  p = softmax over the digit tokens at the place where the answer begins

with 1 none and 5 extreme. RealIR-Bench (arXiv 2603.25502) lets Qwen3-VL write its judgement and parses it; here nothing is
written, so nothing can fail to parse, a pass is all that it costs, and the distribution tells how sure the model is. A pair
is asked about its own degradation on both sides; `drop` is what was taken away, and `max(0, drop)` the restoration score
of that benchmark, whose digits run the other way.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

from pydantic import Field, field_validator

from degrade.contract import Srgb
from degrade.errors import RecipeError
from filters.contract import Filter, Item, Measure, Pair, Photo, Scorer, Scores, Settings, Wants
from filters.vlm import crops, defects, digits, prompts
from filters.vlm.backend import Backend, Question
from filters.vlm.digits import MOST_ENTROPY, Reading

DEFAULT = "Qwen/Qwen3-VL-8B-Instruct"


class SeveritySettings(Settings):
    """Which model is asked, by which door, and how."""

    model: str = Field(default=DEFAULT, description="short name, hub id, optionally with @revision, or folder; for a server: the name it serves")
    backend: Literal["transformers", "server"] = "transformers"
    url: str = Field(default="http://127.0.0.1:8000/v1", description="of an OpenAI-compatible server; its key in $PATINA_VLM_KEY")
    prompt: prompts.PresetName = Field(default="patina", description="how photos are shown and asked about")
    wordings: tuple[prompts.Wording, ...] = Field(default=(), description="questions of your own instead of the preset's; their answers are averaged")
    tasks: tuple[str, ...] = Field(default=(), description="what every photo is asked about besides its own task, if it has one")
    precision: Literal["auto", "bfloat16", "float32"] = Field(default="auto", description="of a model here; auto: bfloat16 where it is native")
    least_answered: float = Field(default=0.5, ge=0, le=1, description="probability of any digit below which the model abstains")
    most_entropy: float = Field(default=2.0, ge=0, le=MOST_ENTROPY, description="bits above which the model abstains")
    at_once: int = Field(default=16, ge=1, le=1024, description="questions per forward pass, or requests under way")
    batch: int = Field(default=16, ge=1, le=1024, description="pairs or photos handed over at once")
    timeout_s: float = Field(default=120.0, gt=0, description="of one request to a server")
    tries: int = Field(default=6, ge=1, le=20, description="of one request to a busy server")

    @field_validator("tasks")
    @classmethod
    def _known_tasks(cls, tasks: tuple[str, ...]) -> tuple[str, ...]:
        try:
            return tuple(prompts.check_task(task) for task in tasks)
        except RecipeError as error:
            raise ValueError(str(error)) from error


class Asked(NamedTuple):
    """One look at one picture: all wordings of one question."""

    names: tuple[str, ...]  # of the severity among the numbers
    questions: tuple[Question, ...]
    worst: tuple[int, ...]


class Prepared(NamedTuple):
    """All that is asked about an item."""

    pair: bool
    looks: tuple[Asked, ...]


class SeverityScorer:
    """Severities of pairs and photos by a vision-language model.

    Args:
        settings: from the recipe.
        backend: the model, opened.
    """

    def __init__(self, settings: SeveritySettings, backend: Backend) -> None:
        self._settings, self._backend = settings, backend
        self.maker = backend.maker

    def prepare(self, item: Item) -> Prepared:
        """Return the pictures and questions about an item.

        Raises:
            BadSample: a picture is too small or too thin to be looked at.
            RecipeError: a photo without a task where the recipe names none either, or a task without words.
        """
        if isinstance(item, Pair):
            task = prompts.check_task(item.task)
            boxes = self._squares(item.degraded.pixels) if task in defects.LOOSE else ()
            sides = (("degraded", item.degraded), ("clean", item.clean))
            return Prepared(True, tuple(self._look((name,), (self._whole(photo.pixels), *_cuts(photo.pixels, boxes)), task) for name, photo in sides))
        asked = self._photo_tasks(item)
        whole = self._whole(item.pixels)  # the same arrays for all tasks: what is shown once is read once
        parts = _cuts(item.pixels, self._squares(item.pixels)) if any(task in defects.LOOSE for task in asked) else ()
        return Prepared(False, tuple(self._look(names, (whole, *(parts if task in defects.LOOSE else ())), task) for task, names in asked.items()))

    def score(self, prepared: Sequence[Prepared]) -> list[Scores]:
        """Return severities and how sure they are, item by item; in float32 no number depends on its batch by more than 1e-4."""
        looks = [look for one in prepared for look in one.looks]
        told = iter(self._backend.digits([question for look in looks for question in look.questions]))
        read = iter([digits.read([next(told) for _ in look.questions], look.worst) for look in looks])
        return [Scores(self._numbers(one, [next(read) for _ in one.looks])) for one in prepared]

    def _photo_tasks(self, photo: Photo) -> dict[str, tuple[str, ...]]:
        """Return what a photo is asked about, and the names of each answer: once, even if the settings name its own task again."""
        named: dict[str, tuple[str, ...]] = {task: (task,) for task in self._settings.tasks}
        if photo.task:
            named[photo.task] = ("photo", *named.get(photo.task, ()))
        if not named:
            raise RecipeError(f"photo {photo.key} was gathered for no task: name what photos are asked about, e.g. severity.tasks: [haze, rain]")
        return named

    def _squares(self, pixels: Srgb) -> tuple[crops.Box, ...]:
        """Return the parts that are shown at full resolution: of a pair the same ones of both sides."""
        crops.check(pixels)
        preset = prompts.PRESETS[self._settings.prompt]
        reduced = pixels.shape[0] * pixels.shape[1] > preset.area_px
        return crops.squares(pixels, preset.squares_px) if preset.squares_px and reduced else ()

    def _whole(self, pixels: Srgb) -> Srgb:
        """Return a photo as the model is shown it."""
        crops.check(pixels)
        preset = prompts.PRESETS[self._settings.prompt]
        return (crops.scaled if preset.exact else crops.frame)(pixels, preset.area_px)

    def _look(self, names: tuple[str, ...], images: tuple[Srgb, ...], task: str) -> Asked:
        """Return all wordings about some pictures: the photo, and parts of it if there are any."""
        given = self._settings.wordings
        wordings = prompts.own(given, task) if given else prompts.wordings(self._settings.prompt, task, parts=len(images) > 1)
        return Asked(names, tuple(Question(images, one.text, one.preface) for one in wordings), tuple(one.worst for one in wordings))

    def _numbers(self, one: Prepared, readings: Sequence[Reading]) -> dict[str, float]:
        """Return the numbers of an item; the severity of a look that got no digit at all is left out."""
        numbers: dict[str, float] = {}
        for name, reading in ((name, reading) for look, reading in zip(one.looks, readings, strict=True) for name in look.names):
            if reading.severity is not None and reading.likeliest is not None:
                numbers[name] = reading.severity
                numbers[f"{name}_likeliest"] = reading.likeliest
            numbers[f"{name}_entropy"] = reading.entropy
        for suffix in ("", "_likeliest"):
            if one.pair and f"degraded{suffix}" in numbers and f"clean{suffix}" in numbers:
                numbers[f"drop{suffix}"] = numbers[f"degraded{suffix}"] - numbers[f"clean{suffix}"]
        numbers["answered"] = min(reading.answered for reading in readings)
        sure = not any(reading.unsure(self._settings.least_answered, self._settings.most_entropy) for reading in readings)
        return {**numbers, "abstain": 0.0 if sure else 1.0}


def _cuts(pixels: Srgb, boxes: tuple[crops.Box, ...]) -> tuple[Srgb, ...]:
    return tuple(box.cut(pixels) for box in boxes)


def open_scorer(settings: SeveritySettings, device: str | None) -> Scorer:
    """Open the model, here or on a server; raises MissingModel, which says what to run."""
    if settings.backend == "server":
        from filters.vlm.line import Line
        from filters.vlm.server import Server

        return SeverityScorer(settings, Server(Line(settings.url, settings.timeout_s, settings.tries), settings.model, settings.at_once))
    from filters.vlm.local import open_local

    return SeverityScorer(settings, open_local(settings.model, device, settings.at_once, settings.precision))


def wants(settings: SeveritySettings) -> Wants:
    """Return what a worker takes: a GPU, or all of a CPU, for a model here, next to nothing for one on a server."""
    if settings.backend == "server":
        return Wants(batch=settings.batch, deadline_s=settings.timeout_s * settings.tries)
    return Wants(gpus=1.0, batch=settings.batch, deadline_s=900.0, whole_cpu=True)


FILTER = Filter(
    name="severity",
    version=1,
    about="how strong the degradation is on either side, by a vision-language model (Qwen3-VL): expected digit 1 none to 5 extreme",
    settings=SeveritySettings,
    pace=("batch", "at_once", "timeout_s", "tries", "url"),
    open=open_scorer,
    wants=wants,
    measures=(
        Measure("degraded", "level", "expected severity of the pair's task on the degraded side", (1, 5)),
        Measure("clean", "level", "the same on the clean side", (1, 5)),
        Measure("drop", "levels", "degraded minus clean: how much was taken away; max(0, drop) is RealIR-Bench's RS", (-4, 4)),
        Measure("degraded_likeliest", "level", "likeliest severity, what greedy decoding would have said", (1, 5)),
        Measure("clean_likeliest", "level", "the same on the clean side", (1, 5)),
        Measure("drop_likeliest", "levels", "difference of the likeliest severities, as the benchmark itself has it", (-4, 4)),
        Measure("degraded_entropy", "bits", "of the distribution over the five levels; 0 certain", (0, MOST_ENTROPY)),
        Measure("clean_entropy", "bits", "the same on the clean side", (0, MOST_ENTROPY)),
        Measure("photo", "level", "a photo's expected severity of the task that it was gathered for", (1, 5)),
        Measure("photo_likeliest", "level", "likeliest severity of that task", (1, 5)),
        Measure("photo_entropy", "bits", "of that answer", (0, MOST_ENTROPY)),
        Measure("{task}", "level", "a photo's expected severity of each task in the settings", (1, 5)),
        Measure("{task}_likeliest", "level", "likeliest severity of that task", (1, 5)),
        Measure("{task}_entropy", "bits", "of that answer", (0, MOST_ENTROPY)),
        Measure("answered", "1", "probability that the answer is a digit at all; the least of all looks", (0, 1)),
        Measure("abstain", "0 or 1", "1 where the model wanted to say something else, or could not decide", (0, 1)),
    ),
)
