"""`python -m benchmarks [--json FILE] [--only steps|clips|plan|engine|loader|select]`: the tables of Patina's speed on this machine."""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import cv2

from benchmarks import clips, engine, loader, photos, plan, select, steps
from pipelines.guard import ENVIRONMENT

TABLES = {"steps": steps, "clips": clips, "plan": plan, "engine": engine, "loader": loader, "select": select}


def main() -> None:
    """Run the tables that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="write the figures here too")
    parser.add_argument("--only", choices=TABLES, action="append", help="only this table; may be repeated")
    parser.add_argument("--pairs", type=int, default=500, help="pairs of the engine's race")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    figures: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        real = photos.prepare(Path(folder) / "photos")
        for name in options.only or TABLES:
            figures[name] = TABLES[name].measure(Path(folder), real, options.pairs)
            print(TABLES[name].table(figures[name]), end="\n\n")
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n")


if not ENVIRONMENT.items() <= os.environ.items():  # measure under the conditions in which workers run
    os.execve(sys.executable, [sys.executable, "-m", "benchmarks", *sys.argv[1:]], {**os.environ, **ENVIRONMENT})
main()
