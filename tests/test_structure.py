"""Imports run one way, files stay small, ray and torch stay where they belong: read off the code itself."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("degrade", "filters", "manifests", "pipelines")
FILES = sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))
BELOW = {  # who may import whom
    "degrade": {"degrade"},
    "filters": {"filters", "degrade"},
    "manifests": {"manifests"},
    "pipelines": set(ROOMS),
}
SHARED = {"degrade.errors", "degrade.keys"}  # leaves that import nothing of ours: the tree of exceptions, and its wording
HEAVY = {"torch", "torchvision", "transformers", "open_clip", "segment_anything", "webdataset", "timm", "lpips", "diffusers", "spandrel"}


def imports(path: Path, *, top_only: bool = False) -> set[str]:
    """Return the modules that a file imports; `from a import b` counts as a.b."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = set()
    for node in tree.body if top_only else ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_run_one_way(path):
    """No file imports from a room above its own."""
    room = path.relative_to(ROOT).parts[0]
    ours = {name for name in imports(path) if name.partition(".")[0] in ROOMS}
    strangers = {name for name in ours if name.partition(".")[0] not in BELOW[room] and ".".join(name.split(".")[:2]) not in SHARED}
    assert not strangers


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_is_one_idea(path):
    """No file is longer than 300 lines, and each says what it is."""
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 300
    assert not text or ast.get_docstring(ast.parse(text))


def test_ray_is_imported_in_one_module():
    """Only the engine knows Ray."""
    assert [path.relative_to(ROOT).as_posix() for path in FILES if any(name.split(".")[0] == "ray" for name in imports(path))] == ["pipelines/engine.py"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_heavy_libraries_load_when_they_are_needed(path):
    """No module imports a model library at its top."""
    assert not {name for name in imports(path, top_only=True) if name.partition(".")[0] in HEAVY | {"ray", "matplotlib"}}


def test_leaves_import_nothing_of_ours():
    """What every room may import does not pull a room in."""
    for leaf in SHARED:
        path = ROOT / (leaf.replace(".", "/") + ".py")
        assert not {name for name in imports(path) if name.partition(".")[0] in ROOMS}


def test_planning_imports_neither_torch_nor_ray():
    """The plan's module tree, imported in a fresh process, holds no heavy library."""
    code = "import sys, pipelines.plan, pipelines.cli; print([name for name in ('torch', 'ray', 'transformers', 'matplotlib') if name in sys.modules])"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert answer.stdout.strip() == "[]"


def test_the_top_level_is_the_agreed_one():
    """A newcomer finds the agreed rooms and nothing else."""
    import shutil

    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("not a git checkout: there is nothing to compare with")
    tracked = subprocess.run(["git", "ls-files"], capture_output=True, text=True, check=True, cwd=ROOT).stdout.splitlines()
    assert {name.partition("/")[0] for name in tracked} <= {
        *("pyproject.toml", "README.md", "CHANGELOG.md", "Makefile", ".gitignore", ".ci"),
        *(*ROOMS, "configs", "tests", "benchmarks", "docs", "LICENSE"),
    }
