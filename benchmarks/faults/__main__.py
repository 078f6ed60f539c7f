"""`python -m benchmarks.faults [--quick] [--numbers FILE] [--markdown FILE] [--json FILE]`: which faults do the filters find?

Good pairs of all nine tasks, and the same pairs with a fault put into their clean sides, are measured by the scorers that need
no model; a fault is found where a limit of `filters.defaults` is broken. Limits were set on the photos of even number
(`--half 0 --numbers FILE` writes what they give); the tables are of those of odd number, which they have not seen. The second
tells how many good pairs of every stratum are refused, at two sizes.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from pathlib import Path

import cv2

from benchmarks.faults import strata, table


def main() -> None:
    """Measure, or take numbers that were measured; print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    data = Path(os.environ.get("PATINA_TEST_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))
    parser.add_argument("--photos", type=Path, default=data / "clean")
    parser.add_argument("--half", type=int, default=1, choices=(0, 1), help="photos of even or odd number")
    parser.add_argument("--good", type=int, default=24, help="good pairs of each task, at most")
    parser.add_argument("--faulty", type=int, default=12, help="of these, how many get every fault")
    parser.add_argument("--each", type=int, default=8, help="good pairs of each task, stratum and size, at most")
    parser.add_argument("--quick", action="store_true", help="3, 1 and 1 of them: two minutes")
    parser.add_argument("--numbers", type=Path, help="read the measured numbers from here if the file is there, else write them")
    parser.add_argument("--markdown", type=Path, help="write the table here too")
    parser.add_argument("--json", type=Path, help="write the figures here too")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    begun = time.process_time()
    if options.numbers and options.numbers.exists():
        kept = json.loads(options.numbers.read_text(encoding="utf-8"))
        rows, good = ([table.Row(**row) for row in kept[name]] for name in ("faults", "strata"))
    else:
        *counts, each = (3, 1, 1) if options.quick else (options.good, options.faulty, options.each)
        rows = list(table.measured(options.photos, options.half, *counts))
        good = list(strata.measured(options.photos, options.half, each))
        print(f"{len(rows) + len(good)} pairs measured in {time.process_time() - begun:.0f} s of one core")
    if options.numbers and not options.numbers.exists():
        options.numbers.write_text(json.dumps({"faults": [row._asdict() for row in rows], "strata": [row._asdict() for row in good]}))
    figures = table.figures(rows) | {"by_stratum": strata.figures(good)}
    command = f"python -m benchmarks.faults --good {options.good} --faulty {options.faulty} --each {options.each}"
    text = table.page(rows, figures, command, strata.page(figures["by_stratum"]))
    print(text)
    if options.markdown:
        options.markdown.write_text(text)
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
