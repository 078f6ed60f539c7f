"""What the README says can be done is done, in the order in which it says so."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from manifests.commit import read_table

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(kind: str) -> list[str]:
    """Return the fenced blocks of a kind."""
    return re.findall(rf"```{kind}\n(.*?)```", README, flags=re.DOTALL)


def commands() -> list[str]:
    """Return every command line of the README."""
    return [line.partition("#")[0].strip() for block in blocks("sh") for line in block.splitlines() if line.strip()]


def test_every_patina_command_works(tmp_path, photos):
    """A newcomer who types the README line by line sees no error, and the Python below it runs on the result."""
    shutil.copytree(photos, tmp_path / "photos")
    shutil.copytree(ROOT / "configs", tmp_path / "configs")
    done = [line for line in commands() if line.startswith("patina ")]
    assert len(done) >= 12
    for line in done:
        words = shlex.split(line)[1:]
        if "ID" in words:
            words[words.index("ID")] = read_table(tmp_path / "steps" / "manifest.parquet", ["pair_id"]).column("pair_id")[0].as_py()
        answer = subprocess.run([sys.executable, "-m", "pipelines", *words], check=False, capture_output=True, text=True, cwd=tmp_path)
        assert answer.returncode == 0, f"{line}\n{answer.stdout}{answer.stderr}"
    pytest.importorskip("torch", reason="the Python of the README needs 'patina[train]'")
    for block in blocks("python"):
        subprocess.run([sys.executable, "-c", block], check=True, cwd=tmp_path)


def test_every_make_target_exists():
    """`make demo` and `make test` are in the Makefile."""
    named = [line.split()[1] for line in commands() if line.startswith("make ")]
    assert named[:2] == ["demo", "test"]
    for target in named:
        subprocess.run(["make", "-n", target], check=True, capture_output=True, cwd=ROOT)


def test_every_file_that_is_linked_exists():
    """No link points nowhere."""
    for target in re.findall(r"\]\(([^)h][^)]*)\)", README):
        assert (ROOT / target).exists(), target


def test_yaml_in_the_readme_is_valid():
    """Pieces of recipes fit into a recipe."""
    from pipelines.recipe import parse

    pages = [parse({"tasks": {"haze": {}}, **yaml.safe_load(block)}) for block in blocks("yaml")]
    assert {page.priors.depth for page in pages} == {"geometric", "dpt_large"}
    assert any(page.banks and page.layers for page in pages)
    assert any(page.score.pairs and page.select.limits for page in pages)


def listed(section: str) -> tuple[str, ...]:
    """Return the first words of the table in a section."""
    text = README.partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    return tuple(re.findall(r"^\| `(\w+)` \|", text, flags=re.MULTILINE))


def test_the_table_of_degradations_is_the_catalogue():
    """Every registered generator is described, and nothing is described that is not registered."""
    import degrade

    assert listed("Degradations") == degrade.NAMES


def test_the_table_of_scorers_is_the_registry():
    """Every scorer is described, and nothing is described that is not registered."""
    import filters

    assert sorted(listed("Filters")) == sorted(filters.NAMES)
