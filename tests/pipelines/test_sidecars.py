"""Facts about `pipelines.photos.sidecars`: what img2dataset's output says of its photos travels with them."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from degrade.errors import RecipeError
from pipelines.photos.sources import listing, read

ROWS = [
    {"url": "https://a.test/0.jpg", "caption": "a boat", "license": "CC0", "status": "success"},
    {"url": "https://a.test/1.jpg", "caption": None, "license": None, "status": "failed_to_download"},
    {"url": "https://a.test/2.jpg", "caption": "two, boats", "license": "CC BY 4.0", "status": "success"},
]
TRAVELS = [{"url": row["url"], "caption": row["caption"], "license": row["license"], "fetched_sha256": "ab"} for row in ROWS if row["status"] == "success"]


def record(at: int, shard: str = "00000") -> dict:
    """Return a row as img2dataset writes it."""
    ok = ROWS[at]["status"] == "success"
    size = dict.fromkeys(("width", "height", "original_width", "original_height"), 80 if ok else None)
    exif = json.dumps({"GPS GPSLatitude": "[48, 8, 0]"}) if ok else None
    return {"key": f"{shard}{at:04d}", **ROWS[at], "error_message": None if ok else "HTTP Error 404", **size, "exif": exif, "sha256": "ab" if ok else None}


def members(shard: str = "00000") -> dict[str, bytes]:
    """Return what img2dataset puts into a tar or folder."""
    made = {}
    for at in (0, 2):
        row = record(at, shard)
        made |= {f"{row['key']}.jpg": f"photo {at}".encode(), f"{row['key']}.txt": row["caption"].encode()}
        made |= {f"{row['key']}.json": json.dumps(row, indent=4).encode()}
    return made


def tar(path: Path, content: dict[str, bytes]) -> None:
    """Write a tar."""
    with tarfile.open(path, "w") as archive:
        for name, data in content.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))


def test_webdataset_output_is_read_with_its_tables(tmp_path):
    """A folder of img2dataset's tars is a source: URL, caption and licence come from the Parquet, sizes and EXIF stay behind."""
    tar(tmp_path / "00000.tar", members())
    pq.write_table(pa.Table.from_pylist([record(at) for at in range(3)]), tmp_path / "00000.parquet")
    (tmp_path / "00000_stats.json").write_text("{}")
    for source in (tmp_path, tmp_path / "00000.tar", f"{tmp_path}/*.tar"):
        found = listing([str(source)])
        assert [read(item) for item in found] == [b"photo 0", b"photo 2"]
        assert [item.extra for item in found] == TRAVELS


def test_without_its_table_a_tar_speaks_for_itself(tmp_path):
    """Tars that were moved alone say the same by their JSON members; a text member alone is a caption."""
    content = members()
    del content["000000002.json"]
    tar(tmp_path / "00000.tar", content)
    first, second = listing([str(tmp_path / "00000.tar")])
    assert (first.extra, second.extra) == (TRAVELS[0], {"caption": "two, boats"})


def test_files_output_is_read_with_its_tables(tmp_path):
    """In the layout `files`, the Parquet beside each folder speaks for the photos in it."""
    for shard in ("00000", "00001"):
        (tmp_path / shard).mkdir()
        for name, data in members(shard).items():
            (tmp_path / shard / name).write_bytes(data)
        pq.write_table(pa.Table.from_pylist([record(at, shard) for at in range(3)]), tmp_path / f"{shard}.parquet")
    found = listing([str(tmp_path)])
    assert [item.extra for item in found] == TRAVELS * 2
    assert [item.extra for item in listing([str(tmp_path / "00001")])] == [{}, {}]


def test_remote_output_is_read_alike():
    """On any file system that fsspec drives, a tar's table stands beside it."""
    memory = fsspec.filesystem("memory")
    file, rows = io.BytesIO(), io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        info = tarfile.TarInfo("000000000.jpg")
        archive.addfile(info, io.BytesIO())
    pq.write_table(pa.Table.from_pylist([record(at) for at in range(3)]), rows)
    memory.pipe({"/img/00000.tar": file.getvalue(), "/img/00000.parquet": rows.getvalue()})
    try:
        for source in ("memory://img", "memory://img/00000.tar"):
            assert [item.extra for item in listing([source])] == TRAVELS[:1]
    finally:
        memory.rm("/img", recursive=True)


@pytest.mark.parametrize("data", [b"{}", b"[1]", b"no json", b'{"pair_id": "x", "task": "haze"}', b"[" * 60000, b'{"url": "' + b"x" * 70000 + b'"}'])
def test_members_that_are_no_records_say_nothing(tmp_path, data):
    """JSON of another kind, broken or endless JSON is no photo's record."""
    tar(tmp_path / "x.tar", {"a.json": data, "a.jpg": b"photo"})
    assert [item.extra for item in listing([str(tmp_path / "x.tar")])] == [{}]


def test_a_tar_with_a_table_of_another_kind_stays_what_it_was(tmp_path):
    """A folder's tars are followed only where an img2dataset table stands beside them: shards of runs are not photos."""
    tar(tmp_path / "x.tar", {"a.jpg": b"photo"})
    (tmp_path / "b.jpg").write_bytes(b"photo")
    pq.write_table(pa.table({"pair_id": ["x"]}), tmp_path / "x.parquet")
    assert [Path(item.uri).name for item in listing([str(tmp_path)])] == ["b.jpg"]


def test_a_damaged_table_is_an_error_that_names_it(tmp_path):
    """Licences are not lost in silence."""
    tar(tmp_path / "00000.tar", members())
    (tmp_path / "00000.parquet").write_bytes(b"PAR1 cut")
    with pytest.raises(RecipeError, match=r"00000\.parquet"):
        listing([str(tmp_path)])
