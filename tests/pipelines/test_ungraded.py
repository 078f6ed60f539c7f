"""Real pairs that nobody graded: without severity and stratum, they are reported, shown, inspected and exported like all others."""

from __future__ import annotations

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from manifests import PairDataset, commit
from manifests.page.files import spread
from pipelines import build, export
from pipelines.pictures import figures, report


@pytest.fixture(params=["none", "half"])
def ungraded(request, scratch):
    """A run of whose pairs none, or every other one, has a grade."""
    table = commit.read_table(scratch.manifest)
    graded = [request.param == "half" and at % 2 == 0 for at in range(table.num_rows)]
    for name in ("severity", "stratum"):
        kept = [value if grade else None for value, grade in zip(table.column(name).to_pylist(), graded, strict=True)]
        table = table.set_column(table.column_names.index(name), table.schema.field(name), pa.array(kept, table.schema.field(name).type))
    told = []
    for text, grade in zip(table.column("steps").to_pylist(), graded, strict=True):
        steps = json.loads(text or "[]")
        told.append(json.dumps(steps if grade else [{**step, "severity": None, "stratum": None} for step in steps]))
    table = table.set_column(table.column_names.index("steps"), table.schema.field("steps"), pa.array(told, table.schema.field("steps").type))
    pq.write_table(table, scratch.manifest)
    record = json.loads(scratch.manifest_record.read_text())
    commit.write_json(scratch.manifest_record, {**record, "sha256": commit.sha256(scratch.manifest.read_bytes())})
    return scratch


def test_pairs_without_a_grade_are_counted_and_shown(ungraded):
    """The report's counts hold every kept pair, and its sheets, those of the summary and of the page show them."""
    report.write(ungraded)
    counts = json.loads((ungraded.report / "report.json").read_text())["counts"]
    kept = build.books(ungraded).kept
    assert sum(sum(strata) for splits in counts.values() for strata in splits.values()) == kept
    assert {len(strata) for splits in counts.values() for strata in splits.values()} == {6}
    assert "not graded" in (ungraded.report / "index.html").read_text()
    assert figures.pairs_sheet(ungraded) is not None
    assert len(spread(commit.read_table(ungraded.manifest), 10_000)) >= kept


def test_an_export_says_what_columns_hold_though_they_are_empty(ungraded):
    """Severity is a number in the metadata of an export, though no pair has one."""
    folder = export.export(ungraded, "imagefolder")
    fields = json.loads((folder / "croissant.json").read_text())["recordSet"][0]["field"]
    kinds = {field["name"]: field["dataType"] for field in fields}
    assert (kinds["severity"], kinds["stratum"], kinds["task"]) == ("sc:Float", "sc:Integer", "sc:Text")


def test_a_trainer_gets_batches_of_them(ungraded):
    """Pairs with and without a grade are collated by torch: not a number, and stratum 0, stand for none."""
    torch = pytest.importorskip("torch", reason="pip install 'patina[train]'")
    pairs = PairDataset(ungraded.folder)
    batch = next(iter(torch.utils.data.DataLoader(pairs, batch_size=len(pairs))))
    graded = [bool(stratum and stratum > 0) for stratum in pairs.column("stratum")]
    assert batch["stratum"].gt(0).tolist() == graded
    assert batch["severity"].isnan().tolist() == [not grade for grade in graded]
    assert not all(graded)
