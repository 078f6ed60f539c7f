"""WebDataset: tars in which the members of one pair stand together under one key, as in the run's own shards.

    213714d7.clean.png  213714d7.degraded.jpg  213714d7.json  213714d7.txt  213714d7.layer.depth.png

https://github.com/webdataset/webdataset: the key ends at the first dot of the base name, the rest names the member.
"""

from __future__ import annotations

import itertools
import tarfile
from collections.abc import Iterable, Iterator
from io import BytesIO
from typing import BinaryIO

import pyarrow as pa
import pyarrow.compute as pc

from manifests.formats.columns import Columns, as_json, told
from manifests.formats.contract import SIDES, Contents, PackFormat


def _parts(table: pa.Table) -> Iterator[tuple[str, pa.Table]]:
    """One tar per shard of the run, with the shard's kept rows."""
    pieces: dict[str, list[pa.Table]] = {}
    at = 0
    for shard, group in itertools.groupby(pc.cast(table.column("shard"), pa.string()).to_pylist()):
        count = sum(1 for _ in group)
        pieces.setdefault(shard, []).append(table.slice(at, count))
        at += count
    for shard, found in pieces.items():
        yield f"{shard}.tar", pa.concat_tables(found)


def _pack(file: BinaryIO, pairs: Iterable[Contents], columns: Columns) -> None:
    """Write one tar, without times, owners or anything else that is not in the rows."""
    with tarfile.open(fileobj=file, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for row, pictures, extensions in pairs:
            key = row["pair_id"]
            scales = {name: layer["scale"] for name, layer in row["layers"].items()}
            story = {**told(row, columns), **({"layer_scales": scales} if scales else {})}
            members = {f"{side}.{extensions[side]}": pictures[side] for side in SIDES}
            members |= {"json": as_json(story).encode(), "txt": row["prompt"].encode()}
            members |= {f"layer.{name}.png": pictures[name] for name in row["layers"]}
            for extension, data in members.items():
                info = tarfile.TarInfo(f"{key}.{extension}")
                info.size = len(data)
                tar.addfile(info, BytesIO(data))


def _usage(splits: list[str]) -> str:
    return f"""```python
from glob import glob
from webdataset import WebDataset

extensions = ("png", "jpg", "webp")  # of a side's own bytes: a JPEG stays a JPEG
degraded, clean = ([f"{{side}}.{{extension}}" for extension in extensions] for side in ("degraded", "clean"))
pairs = WebDataset(sorted(glob("{splits[0]}-*.tar")), shardshuffle=100).shuffle(1000)
pairs = pairs.decode("pil", only=[*degraded, *clean, "txt"]).to_tuple(";".join(degraded), ";".join(clean), "txt")
```

Side products, where a pair has any, are 16-bit PNG (`layer.NAME.png`); in its `json`, `layer_scales` says what a stored 65535
stands for.
"""


FORMAT = PackFormat(
    name="webdataset",
    about="tars of kept pairs for WebDataset",
    usage=_usage,
    parts=_parts,
    pack=_pack,
)
