"""Croissant metadata (`croissant.json`): JSON-LD by which search engines and loaders find columns and pictures.

After the Croissant format specification 1.0 (MLCommons, 2024, http://mlcommons.org/croissant/1.0): a table's files are FileObjects
with their hashes, and every column is a field of one record set.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from manifests import commit
from manifests.card.readme import Story
from manifests.formats.contract import Format

CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
MEDIA_TYPES = {".parquet": "application/x-parquet", ".jsonl": "application/jsonlines"}
_OF_JSON = {int: "sc:Integer", float: "sc:Float", str: "sc:Text"}
_OF_NOTHING = {"severity": "sc:Float", "stratum": "sc:Integer"}  # columns that may hold no value at all, and are no text
_OF_ARROW = {pa.int64(): "sc:Integer", pa.float64(): "sc:Float", pa.string(): "sc:Text"}  # the rest are pictures


def write(folder: Path, made: Format, story: Story) -> None:
    """Write `croissant.json` into an export whose format has tables.

    Args:
        folder: of the export, its tables written already.
        made: the format; `made.tables` is the glob of its tables.
        story: the data set's name.
    """
    files = sorted(folder.glob(made.tables or ""))
    objects = [_file_object(folder, path) for path in files]
    fields = _fields(files[0])
    page = {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": story.name,
        "description": "Pairs of a clean photo and the same photo degraded, for training image restoration; README.md tells the rest.",
        "distribution": objects,
        "recordSet": [_record_set(made_of["@id"], fields) for made_of in objects],
    }
    commit.write_bytes(folder / "croissant.json", (json.dumps(page, indent=2, ensure_ascii=False) + "\n").encode())


def _file_object(folder: Path, path: Path) -> dict[str, Any]:
    with open(path, "rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    name = path.relative_to(folder).as_posix()
    return {
        "@type": "cr:FileObject",
        "@id": name,
        "name": name,
        "contentUrl": name,
        "contentSize": f"{path.stat().st_size} B",
        "encodingFormat": MEDIA_TYPES[path.suffix],
        "sha256": sha256,
    }


def _fields(path: Path) -> dict[str, str]:
    """Return the data type of every column of a table."""
    if path.suffix == ".parquet":
        schema = pq.read_schema(path)
        return {field.name: _OF_ARROW.get(field.type, "sc:ImageObject") for field in schema}
    found: dict[str, str] = {}
    row: dict[str, Any] = {}
    with open(path, encoding="utf-8") as file:
        for line in file:  # until every column has shown a value: photos that nobody graded have no severity
            row = json.loads(line)
            found = {key: _OF_JSON[type(value)] for key, value in row.items() if value is not None} | found
            if len(found) == len(row):
                break
    return {key: found.get(key, _OF_NOTHING.get(key, "sc:Text")) for key in row}


def _record_set(table: str, fields: dict[str, str]) -> dict[str, Any]:
    """Return the records of one table; ids are paths, because they are global in a page."""
    return {
        "@type": "cr:RecordSet",
        "@id": f"{table}/records",
        "name": f"{table}/records",
        "field": [_field(table, name, kind) for name, kind in fields.items()],
    }


def _field(table: str, name: str, kind: str) -> dict[str, Any]:
    pixels = {"transform": {"jsonPath": "bytes"}} if kind == "sc:ImageObject" else {}
    source = {"fileObject": {"@id": table}, "extract": {"column": name}, **pixels}
    return {"@type": "cr:Field", "@id": f"{table}/{name}", "name": name, "dataType": kind, "source": source}
