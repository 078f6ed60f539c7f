"""`python -m benchmarks.real_chain --minutes 5 --out FOLDER`: trusted pairs from degraded photos, every step as a user takes it, and what the truth says.

Half of the photos teach a small network for each task, on pairs that Patina made of them. The others, strongly degraded, are the
web: `patina build` gates them, has them restored by the networks and by a program without weights, scores, limits, chooses and
exports. Nothing but the last figures knows the truth. What is finished is not done again: kill it, run it again.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("OPENCV_LOG_LEVEL", "ERROR")
os.environ.setdefault("OPENCV_IPP", "disabled")

import yaml

from benchmarks.real_chain import recipes, table, web
from benchmarks.real_chain.judged import judged
from benchmarks.train import length
from degrade.errors import PatinaError, RunError
from manifests import commit, png
from pipelines import build
from pipelines.run import load

REPLAYED = 8  # pairs


def options(words: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.real_chain", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    data = Path(os.environ.get("PATINA_TEST_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))
    parser.add_argument("--photos", type=Path, default=data / "clean")
    parser.add_argument("--out", type=Path, required=True)
    duration = parser.add_mutually_exclusive_group()
    duration.add_argument("--minutes", type=length.minutes, default=5.0, help="of training, for each of the networks; default 5")
    duration.add_argument("--steps", type=length.steps, help="of training, instead of minutes")
    parser.add_argument("--limit", type=int, help="take so many photos of each half; default all")
    parser.add_argument("--variants", type=int, default=24, help="synthetic pairs of each photo to learn from; default 24")
    parser.add_argument("--engine", default="ray", choices=("ray", "serial"))
    parser.add_argument("--markdown", type=Path, help="write the table here too")
    return parser.parse_args(words)


def main(words: Sequence[str] | None = None) -> None:
    """Do it all; print the table."""
    given = options(words)
    out: Path = given.out
    learn, wild = (half[: given.limit] for half in web.halves(given.photos))
    if not (out / "web.done").exists():
        count = web.make(wild, out / "web", out / "truth")
        commit.write_bytes(out / "web.done", f"{count} photos\n".encode())
    weights = taught(given, learn)
    _recipe(out / "real.yaml", recipes.real(weights))
    _patina("build", str(out / "real.yaml"), "--input", str(out / "web"), "--out", str(out / "real"), "--engine", given.engine)
    _patina("verify", str(out / "real"))
    _patina("replay", str(out / "real"), "--sample", str(REPLAYED))
    run = load(out / "real")
    pairs = list(judged(run, out / "truth"))
    command = f"python -m benchmarks.real_chain {length.told(given)} --out FOLDER"
    text = table.markdown(run, pairs, command, {task: _steps(path) for task, path in weights.items()})
    commit.write_bytes(out / "sheet.png", png.encode(table.sheet_of(pairs), level=2))
    commit.write_bytes(out / "table.md", text.encode())
    commit.write_json(out / "figures.json", {"books": build.books(run).as_json(), **table.figures(run, pairs)})
    if given.markdown:
        commit.write_bytes(given.markdown, text.encode())
    print(text, f"{len(pairs)} candidates beside the truth: {out / 'sheet.png'}", sep="\n")


def taught(given: argparse.Namespace, photos: Sequence[Path]) -> dict[str, Path]:
    """Return the weights of a network for each task, trained now if they are not there; raises RunError where they were trained otherwise."""
    lessons = given.out / "lessons"
    weights = {task: given.out / "weights" / task / f"{lessons.name}.safetensors" for task in web.TASKS}
    there = [path for path in weights.values() if path.exists()]
    for path in there:
        before = _table(path).get("length", "a length that is not told")
        if before != length.told(given):
            raise RunError(f"{path.parent} holds a network of {before}, not of {length.told(given)}: give the same again, or another --out")
    inputs = [word for path in photos for word in ("--input", str(path))]
    _recipe(given.out / "lessons.yaml", recipes.lessons(given.variants))
    _patina("build", str(given.out / "lessons.yaml"), *inputs, "--out", str(lessons), "--engine", given.engine)
    for task, path in weights.items():
        if path not in there:
            _run("benchmarks.train", str(lessons), *length.told(given).split(), "--task", task, "--held", "12", "--out", str(path.parent))
    return weights


def _steps(weights: Path) -> int:
    """Return how many steps a network was trained."""
    return sum(run["steps"] for run in _table(weights)["runs"].values())


def _table(weights: Path) -> dict[str, Any]:
    """Return what is written beside weights of how they were trained."""
    told: dict[str, Any] = json.loads((weights.parent / "table.json").read_text(encoding="utf-8"))
    return told


def _recipe(path: Path, page: object) -> None:
    commit.write_bytes(path, yaml.safe_dump(page, sort_keys=False).encode())


def _patina(*words: str) -> None:
    _run("pipelines", *words)


def _run(module: str, *words: str) -> None:
    """Run a command line of ours as its own process; stop with it."""
    print(f"$ {module.replace('pipelines', 'patina')} {' '.join(words)[:160]}", flush=True)
    if code := subprocess.run([sys.executable, "-m", module, *words], check=False).returncode:
        sys.exit(code)


if __name__ == "__main__":
    try:
        main()
    except PatinaError as error:
        sys.exit(f"benchmarks.real_chain: {error}")
