"""Facts about `index.require_licence`: from a list of URLs to the index, a photo without a known licence is refused where the recipe says so."""

from __future__ import annotations

import io
import json

import pytest
from local_web import Site, answer, reader
from PIL import Image
from small_run import recipe

from manifests.commit import read_table
from pipelines import index
from pipelines.fetch import fetch
from pipelines.photos.sources import Source
from pipelines.run import create
from pipelines.web.turns import Manners


@pytest.fixture
def fetched(tmp_path, astronaut, rocket):
    """A folder with two photos that came over HTTP, one of them with a licence."""
    pages = {}
    for name, pixels in (("/a.jpg", astronaut), ("/b.jpg", rocket)):
        file = io.BytesIO()
        Image.fromarray(pixels).save(file, "JPEG", quality=97, subsampling=0)
        pages[name] = answer(file.getvalue())
    with Site(pages) as site:
        rows = [{"url": site.url("/a.jpg"), "licence": "public domain", "date": "1983"}, {"url": site.url("/b.jpg"), "licence": ""}]
        (tmp_path / "l.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        fetch(str(tmp_path / "l.jsonl"), tmp_path / "photos", reader(reader().limits._replace(max_bytes=1 << 24)), Manners(pause_s=0.0))
    return tmp_path / "photos"


@pytest.mark.parametrize("asked", [True, False])
def test_a_photo_without_a_licence_can_be_refused(fetched, tmp_path, asked):
    """What was fetched is indexed with URL, licence and date; without a licence it is kept, or refused as the recipe says."""
    sources = (Source(path=str(fetched)),)
    page = recipe(index={"require_licence": asked, "limits": {"min_short_side": 256, "max_blockiness": 1.5}})
    run = create(tmp_path / "run", page, "", sources)
    index._listing(run, sources)
    index.work({"run": str(run.folder), "part": 0, "skip": {}}, lambda _: None)
    rows = read_table(run.folder / "index" / "00000.parquet", ["verdict", "reason", "extra"]).to_pylist()
    assert [row["reason"] for row in rows] == [None, "no_licence" if asked else None]
    told = dict(rows[0]["extra"])
    assert (told["licence"], told["date"], told["url"].rpartition("/")[2]) == ("public domain", "1983", "a.jpg")
