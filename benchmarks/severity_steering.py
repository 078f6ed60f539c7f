"""`python -m benchmarks.severity_steering --model NAME`: how far writing inside photos moves a vision-language model's scores.

Per try, the mean shift in levels against neutral words of the same length, its largest magnitude, and what letters do by
themselves. A model that judges pixels has shifts near 0; the default photos are the test photos, asked about one task.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Sequence
from pathlib import Path

from filters import severity
from filters.contract import Photo
from filters.vlm import steering
from pipelines.single import open_photo


def table(shifts: Sequence[steering.Shift]) -> str:
    """Return the shifts for people."""
    lines = [f"{'words in the photo':<34}{'mean shift':>12}{'largest':>10}{'letters alone':>15}{'photos':>8}"]
    lines += [f"{one.words:<34}{one.mean:>12.3f}{one.largest:>10.3f}{one.writing:>15.3f}{one.photos:>8}" for one in shifts]
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.severity_steering", description=__doc__)
    shared = Path(os.environ.get("PATINA_TEST_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
    parser.add_argument("--model", default=severity.DEFAULT, help="short name, hub id or folder; with --url the name that the server has")
    parser.add_argument("--url", help="of an OpenAI-compatible server, instead of a model here")
    parser.add_argument("--prompt", choices=("patina", "realir_bench"), default="patina")
    parser.add_argument("--photos", type=Path, default=shared / "clean", help="a folder")
    parser.add_argument("--count", type=int, default=20)
    parser.add_argument("--task", default="haze")
    parser.add_argument("--json", type=Path, help="write the figures here too")
    options = parser.parse_args(arguments)
    door = {"backend": "server", "url": options.url} if options.url else {}
    scorer = severity.open_scorer(severity.SeveritySettings.model_validate({"model": options.model, "prompt": options.prompt, **door}), None)
    paths = sorted(path for path in options.photos.iterdir() if path.suffix.lower() in {".jpg", ".jpeg", ".png", ".webp"})[: options.count]
    photos = [Photo(path.name, open_photo(path).pixels, task=options.task) for path in paths]
    shifts = steering.measure(scorer, photos)
    print(f"{scorer.maker}, prompt {options.prompt}, task {options.task}")
    print(table(shifts))
    if options.json:
        told = {"maker": scorer.maker, "prompt": options.prompt, "task": options.task, "shifts": [one._asdict() for one in shifts]}
        options.json.write_text(json.dumps(told, indent=2) + "\n")


if __name__ == "__main__":
    main()
