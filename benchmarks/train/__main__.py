"""`python -m benchmarks.train RUN --minutes 5 [--compare RUN2] [--eval FOLDER]`: what a run's pairs teach a small network."""

from __future__ import annotations

import argparse
import itertools
import json
import os
import sys
from pathlib import Path
from typing import Any

os.environ.setdefault("OPENCV_LOG_LEVEL", "ERROR")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # threads that wait by spinning make a busy machine several times slower
os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # or CUDA's sums depend on their order

import torch

from benchmarks.train import contest, length, scores, unseen
from benchmarks.train.contest import Settings, Shown
from benchmarks.train.learn import Budget, Learned
from benchmarks.train.table import IDENTITY, lines, markdown, verdict
from degrade.errors import PatinaError
from manifests import commit, png
from pipelines.pictures.sheet import Cell, detail, sheet

SIDE = 256  # px of a picture on the sheet


def options(words: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.train", description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("run", type=Path, help="a finished run with a split that is held out")
    duration = parser.add_mutually_exclusive_group(required=True)
    told = "train so long, or until pairs were seen often enough; with --compare, RUN2 gets the steps of the first"
    duration.add_argument("--minutes", type=length.minutes, help=told)
    duration.add_argument("--steps", type=length.steps, help="train exactly so many steps")
    parser.add_argument("--compare", type=Path, metavar="RUN2", help="train on this run too; both are judged on the held-out pairs of both")
    parser.add_argument("--eval", type=Path, metavar="FOLDER", action="append", default=[], help="real pairs: clean/ and degraded/ by same names; repeatable")
    parser.add_argument("--task", action="append", default=[], help="train on and judge by pairs of this task alone; repeatable; default all")
    parser.add_argument("--out", type=Path, help="where table.md, table.json, pairs.jsonl, restored.png and the weights go; default RUN/report/train")
    parser.add_argument("--split", default="test", help="the split that is held out")
    parser.add_argument("--held", type=int, default=50, help="judge by at most so many held-out pairs of a task")
    parser.add_argument("--crop", type=int, default=64, help="px of a training crop")
    parser.add_argument("--batch", type=int, default=8, help="crops in a step")
    parser.add_argument("--width", type=int, default=24, help="channels of the network's first level")
    parser.add_argument("--seed", type=int, default=0, help="of first weights and crops")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu", help="of torch")
    return parser.parse_args(words)


def main(words: list[str] | None = None) -> None:
    """Train, judge, write, print."""
    given = options(words)
    torch.use_deterministic_algorithms(mode=True)
    runs = _named([given.run, *([given.compare] if given.compare else [])])
    kept = {name: unseen.held_out(run, given.split, given.task) for name, run in runs.items()}
    photos = sorted({photo for held in kept.values() for photo in held.photos})
    tasks = given.task or sorted(set().union(*map(unseen.tasks_of, runs.values())))
    told = tuple(tasks) if len(tasks) > 1 else ()
    settings = Settings(given.crop, given.batch, given.width, given.seed, given.split, given.device, tuple(given.task), told)
    for folder in given.eval:
        next(unseen.of_folder(folder))  # a mistyped folder is told now, not after the training
    networks, learned, budget = {}, {}, Budget(given.minutes, given.steps)
    for name, run in runs.items():
        networks[name], learned[name] = contest.train(run, photos, budget, settings)
        budget = Budget(steps=learned[name].steps)
    own = [unseen.of_run(run, given.split, kept[name].tasks, given.held) for name, run in runs.items()]
    judged, shown = contest.judge(networks, itertools.chain(*own, *map(unseen.of_folder, given.eval)), given.device)
    table = lines(judged)
    out = given.out or given.run / "report" / "train"
    trained = {name: _facts(run, learned[name]) for name, run in runs.items()}
    facts = {"length": length.told(given), "settings": settings._asdict(), "runs": trained, "torch": torch.__version__}
    commit.write_bytes(out / "table.md", markdown(table).encode())
    commit.write_json(out / "table.json", {**facts, "lines": [line.as_json() for line in table]})
    commit.write_bytes(out / "pairs.jsonl", "".join(json.dumps(one._asdict()) + "\n" for one in judged).encode())
    commit.write_bytes(out / "restored.png", png.encode(_sheet(shown), level=2))
    for name, restorer in networks.items():
        contest.save(restorer, out / f"{name}.safetensors")
    print(markdown(table), verdict(table), sep="\n")
    print(*filter(None, [scores.why_no_lpips()]), f"written to {out}", sep="\n")


def _named(runs: list[Path]) -> dict[str, Path]:
    """Return the runs by what the table calls them: their folders' names, or whole paths where these are equal."""
    names = [run.resolve().name for run in runs]
    return dict(zip(names if len(set(names)) == len(runs) else [str(run).replace("/", "_") for run in runs], runs, strict=True))


def _facts(run: Path, learned: Learned) -> dict[str, Any]:
    return {"folder": str(run), "steps": learned.steps, "seconds": learned.seconds, "loss": learned.loss}


def _sheet(shown: list[Shown]) -> Any:
    """Draw unseen pictures as they were, as each network restored them, and as they should be, the middle at 100 %."""
    rows = []
    for one in shown:
        cells = []
        for by, picture in one.restored.items():
            story = f"{one.unseen.group}, {one.unseen.name[:8]}: degraded" if by == IDENTITY else by
            cells.append(Cell(detail(picture, SIDE), f"{story}, {scores.psnr_db(picture, one.unseen.clean):.1f} dB"))
        rows.append([*cells, Cell(detail(one.unseen.clean, SIDE), "clean")])
    return sheet(rows, "what the networks have not seen, the middle at 100 %")


if __name__ == "__main__":
    try:
        main()
    except PatinaError as error:
        sys.exit(f"benchmarks.train: {error}")
