"""Facts about `pipelines.fetch` on a web that is slow, dead or hostile, and about its own manners."""

from __future__ import annotations

import threading
import time

import pytest
from local_web import PHOTOS, QUICK, SITE, Site, Visit, answer, list_of, moved, reader, table, trap

from degrade.errors import BadSample, Reason, RunError
from pipelines.fetch import fetch
from pipelines.web import wanted
from pipelines.web.reader import Fetched, Passing
from pipelines.web.turns import Manners


@pytest.fixture
def site():
    """A site with twelve photos."""
    with Site({path: answer(data) for path, data in PHOTOS.items()}) as site:
        yield site


def test_a_site_is_treated_politely(site, tmp_path):
    """At most two connections at once, and the pause between any two requests."""
    page = list_of(tmp_path / "l.csv", [{"url": site.url(path)} for path in list(PHOTOS)[:8]])
    assert fetch(page, tmp_path / "out", reader(), Manners(per_host=2, pause_s=0.03), workers=16).fetched == 8
    assert site.most_inside <= 2
    gaps = [later - earlier for earlier, later in zip(sorted(site.times), sorted(site.times)[1:], strict=False)]
    assert sorted(gaps)[len(gaps) // 2] >= 0.02
    assert sum(gaps) >= 7 * 0.03 * 0.8


def test_a_dead_host_is_given_up(tmp_path):
    """A host that fails eight times in a row is not asked for the rest; each of its rows says so, and may be asked later."""
    page = list_of(tmp_path / "l.csv", [{"url": f"http://{SITE}:1025/{at}.jpg"} for at in range(30)])
    books = fetch(page, tmp_path / "out", reader(), Manners(per_host=1, pause_s=0.0, tries=1), workers=2)
    assert (books.refused, books.passing) == ({"unreachable": 30}, 30)
    assert sum("too often" in row["detail"] for row in table(tmp_path / "out")) == 22


class Sites:
    """A reader to whom only some sites answer."""

    limits = QUICK

    def __init__(self, *alive: str) -> None:
        self.alive = alive

    def read(self, url: str) -> Fetched:
        """Return a photo, a missing page where the URL says so, or fail."""
        if not self.reaches(url):
            raise Passing(Reason.UNREACHABLE, "Network is unreachable")
        if url.endswith("gone"):
            raise BadSample(Reason.HTTP_ERROR, "404 Not Found")
        return Fetched(PHOTOS["/1.jpg"], url, "jpeg", {})

    def reaches(self, url: str) -> bool:
        """Tell whether a site would answer."""
        return any(f"//{host}/" in url for host in self.alive)


def test_a_site_that_was_given_up_is_asked_again_on_request(tmp_path):
    """When a line is broken for a while, `retry` brings all that the site would have given."""
    page = list_of(tmp_path / "l.csv", [{"url": f"http://live.test/{at}.jpg"} for at in range(30)])
    manners = Manners(pause_s=0.0, again_s=0.0)
    assert fetch(page, tmp_path / "out", Sites(), manners).passing == 30
    books = fetch(page, tmp_path / "out", Sites("live.test"), manners, retry=True)
    assert (books.fetched, books.refused) == (30, {})


DEAD = [{"url": f"http://h{at}.test/"} for at in range(150)]
ONCE = Manners(tries=1)


def test_a_machine_without_a_network_stops(tmp_path):
    """When a hundred hosts cannot be reached and none ever answered, it is us: the job stops, says so, and gets on with every call."""
    page = list_of(tmp_path / "l.csv", DEAD)
    with pytest.raises(RunError, match="on the web"):
        fetch(page, tmp_path / "out", Sites(), ONCE)
    assert fetch(page, tmp_path / "out", Sites(), ONCE).passing == 150


@pytest.mark.parametrize("name", ["a.jpg", "gone"])
def test_a_list_of_many_dead_sites_comes_to_its_end(tmp_path, name):
    """Where one site answered, be it without a photo, the dead ones are refused, and asked again on request; the books stay closed."""
    page = list_of(tmp_path / "l.csv", [*DEAD, {"url": f"http://live.test/{name}"}, *({"url": f"http://later{at}.test/"} for at in range(150))])
    manners = Manners(tries=2, again_s=0.2)
    for retry in (False, True):
        books = fetch(page, tmp_path / "out", Sites("live.test"), manners, retry=retry)
        assert (books.closed, books.passing) == (True, 300)


@pytest.mark.parametrize("part", [10, 1000])
def test_what_answered_before_a_kill_counts(tmp_path, monkeypatch, part):
    """Only dead sites are left after an interrupted job: those that answered then, committed or in the spool, are tried; silent too, it is us."""
    monkeypatch.setattr(wanted, "PART", part)
    page = list_of(tmp_path / "l.csv", [*({"url": f"http://live{at}.test/"} for at in range(20)), *DEAD])

    class Breaking(Sites):
        def read(self, url: str) -> Fetched:
            if "//h" in url:
                raise MemoryError
            return super().read(url)

    alive = [f"live{at}.test" for at in range(20)]
    with pytest.raises(MemoryError):
        fetch(page, tmp_path / "out", Breaking(*alive), ONCE, workers=1)
    with pytest.raises(RunError, match="on the web"):
        fetch(page, tmp_path / "out", Sites(), ONCE)
    books = fetch(page, tmp_path / "out", Sites(*alive), ONCE)
    assert (books.fetched, books.passing, books.closed) == (20, 150, True)


def test_a_line_that_breaks_in_mid_job_stops_it(tmp_path):
    """After a hundred silent sites, one that answered is tried; it is silent too, so the rest waits for the next call, and nothing is lost."""
    page = list_of(tmp_path / "l.csv", [{"url": f"http://h{at}.test/"} for at in range(300)])
    alive = [f"h{at}.test" for at in range(300)]

    class Breaking(Sites):
        def read(self, url: str) -> Fetched:
            self.alive = () if "//h50." in url else self.alive
            return super().read(url)

    with pytest.raises(RunError, match="on the web"):
        fetch(page, tmp_path / "out", Breaking(*alive), ONCE, workers=1)
    books = fetch(page, tmp_path / "out", Sites(*alive), ONCE)
    assert (books.fetched, books.passing, books.closed) == (200, 100, True)
    assert fetch(page, tmp_path / "out", Sites(*alive), ONCE, retry=True).fetched == 300


def test_redirects_of_many_sites_to_one_are_polite_as_well(tmp_path):
    """Twelve short links lead to a slow site: it sees two connections at once, none is refused for having waited, and a quick site does not wait."""
    inside, most, lock, order = 0, 0, threading.Lock(), []

    def slow(visit: Visit) -> None:
        nonlocal inside, most
        with lock:
            inside += 1
            most = max(most, inside)
        time.sleep(0.2)
        with lock:
            inside -= 1  # before its visitor can know that it is over
            order.append("slow")
        visit.send(answer(PHOTOS["/1.jpg"]))

    def quick(visit: Visit) -> None:
        order.append("quick")
        visit.send(answer(PHOTOS["/1.jpg"]))

    with Site(dict.fromkeys(PHOTOS, slow)) as site, Site({path: moved(site.url(path)) for path in PHOTOS} | {"/quick.jpg": quick}) as links:
        urls = [*(links.url(path, f"s{at}.{SITE}") for at, path in enumerate(PHOTOS)), links.url("/quick.jpg")]
        page = list_of(tmp_path / "l.csv", [{"url": url} for url in urls])
        books = fetch(page, tmp_path / "out", reader(), Manners(per_host=2, pause_s=0.0, tries=1), workers=4)
        assert set(site.hits.values()) == {1}
    assert (books.fetched, most) == (13, 2)
    assert order.index("quick") < 4


def test_redirects_come_to_an_end(site, tmp_path):
    """A photo behind five redirects comes, under the address that gave it; one behind six, or in a loop, does not."""
    site.pages |= {f"/hop{at}": moved(f"/hop{at - 1}" if at > 1 else "1.jpg") for at in range(1, 7)} | {"/loop": moved("/loop")}
    page = list_of(tmp_path / "l.csv", [{"url": site.url(path)} for path in ("/hop5", "/hop6", "/loop")])
    fetch(page, tmp_path / "out", reader(), Manners(pause_s=0.0))
    assert [(row["reason"], row["detail"]) for row in table(tmp_path / "out")] == [(None, None), *[("http_error", "more than 5 redirects")] * 2]
    assert table(tmp_path / "out")[0]["final_url"] == site.url("/1.jpg")
    assert site.hits["/loop"] == 6


def test_where_a_redirect_leads_is_what_fails(tmp_path):
    """A dead site behind short links is given up after eight tries; the site of the links, which answers, is not."""
    with Site({}) as links:
        links.pages |= {f"/{at}": moved(f"http://dead.{SITE}:1025/{at}") for at in range(20)} | {"/good": answer(PHOTOS["/1.jpg"])}
        page = list_of(tmp_path / "l.csv", [{"url": links.url(path)} for path in (*links.pages,)])
        books = fetch(page, tmp_path / "out", reader(), Manners(per_host=1, pause_s=0.0, tries=1), workers=1)
    assert (books.fetched, books.refused, books.passing) == (1, {"unreachable": 20}, 20)
    assert sum("too often" in (row["detail"] or "") for row in table(tmp_path / "out")) == 12


HOSTILE = {
    "address_refused": [
        *("http://127.1:{port}/1.jpg", "http://0x7f.1:{port}/1.jpg", "http://2130706433:{port}/1.jpg", "http://017700000001:{port}/1.jpg", "http://[::1]:{port}/"),
        *("http://[::ffff:127.0.0.1]:{port}/1.jpg", "http://localhost:{port}/1.jpg", "http://localhost.:{port}/1.jpg", "http://0.0.0.0:{port}/1.jpg"),
        *("http://①②⑦.0.0.1:{port}/1.jpg", "http://169.254.169.254/latest/meta-data/", "{site}/to-loopback", "{site}/to-metadata"),
    ],
    "url_refused": ["file:///etc/passwd", "ftp://photos.test/1.jpg", "data:image/png;base64,AA", "http://me:word@photos.test/1.jpg", "{site}/to-file", "http://photos.test:22/"],
    "http_error": ["{site}/loop", "{site}/absent"],
    "file_too_large": ["{site}/endless", "{site}/announced"],
    "too_slow": ["{site}/drip"],
    "wrong_type": ["{site}/html", "{site}/script.jpg", "{site}/bomb"],
    "opted_out": ["{site}/noai"],
}


def test_a_hostile_list_costs_nothing_but_its_reasons(site, tmp_path):
    """Every hostile row is refused with the right word within the limits, the good one comes, and nobody knocks at the loopback."""
    site.pages |= {
        "/to-loopback": moved(f"http://127.0.0.1:{site.port}/1.jpg"),
        "/to-metadata": moved("http://169.254.169.254/latest/meta-data/"),
        "/to-file": moved("file:///etc/passwd"),
        "/loop": moved("/loop"),
        "/endless": lambda visit: (visit.send(answer(PHOTOS["/1.jpg"], length=150_000)[:-1]), visit.forever(bytes(1 << 16))),
        "/announced": answer(b"", length=10**15),
        "/drip": lambda visit: (visit.send(b"HTTP/1.1 200 OK\r\n\r\n\xff\xd8\xff"), visit.forever(b"x", 0.05)),
        "/html": answer(b"<html>", "text/html"),
        "/script.jpg": answer(b"<script>", "image/jpeg"),
        "/bomb": answer(b"\x1f\x8b", "image/jpeg", "200 OK", "Content-Encoding: gzip"),
        "/noai": answer(PHOTOS["/1.jpg"], "image/jpeg", "200 OK", "X-Robots-Tag: noai, noimageai"),
    }
    site.pages["/endless"] = lambda visit: (visit.send(b"HTTP/1.1 200 OK\r\n\r\n" + PHOTOS["/1.jpg"]), visit.forever(bytes(1 << 16)))
    reasons = {url.format(port=site.port, site=site.url("")): reason for reason, urls in HOSTILE.items() for url in urls}
    page = list_of(tmp_path / "l.csv", [{"url": url} for url in [*reasons, site.url("/1.jpg")]])
    begin = time.monotonic()
    with trap(site.port) as came:
        books = fetch(page, tmp_path / "out", reader(), Manners(per_host=8, pause_s=0.0, tries=1))
    assert not came
    assert time.monotonic() - begin < 3.0
    rows = table(tmp_path / "out")
    assert {row["url"]: row["reason"] for row in rows[:-1]} == reasons
    assert (rows[-1]["status"], books.fetched, books.closed) == ("success", 1, True)
