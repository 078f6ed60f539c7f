"""One pair in full, for people: steps and their parameters with units, scores, and where everything came from."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from manifests.page.parameters import flat

SUFFIXES = {  # the unit that a parameter's name ends in; see the house rules for names
    "px": "px", "frac": "frac", "share": "share", "pct": "%", "deg": "°", "rad": "rad", "mrad": "mrad", "mired": "mired",
    "m": "m", "mm": "mm", "um": "µm", "s": "s", "ms": "ms", "ev": "EV", "k": "K", "hz": "Hz", "iso": "ISO", "db": "dB",
    "fps": "frames/s", "mpx": "per megapixel", "mm_h": "mm/h", "m_s": "m/s",
}  # fmt: skip
_PROVENANCE = ("photo_uri", "photo_width", "photo_height", "photo_frame", "photo_sha256", "variant")


class Parameter(NamedTuple):
    """What a generator says of a parameter: unit and meaning, either may be empty."""

    unit: str
    meaning: str


Vocabulary = Mapping[str, Mapping[str, Parameter]]  # generator -> parameter's name -> what it is


def unit_of(name: str, known: Mapping[str, Parameter]) -> Parameter:
    """Return a parameter's unit and meaning: as its generator tells it, else from the end of its name."""
    last = name.rpartition(".")[2].partition("[")[0]
    if last in known:
        return known[last]
    words = last.split("_")
    for count in (2, 1):
        ending = "_".join(words[-count:])
        if len(words) > count - (last in SUFFIXES) and ending in SUFFIXES:
            return Parameter(SUFFIXES[ending], "")
    return Parameter("", "")


def title_of(name: str) -> str:
    """Return a parameter's or a score's name without the unit at its end, which stands beside the value."""
    path, dot, last = name.rpartition(".")
    bare, bracket, place = last.partition("[")
    words = bare.split("_")
    for count in (2, 1):
        ending = "_".join(words[-count:])
        if len(words) > count and ending in SUFFIXES and SUFFIXES[ending] != "share":
            bare = "_".join(words[:-count])
            break
    return f"{path}{dot}{bare}{bracket}{place}".replace("_", " ").replace(".", " / ")


def score_unit(name: str) -> str:
    """Return the unit that a score's name ends in."""
    return SUFFIXES.get(name.rpartition("_")[2], "") if "_" in name else ""


def story(row: Mapping[str, Any], vocabulary: Vocabulary) -> dict[str, Any]:
    """Return a row of the manifest as the page shows it, without its scores: see `scored`.

    Args:
        row: one row, as `to_pylist` gives it.
        vocabulary: what the generators say of their parameters.
    """
    return {
        **{name: row[name] for name in ("pair_id", "task", "origin", "split", "severity", "unit", "stratum", "width", "height")},
        "verdict": {name: row[name] for name in ("verdict", "reason", "detail", "decided_by")},
        "steps": [_step(step, vocabulary.get(step["generator"], {})) for step in json.loads(row["steps"] or "[]")],
        "provenance": _provenance(row),
        "files": [_file(row, side) for side in ("clean", "degraded") if row[f"{side}_length"] is not None],
        "layers": [layer["name"] for layer in json.loads(row["layers"] or "[]")],
        "prompt": {"en": row["prompt_en"], "zh": row["prompt_zh"]},
    }


def _step(step: Mapping[str, Any], known: Mapping[str, Parameter]) -> dict[str, Any]:
    parameters = [{"name": name, "title": title_of(name), "value": value, **_told(name, value, known)._asdict()} for name, value in lines(step["params"])]
    return {**{name: step[name] for name in ("generator", "version", "severity", "unit", "stratum")}, "parameters": parameters}


def _told(name: str, value: Any, known: Mapping[str, Parameter]) -> Parameter:
    """Return what a parameter is; a decision that was drawn with a chance has no unit."""
    told = unit_of(name, known)
    return Parameter("", told.meaning) if isinstance(value, bool) else told


def lines(params: Any) -> Iterator[tuple[str, Any]]:
    """Yield the values of a record by path, with short tuples of numbers in one line."""
    tuples: dict[str, list[Any]] = {}
    for name, value in flat(params):
        path, bracket, _ = name.rpartition("[")
        if bracket and name.endswith("]"):
            if path not in tuples:
                yield path, tuples.setdefault(path, [])
            tuples[path].append(value)
        else:
            yield name, value


def _provenance(row: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return where a pair came from, as names and texts."""
    told = [(name, str(row[name])) for name in _PROVENANCE if row[name] is not None]
    told.append(("crop", f"{row['crop_width']} x {row['crop_height']} px at {row['crop_x']}, {row['crop_y']}"))
    told += [(name, str(value)) for name, value in row["extra"] or []]
    for other in json.loads(row["others"] or "[]"):
        told += [(f"other: {other['role']}", other["uri"])] if "uri" in other else [(f"ordered: {name}", str(value)) for name, value in _ordered(other)]
    for asset in json.loads(row["assets"] or "[]"):
        told.append((f"asset: {asset['kind']}", asset["maker"]))
    versions = json.loads(row["made_with"] or "{}")
    return told + [("made with", ", ".join(f"{name} {version}" for name, version in sorted(versions.items())))] * bool(versions)


def _ordered(other: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield what a maker of clean sides was asked for."""
    return ((name, other[name]) for name in ("maker", "prompt", "seed") if other.get(name) is not None)


def _file(row: Mapping[str, Any], side: str) -> dict[str, Any]:
    return {"side": side, "shard": row["shard"], **{what: row[f"{side}_{what}"] for what in ("offset", "length", "type", "sha256")}}
