"""Facts about `pipelines.fetch`: every row of a list has its photo or its reason, once, whatever interrupts the job."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from local_web import BRISK, HERE, PHOTOS, Site, answer, jpeg, list_of, reader, table
from typer import Typer
from typer.testing import CliRunner

from degrade.errors import BadSample, RecipeError, RunError
from manifests.commit import sha256
from pipelines import cli_fetch
from pipelines.fetch import fetch
from pipelines.photos.sources import listing, read
from pipelines.web import wanted
from pipelines.web.reader import Fetched
from pipelines.web.spool import Answer, Spool


@pytest.fixture
def site():
    """A site with twelve photos."""
    with Site({path: answer(data) for path, data in PHOTOS.items()}) as site:
        yield site


@pytest.fixture(autouse=True)
def small_parts(monkeypatch):
    """Parts of five rows, so that a short list has several."""
    monkeypatch.setattr(wanted, "PART", 5)


def test_every_row_has_its_photo_or_its_reason(site, tmp_path):
    """Photos come with hash, licence and extra columns; copies, blanks and missing pages have reasons; the books close."""
    urls = [site.url(path) for path in PHOTOS]
    rows = [{"url": url, "licence": "CC BY 4.0", "date": "2021-05-01"} for url in urls[:8]]
    rows += [{"url": urls[0] + "#again", "licence": ""}, {"url": ""}, {"url": site.url("/gone.jpg")}, {"url": urls[8], "licence": "N/A"}]
    books = fetch(list_of(tmp_path / "l.csv", rows), tmp_path / "out", reader(), BRISK)
    assert books.closed
    assert (books.wanted, books.fetched, books.refused) == (12, 9, {"duplicate": 1, "http_error": 1, "missing": 1})
    told = table(tmp_path / "out")
    assert [(row["status"], row["reason"]) for row in told[8:11]] == [("refused", "duplicate"), ("refused", "missing"), ("refused", "http_error")]
    for row, data in zip(told[:8], PHOTOS.values(), strict=False):
        assert (row["sha256"], row["bytes"], row["licence"]) == (sha256(data), len(data), "CC BY 4.0")
        assert dict(row["extra"])["date"] == "2021-05-01"
        assert json.loads(row["headers"]) == {"content-type": "image/jpeg"}
    assert (told[8]["licence"], told[11]["licence"]) == ("unknown", "unknown")
    assert not list((tmp_path / "out" / "spool").iterdir())


def test_the_folder_is_a_source(site, tmp_path):
    """What was fetched is listed with URL, licence and date, and its bytes are those that came."""
    rows = [{"url": site.url(path), "license": f"CC{at}", "caption": f"words {at}"} for at, path in enumerate(PHOTOS)]
    fetch(list_of(tmp_path / "l.csv", rows), tmp_path / "out", reader(), BRISK)
    found = listing([str(tmp_path / "out")])
    assert [read(item) for item in found] == list(PHOTOS.values())
    for at, item in enumerate(found):
        assert (item.extra["url"], item.extra["license"], item.extra["caption"]) == (rows[at]["url"], f"CC{at}", f"words {at}")
        assert item.extra["fetched_sha256"] == sha256(PHOTOS[f"/{at}.jpg"])
        assert item.extra["fetched_at"].startswith("20")
    (tmp_path / "out" / "00001.parquet").unlink()
    tables_lost = listing([f"{tmp_path}/out/*.tar"])
    assert [item.extra["license"] for item in tables_lost] == [item.extra["license"] for item in found]


@pytest.mark.parametrize("name", ["l.txt", "l.jsonl", "l.parquet"])
def test_lists_come_in_any_format(site, tmp_path, name):
    """Plain lines, JSON lines and Parquet, LAION's capital URL column included."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    urls = [site.url(path) for path in list(PHOTOS)[:3]]
    if name == "l.parquet":
        pq.write_table(pa.table({"URL": urls, "path": ["x"] * 3}), tmp_path / name)
    else:
        (tmp_path / name).write_text("".join(f"{json.dumps({'uri': url}) if name == 'l.jsonl' else url}\n" for url in urls))
    books = fetch(str(tmp_path / name), tmp_path / "out", reader(), BRISK)
    assert (books.fetched, books.pending) == (3, 0)


class Stopping:
    """A reader that breaks at its n-th request, as a full disk or a bug would."""

    def __init__(self, at: int) -> None:
        self._inner, self._left = reader(), at
        self.limits = self._inner.limits

    def read(self, url: str) -> Fetched:
        """Read, or break."""
        self._left -= 1
        if self._left < 0:
            raise MemoryError
        return self._inner.read(url)


@pytest.mark.parametrize("at", [0, 1, 5, 7, 11])
def test_an_interrupted_job_goes_on_and_asks_nothing_twice(site, tmp_path, at):
    """Whatever breaks it and wherever, the same call ends with the same table and one request for each URL."""
    page = list_of(tmp_path / "l.csv", [{"url": site.url(path)} for path in PHOTOS])
    with pytest.raises(MemoryError):
        fetch(page, tmp_path / "out", Stopping(at), BRISK, workers=3)
    books = fetch(page, tmp_path / "out", reader(), BRISK)
    assert (books.fetched, books.closed) == (12, True)
    assert set(site.hits.values()) == {1}
    assert [row["sha256"] for row in table(tmp_path / "out")] == [sha256(data) for data in PHOTOS.values()]
    before = (tmp_path / "out" / "fetched.parquet").read_bytes()
    assert fetch(page, tmp_path / "out", reader(), BRISK) == books
    assert set(site.hits.values()) == {1}
    assert (tmp_path / "out" / "fetched.parquet").read_bytes() == before


def test_an_answer_that_was_damaged_in_the_spool_is_asked_again(site, tmp_path):
    """A spooled photo that is not what its record says is no answer."""
    page = list_of(tmp_path / "l.csv", [{"url": site.url(path)} for path in PHOTOS])
    with pytest.raises(MemoryError):
        fetch(page, tmp_path / "out", Stopping(3), BRISK, workers=1)
    spooled = sorted((tmp_path / "out" / "spool").iterdir())
    spooled[0].write_bytes(spooled[0].read_bytes()[:-1])
    spooled[1].write_bytes(b"")
    assert fetch(page, tmp_path / "out", reader(), BRISK).fetched == 12
    assert [site.hits[path] for path in PHOTOS] == [2, 2] + [1] * 10


def test_what_a_kill_left_in_the_spool_of_a_committed_part_goes(site, tmp_path):
    """A kill between a commit and the clearing of its spool: the next call removes those answers, and only those."""
    page = list_of(tmp_path / "l.csv", [{"url": site.url(path)} for path in PHOTOS])
    with pytest.raises(MemoryError):
        fetch(page, tmp_path / "out", Stopping(7), BRISK, workers=1)
    spool = Spool(tmp_path / "out")
    kept = spool.kept()
    assert kept == ["000010000", "000010001"]
    for place, data in enumerate(list(PHOTOS.values())[:5]):
        spool.put(f"00000{place:04d}", Answer({"sha256": sha256(data)}, data))
    with pytest.raises(MemoryError):
        fetch(page, tmp_path / "out", Stopping(0), BRISK, workers=1)
    assert spool.kept() == kept
    assert fetch(page, tmp_path / "out", reader(), BRISK).fetched == 12
    assert (spool.kept(), set(site.hits.values())) == ([], {1})


def test_what_may_pass_is_asked_again_and_later_on_request(site, tmp_path):
    """A busy page is tried three times; `retry` asks it once more, in a new part, and the row becomes a photo; nothing else is asked."""
    site.pages["/1.jpg"] = answer(b"", "text/html", "503 Busy")
    site.pages["/2.jpg"] = answer(b"", "text/html", "404 Gone")
    page = list_of(tmp_path / "l.csv", [{"url": site.url(path), "licence": "CC0"} for path in PHOTOS])
    books = fetch(page, tmp_path / "out", reader(), BRISK)
    assert (books.fetched, books.refused, books.passing, site.hits["/1.jpg"]) == (10, {"http_error": 2}, 1, 3)
    committed = {path.name: path.read_bytes() for path in (tmp_path / "out").glob("0*")}
    site.pages["/1.jpg"] = answer(PHOTOS["/1.jpg"])
    with pytest.raises(MemoryError):
        fetch(page, tmp_path / "out", Stopping(0), BRISK, retry=True)
    books = fetch(page, tmp_path / "out", reader(), BRISK, retry=True)
    assert (books.fetched, books.refused, books.passing, site.hits["/1.jpg"]) == (11, {"http_error": 1}, 0, 4)
    assert {name: (tmp_path / "out" / name).read_bytes() for name in committed} == committed
    assert len(listing([str(tmp_path / "out")])) == 11
    assert table(tmp_path / "out")[1]["licence"] == "CC0"
    assert site.hits["/2.jpg"] == 1


def test_a_folder_goes_on_with_its_own_list_only(site, tmp_path):
    """Another list, another column or a stranger's folder is refused with the difference; a list that names nothing too."""
    page = list_of(tmp_path / "l.csv", [{"url": site.url("/1.jpg"), "other": site.url("/2.jpg")}])
    fetch(page, tmp_path / "out", reader(), BRISK)
    with pytest.raises(RunError, match="column: None -> other"):
        fetch(page, tmp_path / "out", reader(), BRISK, column="other")
    list_of(tmp_path / "l.csv", [{"url": site.url("/2.jpg")}])
    with pytest.raises(RunError, match="sha256"):
        fetch(page, tmp_path / "out", reader(), BRISK)
    with pytest.raises(RunError, match="not empty"):
        fetch(page, tmp_path, reader(), BRISK)
    with pytest.raises(RecipeError, match="not a list"):
        fetch("photos.zip", tmp_path / "none", reader(), BRISK)
    (tmp_path / "empty.txt").write_text("\n")
    with pytest.raises(RecipeError, match="names no URL"):
        fetch(str(tmp_path / "empty.txt"), tmp_path / "none", reader(), BRISK)


def test_the_command_ends_with_closed_books(tmp_path):
    """On the command line a list of nothing but refusals ends well, says why, and leaves the ledger; a held folder is not entered."""
    app = Typer()
    cli_fetch.add_to(app)
    app.command()(lambda: None)
    page = list_of(tmp_path / "l.csv", [{"url": "https://127.0.0.1/a.jpg"}, {"url": "http://photos.test/a.jpg"}, {"url": ""}])
    answered = CliRunner().invoke(app, ["fetch", page, "--out", str(tmp_path / "out"), "--contact", "me@example.org"])
    assert answered.exit_code == 0, answered.output
    assert "0 fetched + 3 refused + 0 pending" in answered.output
    told = json.loads(CliRunner().invoke(app, ["fetch", page, "--out", str(tmp_path / "out"), "--json"]).output)
    assert told["refused"] == {"address_refused": 1, "missing": 1, "url_refused": 1}
    assert told["closed"]


KILLED = """
import sys
sys.path[:0] = {path!r}
from pathlib import Path
from local_web import reader
from pipelines.fetch import fetch
from pipelines.web import wanted
from pipelines.web.turns import Manners
wanted.PART = 5
fetch({page!r}, Path({out!r}), reader(), Manners(per_host=3, pause_s=0.0, again_s=0.0), workers=3)
"""


@pytest.mark.slow
def test_killed_ten_times_it_ends_with_the_same_table(tmp_path):
    """SIGKILL at ten moments: the table is that of an undisturbed run, and only what was on its way is asked again."""
    pages = {path: (lambda visit, data=data: (time.sleep(0.15), visit.send(answer(data)))) for path, data in PHOTOS.items()}
    pages |= {f"/more{at}.jpg": (lambda visit, at=at: (time.sleep(0.15), visit.send(answer(jpeg(at))))) for at in range(12, 60)}
    with Site(pages) as site:
        page = list_of(tmp_path / "l.csv", [{"url": site.url(path)} for path in pages])
        fetch(page, tmp_path / "whole", reader(), BRISK)
        site.hits.clear()
        code = KILLED.format(path=[str(Path(__file__).parent), str(Path(__file__).parents[2])], page=page, out=str(tmp_path / "out"))
        for at in range(10):
            before = sum(site.hits.values())
            child = subprocess.Popen([sys.executable, "-c", code], start_new_session=True)
            while child.poll() is None and sum(site.hits.values()) < before + 4:
                time.sleep(0.01)
            time.sleep(0.03 * at)
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()
        assert not (tmp_path / "out" / "fetched.parquet").exists()
        subprocess.run([sys.executable, "-c", code], check=True)
        assert table(tmp_path / "out") == table(tmp_path / "whole")
        assert max(site.hits.values()) <= 3
        assert sum(site.hits.values()) <= len(pages) + 10 * 3
    with pytest.raises(BadSample):
        reader().read(f"http://{HERE}:{site.port}/1.jpg")
