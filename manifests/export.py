"""The kept pairs of a run in other people's formats; the stored bytes are copied, never coded again.

A format is built under a temporary name and takes its place when it is whole. It remembers what it was made from: a second
run changes nothing, one that was interrupted goes on where it stopped, and a new selection replaces it. Picture files that
another export of the run has already are hard-linked.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

from degrade.errors import RunError
from manifests import commit
from manifests.card import croissant, readme
from manifests.card.readme import Story
from manifests.formats import FORMATS
from manifests.formats.columns import columns
from manifests.formats.contract import Contents, FileFormat, PackFormat, Placed
from manifests.formats.rows import kept, rows
from manifests.linking import Placer
from manifests.members import Members, stored

VERSION = 2  # of what is written: rises when the same manifest would give other files
RECORD = "export.json"


def export(run: Path, manifest: Path, to: str, language: str = "en", story: Story | None = None) -> Path:
    """Write a format; answer its folder, `RUN/export/NAME`.

    Args:
        run: the run folder.
        manifest: its manifest.
        to: a name of `FORMATS`.
        language: of the one prompt that trainers see, en or zh.
        story: what the card tells beside the rows.

    Raises:
        RunError: no pair was kept, or the disk is full.
        CorruptRun: a stored picture is not what its row says.
    """
    made, story = FORMATS[to], story or Story()
    target = run / "export" / to
    made_from = {"format": to, "version": VERSION, "language": language, "manifest_sha256": commit.sha256(manifest.read_bytes()), "story": story.fingerprint()}
    if made.bound:
        made_from["folder"] = str(target.absolute())
    if _record(target) == made_from:
        return target
    building = target.with_name(f".{to}{commit.TEMPORARY}")
    try:
        _begin(building, made_from)
        _fill(run, table := kept(manifest), made, language, building)
        readme.write(building, run, manifest, table, made, language, story)
        if made.tables:
            croissant.write(building, made, story)
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise RunError(f"the disk of {target} is full: make room and run the same command again; it goes on where it stopped") from error
        raise
    _finish(building, target, made_from)
    return target


def _record(folder: Path) -> dict[str, Any] | None:
    """Return what a folder was made from; None where that cannot be read."""
    try:
        record: dict[str, Any] = json.loads((folder / RECORD).read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        return None
    return record


def _begin(building: Path, made_from: dict[str, Any]) -> None:
    """Make the temporary folder, or go on with one that was begun from the same manifest."""
    begun = building / f".{RECORD}"
    try:
        same = json.loads(begun.read_text(encoding="utf-8")) == made_from
    except (FileNotFoundError, json.JSONDecodeError):
        same = False
    if not same:
        shutil.rmtree(building, ignore_errors=True)
        commit.write_json(begun, made_from)
    for folder, _, _ in os.walk(building):
        commit.clear_temporaries(Path(folder))


def _finish(building: Path, target: Path, made_from: dict[str, Any]) -> None:
    """Give the export its name; an older one leaves only now, so that its pictures could be linked."""
    os.sync()  # one call for all pictures: an fsync for each takes longer than writing them
    (building / f".{RECORD}").unlink(missing_ok=True)
    commit.write_json(building / RECORD, made_from)
    old = target.with_name(f".{target.name}.old{commit.TEMPORARY}")
    shutil.rmtree(old, ignore_errors=True)
    if target.exists():
        target.rename(old)
    building.rename(target)
    commit.sync_folder(target.parent)
    shutil.rmtree(old, ignore_errors=True)


def _fill(run: Path, table: pa.Table, made: FileFormat | PackFormat, language: str, building: Path) -> None:
    """Write the pictures and what names them."""
    which = columns(rows(table, language))
    with Members(run) as members:
        if isinstance(made, FileFormat):
            placed = _place(run, table, made, language, Placer(building, members))
            _write_indices(building, made, (made.entry(pair, which, (run / "export" / made.name).absolute()) for pair in placed))
            return
        for path, part in made.parts(table):
            if not (building / path).exists():
                with commit.atomic_file(building / path) as file:
                    made.pack(file, _contents(part, language, members), which)


def _place(run: Path, table: pa.Table, made: FileFormat, language: str, placer: Placer) -> Iterator[Placed]:
    """Put every picture in its place; yield the paths."""
    others = [(run / "export" / name, other) for name, other in FORMATS.items() if isinstance(other, FileFormat)]
    for row in rows(table, language):
        paths = {}
        for role, picture in stored(row).items():
            path = made.place(row, role, picture.extension)
            if path is None:
                continue
            first = [placer.folder / str(made.place({**row, "pair_id": row["clean_of"]}, role, picture.extension))] if role == "clean" else []
            elsewhere = [folder / twin for folder, other in others if (twin := other.place(row, role, picture.extension))]
            placer.place(picture, path, [*first, *elsewhere])
            paths[role] = path
        yield Placed(row, paths)


def _write_indices(building: Path, made: FileFormat, entries: Iterator[tuple[str, str]]) -> None:
    """Write the texts that name the pictures."""
    texts: dict[str, list[str]] = {}
    for path, text in entries:
        texts.setdefault(path, []).append(text)
    for path, lines in texts.items():
        (building / path).write_text(made.frame.text(lines), encoding="utf-8")


def _contents(part: pa.Table, language: str, members: Members) -> Iterator[Contents]:
    """Yield the pairs of a file with their bytes."""
    for row in rows(part, language):
        pictures = stored(row)
        yield Contents(row, {role: members.read(picture) for role, picture in pictures.items()}, {role: made.extension for role, made in pictures.items()})
