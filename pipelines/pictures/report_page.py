"""The report as one page: static HTML without scripts, opened from disk; every word from outside is escaped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import NamedTuple

from degrade.contract import STRATA
from manifests.page.survival import Fall

POLICY = "default-src 'none'; img-src 'self' file:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
STYLE = """
:root { color-scheme: dark; }
body { margin: 0 auto; padding: 2rem 1.5rem 4rem; max-width: 82rem; background: #121214; color: #d6d6da; font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.5rem; font-weight: 600; margin: 0 0 .2rem; }
h2 { font-size: 1.1rem; font-weight: 600; margin: 3rem 0 .6rem; }
p { margin: .3rem 0; max-width: 46rem; color: #9a9aa2; }
nav { margin: 1rem 0 0; } nav a { margin-right: 1rem; white-space: nowrap; }
a { color: #8db3dc; text-decoration: none; } a:hover { text-decoration: underline; }
img { display: block; max-width: 100%; height: auto; margin: .8rem 0; }
table { border-collapse: collapse; margin: .8rem 0; font-variant-numeric: tabular-nums; }
th, td { padding: .2rem .9rem .2rem 0; text-align: left; border-bottom: 1px solid #2a2a2e; }
th { font-weight: 500; color: #9a9aa2; } td.n, th.n { text-align: right; }
pre { background: #1a1a1d; padding: 1rem; overflow-x: auto; font-size: 13px; line-height: 1.45; }
details { margin: .6rem 0; } summary { cursor: pointer; color: #8db3dc; }
"""


class Report(NamedTuple):
    """What the page shows; pictures by their path below the report's folder."""

    name: str
    tasks: list[str]
    counts: dict[str, dict[str, list[int]]]  # kept pairs by task, by split, by stratum
    photos: dict[str, int]  # inputs by reason; the empty word: usable
    falls: list[Fall]
    falls_by: dict[str, dict[str, tuple[int, list[Fall], int]]]  # by what, by group: planned, falls, kept
    planned: int
    kept: int
    made: list[str]  # pictures
    recipe: str
    made_with: dict[str, str]


def html(told: Report) -> str:
    """Return the page."""
    parts = [
        f"<h1>{escape(told.name)}</h1>",
        f"<p>{told.kept} pairs kept of {told.planned} planned, from {told.photos.get('', 0)} usable of {sum(told.photos.values())} inputs.</p>",
        _contents(told),
        _section("counts", "What is in it", "", [*_images(told, "counts.png"), _table(*_counted(told))]),
        _section("survival", "What fell, and why", "", [_photos(told), _falls(told), *_falls_by(told)]),
        _section("severity", "Severity", "By task, from mild to severe; every stratum is as wide as the others.", _images(told, "severity.png")),
        _section("scores", "Scores", "", _images(told, "scores.png")),
        _section("throughput", "Throughput", "", _images(told, "throughput.png")),
        _section("worst", "Most and least damaged", "If one of these should not be in a training set, set a limit.", _images(told, "worst.png")),
        _section("borderline", "At the limits", "Both sides of every limit; of scores without one, the ends.", _images(told, "borderline.png")),
        _section("thrown", "Thrown away", "By reason; of a limit, from the nearest to the farthest.", _images(told, "thrown.png", "gate.png")),
        *(_section(task, task, "", _task(told, task)) for task in told.tasks),
        _section("recipe", "How it was made", "", [f"<pre>{escape(told.recipe)}</pre>" if told.recipe else "", _versions(told)]),
    ]
    head = f'<meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{POLICY}">'
    head += f'<meta name="viewport" content="width=device-width"><title>{escape(told.name)}: report</title><style>{STYLE}</style>'
    return f'<!doctype html><html lang="en"><head>{head}</head><body>{"".join(parts)}</body></html>\n'


def _contents(told: Report) -> str:
    names = ["counts", "survival", "severity", "scores", *(name for name in ("throughput", "worst", "borderline", "thrown") if f"{name}.png" in told.made)]
    return "<nav>" + "".join(f'<a href="#{escape(name)}">{escape(name.replace("_", " "))}</a>' for name in [*names, *told.tasks, "recipe"]) + "</nav>"


def _section(anchor: str, title: str, story: str, parts: Iterable[str]) -> str:
    """Return a part of the page; nothing where there is nothing in it."""
    inside = "".join(parts)
    head = f"<h2>{escape(title.replace('_', ' '))}</h2>" + (f"<p>{escape(story)}</p>" if story else "")
    return f'<section id="{escape(anchor)}">{head}{inside}</section>' if inside else ""


def _images(told: Report, *names: str) -> list[str]:
    return [f'<img loading="lazy" src="{escape(name)}" alt="{escape(name)}">' for name in names if name in told.made]


def _task(told: Report, task: str) -> list[str]:
    parameters = _images(told, f"parameters/{task}.png")
    return [*_images(told, f"sheets/{task}.png"), *(["<details><summary>parameters</summary>", *parameters, "</details>"] if parameters else [])]


def _counted(told: Report) -> tuple[Sequence[str], list[Sequence[str | int]]]:
    """Return heads and rows: kept pairs by task, split and stratum."""
    rows: list[Sequence[str | int]] = []
    for task, splits in told.counts.items():
        rows += [(task, split, *strata, sum(strata)) for split, strata in splits.items()]
    graded = ("task", "split", *map(str, range(1, STRATA + 1)))
    ungraded = ("not graded",) if rows and len(rows[0]) > len(graded) + 1 else ()
    return (*graded, *ungraded, "all"), rows


def _photos(told: Report) -> str:
    refused = sorted(((reason, count) for reason, count in told.photos.items() if reason), key=lambda item: -item[1])
    rows = [("inputs", sum(told.photos.values())), *((f"refused: {reason}", count) for reason, count in refused), ("usable", told.photos.get("", 0))]
    return _table(("inputs", "count"), rows)


def _falls(told: Report) -> str:
    rows: list[Sequence[str | int]] = [("planned", "", "", "", told.planned)]
    rows += [(fall.by, fall.why, "" if fall.alone is None else fall.alone, fall.took, fall.left) for fall in told.falls]
    return _table(("pairs: decided by", "why", "alone", "took", "left"), [*rows, ("kept", "", "", "", told.kept)])


def _falls_by(told: Report) -> Iterable[str]:
    """Yield a table for every way of grouping that has several groups: what took how many pairs of each."""
    for name, groups in told.falls_by.items():
        if len(groups) < 2:
            continue
        took: dict[tuple[str, str], dict[str, int]] = {(fall.by, fall.why): {} for _, falls, _ in groups.values() for fall in falls}
        for group, (_, falls, _) in groups.items():
            for fall in falls:
                took[fall.by, fall.why][group] = fall.took
        rows: list[Sequence[str | int]] = [("planned", "", *(planned for planned, _, _ in groups.values()))]
        rows += [(by, why, *(taken.get(group, 0) for group in groups)) for (by, why), taken in took.items()]
        rows.append(("kept", "", *(kept for _, _, kept in groups.values())))
        yield f"<details open><summary>by {escape(name)}</summary>" + _table(("decided by", "why", *groups), rows) + "</details>"


def _versions(told: Report) -> str:
    return f"<p>Made with {escape(', '.join(f'{name} {version}' for name, version in sorted(told.made_with.items())))}.</p>" if told.made_with else ""


def _table(heads: Sequence[str], rows: Iterable[Sequence[str | int]]) -> str:
    """Return a table; numbers stand to the right."""
    lines = list(rows)
    numeric = [bool(lines) and all(isinstance(row[at], int) or not row[at] for row in lines) for at in range(len(heads))]
    mark = [' class="n"' if number else "" for number in numeric]
    head = "".join(f"<th{mark[at]}>{escape(name)}</th>" for at, name in enumerate(heads))
    body = "".join("<tr>" + "".join(f"<td{mark[at]}>{escape(str(cell))}</td>" for at, cell in enumerate(row)) + "</tr>" for row in lines)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
