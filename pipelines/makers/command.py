"""A program of the user's own: degraded photos go into a folder as PNG, it runs once, what it left in another folder are the candidates.

    real: {makers: {mine: {kind: command, settings: {version: "2", argv: [/opt/restore, --in, "{input}", --out, "{output}"]}}}}

`{input}` and `{output}` are put in place wherever they stand in an argument; `{orders}` is a JSON Lines file with `key`, `file`,
`task`, `prompt`, `seed` and `uri` of every photo, for programs that want to know. Photos are called KEY.png; for each, KEY.png,
KEY.jpg or KEY.webp is read, of any size. No shell is involved. Nothing tells us when such a program changes: `version` is
the user's word for it, and another word asks for everything anew.
"""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from pydantic import Field, field_validator

from degrade.contract import Srgb
from degrade.errors import BadSample, MissingModel, Reason, RunError
from filters.contract import Settings, Wants
from manifests import png
from pipelines.cell import die_with_parent
from pipelines.guard import ENVIRONMENT
from pipelines.makers import answers
from pipelines.makers.contract import Kind, Maker, Order

INPUT, OUTPUT, ORDERS = "{input}", "{output}", "{orders}"
ENDINGS = ("png", "jpg", "jpeg", "webp")
TAIL_LINES, TAIL_BYTES = 12, 4096  # of what a failed program said
GRACE_S = 30.0  # between our deadline and the engine's, so that it is ours that speaks


class CommandSettings(Settings):
    """Which program, and how long it may take."""

    argv: tuple[str, ...] = Field(min_length=1, description="program and arguments; {input} and {output} are folders, {orders} a JSON Lines file")
    version: str = Field(min_length=1, description="of the program with its weights, in your own words: another one makes all candidates anew")
    batch: int = Field(default=16, ge=1, le=4096, description="photos in the folder of one run of it")
    startup_s: float = Field(default=120.0, ge=0, description="what it may take before its first photo")
    deadline_s: float = Field(default=60.0, gt=0, description="what it may take for each photo")
    cpus: float = Field(default=1.0, gt=0, description="of each copy that runs")
    gpus: float = Field(default=0.0, ge=0)

    @field_validator("argv")
    @classmethod
    def _has_folders(cls, argv: tuple[str, ...]) -> tuple[str, ...]:
        for folder in (INPUT, OUTPUT):
            if not any(folder in word for word in argv):
                raise ValueError(f"no argument holds {folder}: the program must be told where the photos are and where candidates go")
        return argv


class Command:
    """A program that restores folders.

    Args:
        settings: from the recipe.

    Raises:
        MissingModel: there is no such program on this machine.
    """

    def __init__(self, settings: CommandSettings) -> None:
        if shutil.which(settings.argv[0]) is None:
            raise MissingModel(f"there is no program `{settings.argv[0]}` on this machine: install it, or give its whole path in `settings.argv`")
        self._settings = settings
        self.name = f"{shlex.join(settings.argv)}, version {settings.version}"

    def make(self, orders: Sequence[Order]) -> list[Srgb | BadSample]:
        """Return what the program made of the photos; a photo that it passed over is a BadSample.

        Raises:
            RunError: it failed, or took too long; with the end of what it said.
        """
        with tempfile.TemporaryDirectory(prefix="patina-command-") as place:
            given, made = Path(place, "input"), Path(place, "output")
            for folder in (given, made):
                folder.mkdir()
            for order in orders:
                (given / f"{order.key}.png").write_bytes(png.encode(order.pixels))
            told = Path(place, "orders.jsonl")
            told.write_text("".join(_line(order) + "\n" for order in orders), encoding="utf-8")
            self._run(given, made, told, len(orders))
            return [_candidate(made, order.key) for order in orders]

    def _run(self, given: Path, made: Path, told: Path, photos: int) -> None:
        """Run the program to its end; it and whatever it started are ended with the deadline."""
        places = {INPUT: str(given), OUTPUT: str(made), ORDERS: str(told)}
        argv = [_filled(word, places) for word in self._settings.argv]
        patience_s = self._settings.startup_s + self._settings.deadline_s * photos
        environment = {name: value for name, value in os.environ.items() if name not in ENVIRONMENT}  # our workers' limits are none of its business
        with tempfile.TemporaryFile() as said:
            child = subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
                env=environment,
                start_new_session=True,
                preexec_fn=die_with_parent,  # noqa: PLW1509  a worker has no other threads of Python, and must not leave orphans on a GPU
            )
            try:
                code = child.wait(patience_s)
            except subprocess.TimeoutExpired:
                raise RunError(f"`{argv[0]}` took more than {patience_s:g} s for {photos} photos: raise `deadline_s`. It said:\n{_tail(said)}") from None
            finally:
                _end(child)
            if code != 0:
                ended = f"exit code {code}" if code > 0 else signal.Signals(-code).name
                raise RunError(f"`{shlex.join(argv)}` failed ({ended}). It said:\n{_tail(said)}")


def _line(order: Order) -> str:
    """Return what a program may want to know of a photo."""
    told = {"key": order.key, "file": f"{order.key}.png", "task": order.task, "prompt": order.prompt, "seed": order.seed, "uri": order.uri}
    return json.dumps(told, ensure_ascii=False)


def _filled(word: str, places: dict[str, str]) -> str:
    for name, place in places.items():
        word = word.replace(name, place)
    return word


def _end(child: subprocess.Popen[bytes]) -> None:
    """End a program, and what it has left behind."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()


def _tail(said: IO[bytes]) -> str:
    """Return the last lines of what was said; of a progress bar its last state."""
    said.seek(max(0, said.seek(0, os.SEEK_END) - TAIL_BYTES))
    lines = said.read().decode("utf-8", "replace").split("\n")
    kept = [line.rstrip("\r").rpartition("\r")[2].rstrip() for line in lines]
    return "\n".join([line for line in kept if line][-TAIL_LINES:]) or "(nothing)"


def _candidate(folder: Path, key: str) -> Srgb | BadSample:
    """Return the picture that a program left for a photo, or that there is none."""
    for ending in ENDINGS:
        path = folder / f"{key}.{ending}"
        if path.is_file() and not path.is_symlink():
            if path.stat().st_size > answers.RULES.max_bytes:
                return BadSample(Reason.NO_CANDIDATE, f"the program gave a file of {path.stat().st_size} bytes")
            return answers.picture(path.read_bytes(), "the program")
    return BadSample(Reason.NO_CANDIDATE, f"the program ended well, but left no {key}.png, .jpg or .webp")


def open_maker(settings: CommandSettings, _device: str | None) -> Maker:
    """Open a program; raises MissingModel where there is none."""
    return Command(settings)


def wants(settings: CommandSettings) -> Wants:
    """Return what one copy of the program takes."""
    per_photo = settings.deadline_s + (settings.startup_s + GRACE_S) / settings.batch
    return Wants(settings.cpus, settings.gpus, settings.batch, per_photo)


KIND = Kind("command", "a program of your own that restores folders of photos", CommandSettings, open_maker, wants)
