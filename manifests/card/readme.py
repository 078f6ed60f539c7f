"""The data set card: `README.md` with the front matter that the Hugging Face Hub reads, and what a person wants to know.

Counts, severities, survival, pictures, how a trainer reads it, licences as the photos' lists told them, the recipe and
how to make it again, and the methods behind it. What came from outside (names, licences) is escaped.
"""

from __future__ import annotations

import html
import re
import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import yaml

from manifests import commit, licences
from manifests.card import photos, specimens
from manifests.card.photos import Credit
from manifests.card.tally import STRATA, Tally, tally
from manifests.formats.contract import Format

HUB_LICENCES = frozenset(
    {
        *("apache-2.0", "mit", "unlicense", "pddl", "odbl", "odc-by", "cc", "cc0-1.0"),
        *("cc-by-2.0", "cc-by-2.5", "cc-by-3.0", "cc-by-4.0", "cc-by-sa-3.0", "cc-by-sa-4.0", "cc-by-nc-2.0", "cc-by-nc-3.0"),
        *("cc-by-nc-4.0", "cc-by-nd-4.0", "cc-by-nc-nd-3.0", "cc-by-nc-nd-4.0", "cc-by-nc-sa-2.0", "cc-by-nc-sa-3.0", "cc-by-nc-sa-4.0"),
    }
)  # https://huggingface.co/docs/hub/repositories-licenses
CLEAN = "clean"  # among the makers: of clean sides
MAX_LICENCES = 20  # lines of the table; `photos.csv` has them all


class Story(NamedTuple):
    """What the card tells beside the rows."""

    name: str = "patina"
    recipe: str = ""  # the page as it was written
    citations: Mapping[str, Sequence[str]] = {}  # by degradation
    joined: tuple[str, ...] = ()  # names of the runs, where several were joined

    def fingerprint(self) -> str:
        """Return a short hash of it all."""
        told = [self.name, self.recipe, {name: list(works) for name, works in self.citations.items()}]
        return commit.fingerprint([*told, list(self.joined)] if self.joined else told)


def write(folder: Path, run: Path, manifest: Path, table: pa.Table, made: Format, language: str, story: Story) -> None:
    """Write `README.md`, `photos.csv` and `figures/` into an export.

    Args:
        folder: of the export, its other files written already.
        run: the run folder.
        manifest: that was exported.
        table: its kept rows.
        made: the format.
        language: of the prompts.
        story: what the rows do not know.
    """
    numbers, sources = tally(manifest), photos.gather(run, manifest)
    pictured = specimens.write(folder, run, table)
    commit.write_bytes(folder / "photos.csv", photos.as_csv(sources).encode())
    parts = [
        _front_matter(numbers, sources, made, language, story),
        _opening(numbers, sources, made, story),
        _contents(numbers),
        _figures(numbers, pictured),
        f"## Reading it\n\n{made.usage(_splits(numbers))}",
        _licences(sources),
        _making(numbers, made, story),
        _methods(numbers, story),
    ]
    commit.write_bytes(folder / "README.md", ("\n".join(part.rstrip("\n") + "\n" for part in parts)).encode())


def _splits(numbers: Tally) -> list[str]:
    """Return the splits, the largest first."""
    return [split for split, _ in sorted(numbers.splits.items(), key=lambda item: (-item[1], item[0]))]


def _front_matter(numbers: Tally, sources: list[Credit], made: Format, language: str, story: Story) -> str:
    page: dict[str, Any] = {
        "pretty_name": story.name,
        **_hub_licence(sources),
        "language": [language],
        "task_categories": ["image-to-image"],
        "tags": ["image-restoration", *sorted(numbers.origins), "patina", *(name.replace("_", "-") for name in numbers.tasks)],
        "size_categories": [_size_category(numbers.pairs)],
    }
    if made.data_files is not None:
        files = [{"split": split, "path": made.data_files(split)} for split in _splits(numbers)]
        page["configs"] = [{"config_name": "default", "data_files": files}]
    return f"---\n{yaml.safe_dump(page, sort_keys=False, allow_unicode=True)}---"


def hub_name(licence: str) -> str | None:
    """Return the Hub's name of a licence as people write it (`CC BY-SA 4.0`); None where it has none."""
    word = re.sub(r"[\s_]+", "-", licence.strip().lower()).replace("cc-zero", "cc0")
    word = {"cc0": "cc0-1.0", "apache-2": "apache-2.0"}.get(word, word)
    return word if word in HUB_LICENCES else None


def _hub_licence(sources: list[Credit]) -> dict[str, Any]:
    """Return what the front matter says of licences; nothing where no photo's list says anything."""
    told = {credit.licence for credit in sources}
    if told == {licences.UNKNOWN}:
        return {}
    names = {hub_name(licence) for licence in told}
    if None in names:
        return {"license": "other", "license_name": "each-photo-its-own", "license_link": "photos.csv"}
    known = sorted(name for name in names if name)
    return {"license": known[0] if len(known) == 1 else known}


def _size_category(pairs: int) -> str:
    edges = [(10**3, "n<1K"), (10**4, "1K<n<10K"), (10**5, "10K<n<100K"), (10**6, "100K<n<1M"), (10**7, "1M<n<10M"), (10**8, "10M<n<100M")]
    return next((name for edge, name in edges if pairs < edge), "100M<n<1B")


def _opening(numbers: Tally, sources: list[Credit], made: Format, story: Story) -> str:
    sizes = [f"{width} x {height}" for (width, height), _ in numbers.sizes.most_common(3)]
    size = f"{', '.join(sizes)}{' and other sizes,' if len(numbers.sizes) > len(sizes) else ''} px"
    count = sum(credit.role == "photo" for credit in sources)
    head = f"\n# {cell(story.name)}\n\n{numbers.pairs:,} pairs of a clean photo and the same photo degraded, from {count:,} photos, {size}: {made.about}.\n"
    return head + _origins(numbers) + "\n"


def _origins(numbers: Tally) -> str:
    """Say where the two sides come from."""
    synthetic, real = numbers.origins["synthetic"], numbers.origins["real"]
    simulated = "simulated by [Patina](#how-it-was-made), in linear light and in physical order; both sides are aligned to the pixel."
    restored = "made by the makers named [below](#how-it-was-made); it was put back onto the photo where it had moved, and checked."
    if not real:
        return f"Every degradation was {simulated}"
    if not synthetic:
        return f"Every photo was found degraded; its clean side was {restored}"
    return f"In {synthetic:,} pairs the degradation was {simulated}\nIn {real:,} pairs the photo was found degraded; its clean side was {restored}"


def _contents(numbers: Tally) -> str:
    splits = _splits(numbers)
    head = ["task", "pairs", *splits, "severity: least, median, most", *(f"stratum {stratum}" for stratum in STRATA), "median PSNR"]
    lines = []
    for name, task in numbers.tasks.items():
        severity = "; ".join(f"{_spread(values)} {unit}" for unit, values in task.severities.items()) or "not graded"
        strata = [f"{task.strata[stratum]:,}" for stratum in STRATA]
        psnr = f"{task.psnr_db:.1f} dB" if task.psnr_db is not None else ""
        lines.append([name, f"{task.pairs:,}", *(f"{task.splits[split]:,}" for split in splits), severity, *strata, psnr])
    fallen = ", ".join(f"{reason} {count:,}" for reason, count in numbers.refused.most_common())
    books = f"Of {numbers.planned:,} planned pairs {numbers.pairs:,} were kept and {sum(numbers.refused.values()):,} refused{f' ({fallen})' if fallen else ''}."
    rules = "Splits divide photos, never the pairs of one photo. Strata go from barely visible (1) to clearly harmful (5)."
    return f"## What is in it\n\n{grid(head, lines)}\n\n{books}\n{rules}\n"


def _spread(values: list[float]) -> str:
    return ", ".join(f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}" for value in (values[0], statistics.median(values), values[-1]))


def _figures(numbers: Tally, pictured: list[str]) -> str:
    lines = [f"### {name}\n\n![{name}: degraded above, clean below](figures/{name}.jpg)\n" for name in numbers.tasks if name in pictured]
    return "## What it looks like\n\nDegraded above, clean below; from the left, the strata in their order.\n\n" + "\n".join(lines)


def _licences(sources: list[Credit]) -> str:
    counts = Counter(credit.licence for credit in sources)
    told = "[`photos.csv`](photos.csv) names every photo, second photo and bank image with its SHA-256 and all that its list told."
    if set(counts) == {licences.UNKNOWN}:
        return f"## Photos and licences\n\n{told}\n**No licence was recorded for any of them**: establish them before you give these pairs away.\n"
    ranked = counts.most_common()
    lines = [["**unknown**" if licence == licences.UNKNOWN else licence, f"{count:,}"] for licence, count in ranked[:MAX_LICENCES]]
    rest = f"\n\nand {len(ranked) - MAX_LICENCES:,} more." if len(ranked) > MAX_LICENCES else ""
    return f"## Photos and licences\n\n{told}\n\n{grid(['licence, as recorded', 'photos'], lines)}{rest}\n"


def _making(numbers: Tally, made: Format, story: Story) -> str:
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", story.recipe)), default=0))
    recipe = f"The recipe:\n\n{fence}yaml\n{story.recipe.rstrip()}\n{fence}\n" if story.recipe.strip() else "The recipe is in the run folder's `run.json`.\n"
    makers = "; ".join(f"{kind}: {', '.join(sorted(names))}" for kind, names in numbers.makers.items() if kind != CLEAN)
    restorers = f"\n- clean sides of real pairs: {cell(', '.join(sorted(numbers.makers[CLEAN])))}" if CLEAN in numbers.makers else ""
    versions = ", ".join(f"{name} {' / '.join(sorted(found))}" for name, found in numbers.made_with.items())
    return f"""## How it was made

{recipe}
To make it again, {_again(story)}
patina export run --to {made.name}
```

Every draw is a function of the recipe's seed and the SHA-256 of the photo, so the same photos give the same pairs under the same
names, in whatever order; equal versions give equal bytes.

- maps of the scene: {cell(makers or "none")}{restorers}
- versions: {cell(versions)}
"""


def _again(story: Story) -> str:
    """Return the words and commands that lead to the run."""
    if not story.joined:
        return "save the recipe as `recipe.yaml` and give it the photos of `photos.csv`:\n\n```sh\npatina build recipe.yaml --input PHOTOS --out run"
    builds = "".join(f"patina build {name}.yaml --input PHOTOS --out {name}\n" for name in story.joined)
    return f"save each part as a recipe of its own, and give it its photos of `photos.csv`:\n\n```sh\n{builds}patina join run {' '.join(story.joined)}"


def _methods(numbers: Tally, story: Story) -> str:
    works = [f"- {name}: {'; '.join(story.citations[name])}" for name in numbers.tasks if name in story.citations]
    return "## Methods\n\nWhoever uses these pairs may want to cite what they stand on:\n\n" + "\n".join(works) + "\n" if works else ""


def grid(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table."""
    rule = "|" + "---|" * len(head)
    return "\n".join([f"| {' | '.join(head)} |", rule, *(f"| {' | '.join(map(cell, line))} |" for line in lines)])


def cell(text: str) -> str:
    """Return text that stays text in Markdown, also in a table."""
    bold = re.fullmatch(r"\*\*([\w ]+)\*\*", text)
    return text if bold else re.sub(r"([\\`*\[\]|])", r"\\\1", html.escape(" ".join(text.split()), quote=False))
