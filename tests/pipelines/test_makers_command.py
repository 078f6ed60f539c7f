"""Programs of the user's own: small real ones, with good and bad manners."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from degrade.errors import BadSample, MissingModel, Reason, RunError
from pipelines.makers import command
from pipelines.makers.command import CommandSettings
from pipelines.makers.contract import Order

INVERT = """
import sys, cv2, pathlib
for path in sorted(pathlib.Path(sys.argv[1]).glob("*.png")):
    cv2.imwrite(str(pathlib.Path(sys.argv[2]) / path.name), 255 - cv2.imread(str(path)))
"""


def opened(code: str, *words: str, **settings: object):
    argv = [sys.executable, "-c", code, *(words or ("{input}", "{output}"))]
    if not words or "{input}" not in " ".join(words):
        argv += ["--", "{input}", "{output}"] if words else []
    return command.open_maker(CommandSettings(argv=argv, version="1", **settings), None)


def order(key: str, level: int = 40, **more: str) -> Order:
    return Order(key, np.full((20, 30, 3), level, np.uint8), "haze", more.get("prompt", "Remove the haze."), 7, more.get("uri", ""))


def test_a_program_restores_a_folder():
    """Photos arrive as they are, lossless, and what it leaves are their candidates, in order."""
    maker = opened(INVERT)
    made = maker.make([order("b", 10), order("a", 200)])
    assert [int(one[0, 0, 0]) for one in made] == [245, 55]
    assert made[0].shape == (20, 30, 3)
    assert maker.name.endswith("'{input}' '{output}', version 1")


def test_colours_and_other_formats_come_through(astronaut):
    """A JPEG or WebP of another size is read too, red stays red."""
    code = """
import sys, pathlib
from PIL import Image
Image.new("RGB", (50, 40), (250, 0, 0)).save(pathlib.Path(sys.argv[2]) / "a.jpg")
Image.new("RGB", (60, 40), (0, 0, 250)).save(pathlib.Path(sys.argv[2]) / "b.webp", lossless=True)
"""
    red, blue = opened(code).make([order("a"), order("b")])
    assert red.shape == (40, 50, 3)
    assert red[..., 0].min() > 240
    assert red[..., 1:].max() < 15
    assert (blue == (0, 0, 250)).all()


def test_a_program_may_ask_what_it_does():
    """`{orders}` is a file with the task, the prompt and the seed of every photo."""
    code = "import sys, shutil; shutil.copy(sys.argv[1], sys.argv[4]); sys.exit(open(sys.argv[1], encoding='utf-8').read())"
    with pytest.raises(RunError) as failure:
        opened(code, "{orders}", "{input}", "{output}", os.devnull).make([order("a", prompt="去除雾霾", uri="x.jpg")])
    said = json.loads(str(failure.value).splitlines()[-1])
    assert said == {"key": "a", "file": "a.png", "task": "haze", "prompt": "去除雾霾", "seed": 7, "uri": "x.jpg"}


def test_a_photo_that_is_passed_over_has_a_reason():
    """A missing output, a broken one, one that is cut, and a link to somewhere are refusals of their photos alone."""
    code = """
import sys, pathlib, shutil, os
given, made = map(pathlib.Path, sys.argv[1:])
shutil.copy(given / "a.png", made / "a.png")
(made / "c.png").write_bytes(b"no picture")
(made / "d.png").write_bytes((given / "d.png").read_bytes()[:60])
os.symlink(given / "e.png", made / "e.png")
"""
    made = opened(code).make([order(key) for key in "abcde"])
    assert (made[0] == 40).all()
    assert [one.reason for one in made[1:] if isinstance(one, BadSample)] == [Reason.NO_CANDIDATE] * 4
    assert "left no b.png" in made[1].detail


def test_a_program_that_fails_is_quoted():
    """The error holds the exit code and the end of what was said; of a progress bar its last state."""
    code = "import sys; print('loading'); print('10%\\r50%\\r99%', file=sys.stderr); sys.exit('no CUDA device')"
    with pytest.raises(RunError, match=r"failed \(exit code 1\)\. It said:(?s:.*)\n99%\nno CUDA device$"):
        opened(code).make([order("a")])
    with pytest.raises(RunError, match="SIGSEGV"):
        opened("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)").make([order("a")])


def test_a_program_that_hangs_is_ended_with_its_children(tmp_path):
    """With the deadline the program and what it has started are gone, and the error says which setting to raise."""
    note = tmp_path / "pid"
    code = f"import subprocess, sys, time; child = subprocess.Popen(['sleep', '60']); open({str(note)!r}, 'w').write(str(child.pid)); time.sleep(60)"
    begin = time.monotonic()
    with pytest.raises(RunError, match=r"took more than 1\.2 s for 2 photos: raise `deadline_s`"):
        opened(code, startup_s=1.0, deadline_s=0.1).make([order("a"), order("b")])
    assert time.monotonic() - begin < 30
    with pytest.raises(ProcessLookupError):
        for _ in range(100):
            os.kill(int(note.read_text()), 0)
            if Path(f"/proc/{note.read_text()}/stat").read_text().split()[2] == "Z":  # dead, and not yet buried by init
                raise ProcessLookupError
            time.sleep(0.02)


def test_no_shell_reads_the_arguments(tmp_path):
    """What would be a command to a shell is a plain argument."""
    words = f"; touch {tmp_path / 'ran'}; $(touch {tmp_path / 'ran'})"
    opened(INVERT, "{input}", "{output}", words).make([order("a")])
    assert not (tmp_path / "ran").exists()


def test_our_workers_limits_are_not_inherited(monkeypatch):
    """A program of its own is not held to the one thread that our workers have."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    with pytest.raises(RunError, match=r"\nNone$"):
        opened("import os, sys; sys.exit(str(os.environ.get('OMP_NUM_THREADS')))").make([order("a")])


def test_settings_are_checked():
    """Folders must be named, a version given, and the program be there."""
    with pytest.raises(ValidationError, match=r"no argument holds \{output\}"):
        CommandSettings(argv=("restore", "{input}"), version="1")
    with pytest.raises(ValidationError, match="version"):
        CommandSettings(argv=("restore", "{input}", "{output}"))
    with pytest.raises(MissingModel, match="there is no program `no-such-restorer`"):
        command.open_maker(CommandSettings(argv=("no-such-restorer", "{input}", "{output}"), version="1"), None)


def test_the_engine_waits_longer_than_we_do():
    """Our own deadline, which can say what happened, comes before the engine's."""
    settings = CommandSettings(argv=("x", "{input}", "{output}"), version="1", batch=8, startup_s=100, deadline_s=10)
    wants = command.wants(settings)
    assert wants.deadline_s * wants.batch == pytest.approx(100 + 80 + command.GRACE_S)
