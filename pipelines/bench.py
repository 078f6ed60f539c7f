"""The verb `bench`: RealIR-Bench's scores of restored pictures, from two folders.

The published protocol (arXiv 2603.25502, `filters.realir`): pictures pair up by their names, a restored picture is brought to
the degraded one's size (Lanczos), LPIPS is taken at that size, and the severity of the task is judged on both. Any scorer with
the numbers `drop` and `drop_likeliest` may judge. We differ in two things, both of which are told: a name without a partner is
an error, not skipped (`couples`); and a picture that cannot be read, or on which the model will not commit itself, is listed.
"""

from __future__ import annotations

import csv
import io
import os
import typing
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np

from degrade.contract import Srgb
from degrade.errors import BadSample, RunError
from filters import batches, realir
from filters.contract import Pair, Photo, Scorer
from filters.realir import Judged, Line
from manifests import commit
from pipelines.couples import Couple
from pipelines.photos import decode, sources
from pipelines.photos.formats import FormatName
from pipelines.progress import Meter

RULES = decode.DecodeRules(formats=typing.get_args(FormatName))  # people name these files, so any format will do
Reading = Literal["likeliest", "expected"]
DROPS: Mapping[Reading, str] = {"likeliest": "drop_likeliest", "expected": "drop"}  # the number of the severity scorer that each reads


class Verdict(NamedTuple):
    """What was found of one couple."""

    judged: Judged
    severity: Mapping[str, float]  # all numbers of the severity scorer
    resized_from: str  # the restored picture's own size, if it had another: "1024x768"


class Refused(NamedTuple):
    """A couple without scores, and why."""

    name: str
    task: str
    reason: str
    detail: str


class Result(NamedTuple):
    """A whole benchmark."""

    lines: list[Line]
    verdicts: list[Verdict]
    refused: list[Refused]
    told: dict[str, Any]  # what made the numbers


def judge(pairs: Sequence[Couple], severity: Scorer, fidelity: Scorer, reading: Reading = "likeliest", batch: int = 8) -> Result:
    """Judge couples, so many at a time.

    Args:
        pairs: from `couples`.
        severity: gives `drop`, `drop_likeliest`, and `abstain` where it may.
        fidelity: gives `lpips`.
        reading: of the severities: the likeliest level, as published, or the expected one, which is finer.
        batch: couples in memory at once.

    Raises:
        RunError: no couple could be judged, or all are beyond the model.
    """
    verdicts: list[Verdict] = []
    refused: list[Refused] = []
    with Meter("bench", len(pairs), unit="pictures") as meter:
        for start in range(0, len(pairs), batch):
            some = pairs[start : start + batch]
            answers = _judged(some, severity, fidelity, reading)
            told = zip(some, answers, strict=True)
            problems = [Refused(couple.name, couple.task, one.reason, one.detail) for couple, one in told if isinstance(one, BadSample)]
            refused += problems
            verdicts += [one for one in answers if isinstance(one, Verdict)]
            meter.add(len(some), Counter(problem.reason for problem in problems))
    if not verdicts:
        raise RunError(f"none of {len(pairs)} pictures could be judged: {refused[0].name}: {refused[0].reason}, {refused[0].detail}")
    makers = {"severity": severity.maker, "lpips": fidelity.maker, "reading": reading}
    return Result(realir.table([verdict.judged for verdict in verdicts]), verdicts, refused, makers)


def _judged(some: Sequence[Couple], severity: Scorer, fidelity: Scorer, reading: Reading) -> list[Verdict | BadSample]:
    """Return what was found of a batch, couple by couple."""
    answers: dict[Couple, Verdict | BadSample] = {}
    ready: list[tuple[Couple, str, Any, Any]] = []
    for couple in some:
        try:
            pair, resized = _opened(couple)
            ready.append((couple, resized, severity.prepare(pair), fidelity.prepare(pair)))
        except BadSample as problem:
            answers[couple] = problem
    severities = batches.score(severity, [one[2] for one in ready])
    distances = batches.score(fidelity, [one[3] for one in ready])
    for (couple, resized, _, _), felt, apart in zip(ready, severities, distances, strict=True):
        if isinstance(felt, BadSample):
            answers[couple] = felt
        elif isinstance(apart, BadSample):
            answers[couple] = apart
        else:
            drop = None if felt.numbers.get("abstain", 0) else felt.numbers.get(DROPS[reading])
            answers[couple] = Verdict(Judged(couple.name, couple.task, drop, apart.numbers["lpips"]), felt.numbers, resized)
    return [answers[couple] for couple in some]


def _opened(couple: Couple) -> tuple[Pair, str]:
    """Return a couple as a pair whose clean side is the restored picture at the degraded one's size, and its own size if it had another."""
    degraded, restored = _decoded(couple.degraded), _decoded(couple.restored)
    resized = ""
    if degraded.shape != restored.shape:
        resized = f"{restored.shape[1]}x{restored.shape[0]}"
        restored = _lanczos(restored, (degraded.shape[1], degraded.shape[0]))
    return Pair(couple.name, couple.task, Photo("restored", restored), Photo("degraded", degraded)), resized


def _decoded(path: Path) -> Srgb:
    return decode.decode(sources.read(sources.Listed(str(path), None, None, {}), RULES.max_bytes), RULES).pixels


def _lanczos(pixels: Srgb, size: tuple[int, int]) -> Srgb:
    """Return a picture at a size (width, height) by Pillow's Lanczos, which low-passes when it shrinks; OpenCV's does not."""
    from PIL import Image

    return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.LANCZOS))


def write(result: Result, out: Path) -> None:
    """Write `bench.json` (everything), `tasks.csv` (the table) and `pictures.csv` (a row per picture) into a folder."""
    rows = list(_rows(result))
    table = [line._asdict() for line in result.lines]
    commit.write_bytes(out / "tasks.csv", _csv(table))
    commit.write_bytes(out / "pictures.csv", _csv(rows))
    commit.write_json(out / "bench.json", {**result.told, "table": table, "pictures": rows})


def _rows(result: Result) -> Iterator[dict[str, Any]]:
    """Yield a row per picture, refused ones last; all rows have the same columns."""
    measures = sorted({name for verdict in result.verdicts for name in verdict.severity})
    for judged, severity, resized in result.verdicts:
        scores = {"rs": judged.rs, "lpips": judged.lpips, "fs": judged.fs}
        told = {f"severity.{name}": severity.get(name) for name in measures}
        yield {"name": _text(judged.name), "task": judged.task, **scores, **told, "resized_from": resized, "reason": "", "detail": ""}
    for refused in result.refused:
        nothing = dict.fromkeys(("rs", "lpips", "fs", *(f"severity.{name}" for name in measures)))
        yield {"name": _text(refused.name), "task": refused.task, **nothing, "resized_from": "", "reason": str(refused.reason), "detail": _text(refused.detail)}


def _text(name: str) -> str:
    """Return a file's name as text that any file can hold: bytes that are no UTF-8 are spelled out."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def _csv(rows: Sequence[Mapping[str, Any]]) -> bytes:
    """Return rows as CSV, UTF-8; what is absent is an empty field."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()
