"""Facts about `manifests.licences`: what a list says of a licence, and that nothing said is called unknown wherever rows go."""

from __future__ import annotations

import csv
import io
import json

import pytest
from crafted_run import craft

from manifests import commit, licences
from manifests.export import export


@pytest.mark.parametrize(
    ("extra", "licence"),
    [
        ({"licence": "CC0"}, "CC0"),
        ({"License": " CC BY 4.0 "}, "CC BY 4.0"),
        ({"licence": "N/A", "license": "CC0"}, "CC0"),
        ({"licence": ""}, "unknown"),
        ({"license": "None"}, "unknown"),
        ({"author": "CC0"}, "unknown"),
        ({}, "unknown"),
    ],
)
def test_what_is_said_is_kept_and_nothing_is_unknown(extra, licence):
    """Either spelling counts, in any case; words that say nothing do not."""
    assert licences.of(extra) == licence
    assert licences.named({**extra, "author": "me"}) == {"author": "me", "licence": licence}


def test_rows_without_a_licence_say_unknown_in_the_export(tmp_path):
    """The index of an export and its photos.csv give every row a licence, be it unknown, under one name."""
    manifest = craft(tmp_path)
    table = commit.read_table(manifest)
    extra = [[("license", "CC BY 4.0")], *([None] * (table.num_rows - 1))]
    place = table.schema.get_field_index("extra")
    import pyarrow as pa

    commit.write_table(manifest, table.set_column(place, table.schema.field(place), pa.array(extra, table.schema.field(place).type)))
    folder = export(tmp_path, manifest, "imagefolder")
    lines = [json.loads(line) for path in folder.rglob("metadata.jsonl") for line in path.read_text(encoding="utf-8").splitlines()]
    assert {line["photo_licence"] for line in lines} == {"CC BY 4.0", "unknown"}
    credits_ = list(csv.DictReader(io.StringIO((folder / "photos.csv").read_text(encoding="utf-8"))))
    assert "unknown" in {credit["licence"] for credit in credits_}
    assert "" not in {credit["licence"] for credit in credits_}
    assert "| **unknown** |" in (folder / "README.md").read_text(encoding="utf-8")
