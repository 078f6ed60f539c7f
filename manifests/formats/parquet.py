"""Parquet with the pictures inside, as Hugging Face `datasets` and the Hub's viewer read it.

A picture is `struct<bytes: binary, path: string>`; the schema's metadata key `huggingface` says which columns are
pictures. Side products are picture columns of their own (`layer_depth`), null where a pair has none.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from manifests.formats.columns import Columns, told
from manifests.formats.contract import SIDES, Contents, PackFormat

PART_BYTES = 480 * 10**6  # the Hub asks for files below 500 MB
GROUP_BYTES, GROUP_ROWS = 64 * 10**6, 100  # a row group is what a viewer loads for one page
_PICTURE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
_HEADS = {"image": "clean", "degraded": "degraded"}  # column -> role


def _parts(table: pa.Table) -> Iterator[tuple[str, pa.Table]]:
    """Files of at most PART_BYTES of pictures per split, with the Hub's names."""
    for split in sorted(set(table.column("split").to_pylist())):
        chosen = table.filter(pc.equal(table.column("split"), split))
        begins = _begins([sum(sizes) for sizes in zip(*_lengths(chosen), strict=True)])
        ends = [*begins[1:], chosen.num_rows]
        for part, (begin, end) in enumerate(zip(begins, ends, strict=True)):
            yield f"data/{split}-{part:05d}-of-{len(begins):05d}.parquet", chosen.slice(begin, end - begin)


def _lengths(table: pa.Table) -> list[list[int]]:
    """Return, by kind of picture, the bytes of each row."""
    layers = [sum(layer["length"] for layer in json.loads(text or "[]")) for text in table.column("layers").to_pylist()]
    return [*(table.column(f"{side}_length").to_pylist() for side in SIDES), layers]


def _begins(sizes: list[int]) -> list[int]:
    """Return the rows with which files begin."""
    begins, held = [0], 0
    for at, size in enumerate(sizes):
        if held + size > PART_BYTES and held:
            begins.append(at)
            held = 0
        held += size
    return begins


def _pack(file: BinaryIO, pairs: Iterable[Contents], columns: Columns) -> None:
    """Write one file; pictures are stored as they are, everything else is compressed."""
    schema = _schema(columns)
    packed = [name for name in schema.names if schema.field(name).type == _PICTURE]
    plain = [name for name in schema.names if name not in packed]
    codecs = {**dict.fromkeys(plain, "zstd"), **{f"{name}.{part}": "none" for name in packed for part in ("bytes", "path")}}
    with pq.ParquetWriter(file, schema, compression=codecs, use_dictionary=plain, write_page_checksum=True, write_statistics=plain) as writer:
        for group in _groups(pairs):
            writer.write_table(pa.Table.from_pylist([_record(pair, columns) for pair in group], schema))


def _groups(pairs: Iterable[Contents]) -> Iterator[list[Contents]]:
    group: list[Contents] = []
    held = 0
    for pair in pairs:
        group.append(pair)
        held += sum(map(len, pair.pictures.values()))
        if held >= GROUP_BYTES or len(group) == GROUP_ROWS:
            yield group
            group, held = [], 0
    if group:
        yield group


def _record(pair: Contents, columns: Columns) -> dict[str, Any]:
    row, pictures, extensions = pair
    key = row["pair_id"]
    sides = {name: {"bytes": pictures[role], "path": f"{key}.{role}.{extensions[role]}"} for name, role in _HEADS.items()}
    layers = {name: {"bytes": pictures[role], "path": f"{key}.{role}.png"} for name, role in columns.layers.items() if role in pictures}
    scales = {f"{name}_scale": row["layers"][role]["scale"] for name, role in columns.layers.items() if role in pictures}
    return {**sides, **told(row, columns), **layers, **scales}


def _schema(columns: Columns) -> pa.Schema:
    """Return the schema, with the note by which `datasets` knows pictures."""
    plain = [(name, getattr(pa, kind)()) for name, kind in columns.types().items()]
    layers = [field for name in columns.layers for field in ((name, _PICTURE), (f"{name}_scale", pa.float64()))]
    schema = pa.schema([*((name, _PICTURE) for name in _HEADS), *plain, *layers])
    features = {field.name: {"_type": "Image"} if field.type == _PICTURE else {"dtype": _dtype(field.type), "_type": "Value"} for field in schema}
    return schema.with_metadata({"huggingface": json.dumps({"info": {"features": features}})})


def _dtype(kind: pa.DataType) -> str:
    return {"double": "float64"}.get(str(kind), str(kind))


def _usage(splits: list[str]) -> str:
    return f"""```python
from datasets import load_dataset

pairs = load_dataset("PATH/OF/THIS/FOLDER", split="{splits[0]}", streaming=True)
for pair in pairs:
    pair["image"], pair["degraded"], pair["prompt"]
```

`image` is the clean side. Side products are columns `layer_NAME`, 16-bit, null where a pair has none; `layer_NAME_scale` is what
a stored 65535 stands for.
"""


FORMAT = PackFormat(
    name="parquet",
    about="Parquet with pictures inside for Hugging Face `datasets`",
    usage=_usage,
    parts=_parts,
    pack=_pack,
    data_files=lambda split: f"data/{split}-*.parquet",
    tables="data/*.parquet",
)
