"""The page in a real browser: Playwright with the system's Chromium, skipped where either is absent."""

from __future__ import annotations

import shutil
import threading
import time

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from manifests.commit import read_table
from manifests.page import files, queue
from manifests.page.reviews import ReviewLog, reviewed
from manifests.page.run import About, InspectedRun
from manifests.page.server import PageServer
from pipelines.select import select

playwright = pytest.importorskip("playwright.sync_api", reason="pip install playwright, and a Chromium of the system")
pytestmark = pytest.mark.slow
HOSTILE = '<img src=x onerror="window.hurt=1"></script><script>window.hurt=1</script>'


@pytest.fixture(scope="module")
def chromium():
    """A headless browser."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        pytest.skip("no Chromium on this machine: apt-get install chromium")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def tab(chromium):
    """A page that remembers what the browser complains about."""
    context = chromium.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    page.complaints = []
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    page.on("console", lambda message: page.complaints.append(message.text) if message.type in {"error", "warning"} else None)
    yield page
    context.close()


@pytest.fixture
def run(scratch):
    """A small run whose photos and prompts try to be markup."""
    table = read_table(scratch.manifest)
    for name in ("photo_uri", "prompt_en", "detail"):
        field = table.schema.field(name)
        table = table.set_column(table.schema.get_field_index(name), field, pa.array([HOSTILE] * table.num_rows).cast(field.type))
    pq.write_table(table, scratch.manifest)
    return scratch


@pytest.fixture
def url(run):
    """Where the page of a hostile run is served."""
    with PageServer(InspectedRun(run.folder, About(HOSTILE)), 0) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server.url
        server.shutdown()
        thread.join()


def wait(tab, expression):
    """Wait until an expression is true; the page's policy forbids Playwright's own way, which evaluates strings in it."""
    for _ in range(400):
        if tab.evaluate(expression):
            return
        time.sleep(0.025)
    raise AssertionError(f"not within 10 s: {expression}")


def count(tab):
    """Return how many pairs the grid lists."""
    return tab.evaluate("Page.found.order.length")


def test_filters_sorting_and_the_address_agree(tab, url, run):
    """A word, a range and a search narrow the grid; the address brings the same view back."""
    rows = [row for row in read_table(run.manifest).to_pylist() if row["task"] == "noise"]
    tab.goto(url)
    tab.wait_for_selector(".cell")
    assert count(tab) == read_table(run.manifest).num_rows
    tab.click('[data-word="task/noise"]')
    wait(tab, f"Page.found.order.length === {len(rows)}")
    tab.click(".toggle")
    tab.wait_for_selector(".parameters .histogram")
    bars = tab.locator(".histogram:visible canvas").first.bounding_box()
    tab.mouse.move(bars["x"] + 5, bars["y"] + 9)
    tab.mouse.down()
    tab.mouse.move(bars["x"] + bars["width"] / 2, bars["y"] + 9, steps=4)
    tab.mouse.up()
    wait(tab, "!Page.waiting && location.hash.includes('severity=') && location.hash === Address.written(Page.state)")  # the drag has settled
    assert 0 < count(tab) < len(rows)
    left, address = count(tab), tab.url
    tab.goto("about:blank")
    tab.goto(address)
    tab.wait_for_selector(".cell")
    wait(tab, f"Page.found.order.length === {left}")
    tab.keyboard.press("x")
    tab.select_option("#sort", "score.psnr_db")
    tab.click("#direction")
    wait(tab, "Page.state.sort === '-score.psnr_db' && !Page.waiting")
    found = tab.evaluate("[...Page.found.order].map((row) => Page.table.number('score.psnr_db', row)).filter((value) => !Number.isNaN(value))")
    assert found == sorted(found, reverse=True)
    assert not tab.complaints


def test_comparing_by_keyboard(tab, url):
    """Views, zoom and position follow the keys and stay from pair to pair; the pointer reads the stored pixels."""
    tab.goto(url)
    tab.wait_for_selector(".cell")
    tab.keyboard.press("Enter")
    wait(tab, "Boolean(Viewer.images.clean)")
    for _ in range(20):
        tab.keyboard.press("ArrowRight")
    for key in ("2", "z", "Shift+ArrowRight", "]", "3", "]"):
        tab.keyboard.press(key)
    kept = tab.evaluate("[Page.state.view, Page.state.gain, Page.state.at]")
    assert kept[:2] == ["difference", 2]
    assert kept[2][2] == 1
    tab.keyboard.press("j")
    assert tab.evaluate("[Page.state.view, Page.state.gain, Page.state.at]") == kept
    wait(tab, "location.hash.includes('view=difference')")
    for key in ("0", "1"):
        tab.keyboard.press(key)
    box = tab.locator("#viewer").bounding_box()
    tab.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    assert "RGB" in tab.inner_text("#legend")
    before = tab.evaluate("Page.state.split")
    edge = tab.evaluate("Viewer.edge()") + box["x"]
    tab.mouse.move(edge, box["y"] + 300)
    tab.mouse.down()
    tab.mouse.move(edge - 40, box["y"] + 300, steps=3)
    tab.mouse.up()
    assert tab.evaluate("Page.state.split") < before
    assert not tab.complaints


def test_a_reject_by_keyboard_lasts(tab, url, run):
    """A reviewer rejects with two keys; after a reload the decision is there, and `select` honours it."""
    tab.goto(url)
    tab.wait_for_selector(".cell")
    tab.fill("#reviewer", "ann")
    tab.keyboard.press("Escape")
    tab.keyboard.press("Enter")
    wait(tab, "Boolean(Viewer.images.clean)")
    pair = tab.evaluate("Page.state.pair")
    tab.keyboard.press("r")
    tab.keyboard.press("6")
    wait(tab, f"Page.state.pair !== '{pair}'")
    tab.keyboard.press("k")
    wait(tab, f"location.hash.includes('{pair}')")
    tab.reload()
    tab.wait_for_selector(".decide.reject[aria-pressed=true]")
    assert ReviewLog(run.folder).standing()[pair]["ann"].reason == "misaligned"
    select(run)
    (row,) = [row for row in read_table(run.manifest).to_pylist() if row["pair_id"] == pair]
    assert (row["verdict"], row["decided_by"], row["detail"]) == ("reject", "review", "ann: misaligned")
    assert not tab.complaints


def test_many_scores_are_folded_until_they_are_wanted(tab, url, run):
    """Sixty scores of five scorers: none is fetched but the PSNR until its scorer is opened, it is sought, or an address filters by it."""
    table = read_table(run.manifest)
    names = [f"scorer{at // 12}.measure_{at}" for at in range(60)]
    scores = [[*(row or []), *((name, place + at / 100) for at, name in enumerate(names))] for place, row in enumerate(table.column("scores").to_pylist())]
    field = table.schema.get_field_index("scores")
    pq.write_table(table.set_column(field, table.schema.field(field), pa.array(scores, table.schema.field(field).type)), run.manifest)
    fetched = "[...Page.table.numberColumns.keys()].filter((name) => name.startsWith('score.')).length"
    tab.goto(url)
    wait(tab, f"Scores.listed.length === 61 && {fetched} === 1")
    assert tab.locator(".scores .toggle").count() == 5
    tab.click('[data-scorer="scorer2"]')
    wait(tab, f"{fetched} === 13 && document.querySelectorAll('.scores .histogram:not([hidden])').length === 13")
    tab.fill("#score-search", "measure 44")
    wait(tab, f"{fetched} === 14 && document.querySelectorAll('.scores .histogram:not([hidden])').length === 1")
    tab.goto("about:blank")
    tab.goto(f"{url}#score.scorer4.measure_50=..3.5&sort=-score.scorer4.measure_50")
    wait(tab, "Page.found && Page.found.order.length === 4")
    assert tab.inner_text(".chip").split("\n")[:2] == ["scorer4 / measure 50", "≤ 3.5"]
    tab.keyboard.press("Enter")
    tab.wait_for_selector("#story .scores details")
    assert tab.locator("#story .scores details[open]").count() == 0
    tab.keyboard.press("Escape")
    tab.click(".chip")
    wait(tab, f"Page.found.order.length === {table.num_rows}")
    assert not tab.complaints


def test_a_score_that_cannot_be_read_is_asked_for_once_a_step(tab, url, run):
    """A filter and an order by a score that the server cannot give leave the page as it is without them; the next step asks again."""
    asked = []

    def refused(route):
        asked.append(route.request.url)
        route.fulfill(status=500, content_type="application/json", body='{"error": "the disk is gone"}')

    tab.route("**/api/scores/*", refused)
    tab.goto(f"{url}#score.psnr_db=..99&sort=score.psnr_db")
    tab.wait_for_selector(".cell")
    time.sleep(0.3)
    assert len(asked) <= 2  # for the captions, and for the filter
    assert count(tab) == read_table(run.manifest).num_rows
    assert "the disk is gone" in tab.inner_text("#toast")
    assert "cannot be read" in tab.inner_text(".chip")
    tab.unroute("**/api/scores/*")
    tab.click("#direction")
    wait(tab, "Page.state.sort === '-score.psnr_db' && Page.table.numberColumns.has('score.psnr_db') && !Page.waiting")
    assert "≤ 99" in tab.inner_text(".chip")
    assert count(tab) == sum(bool(row["scores"]) for row in read_table(run.manifest).to_pylist())


def test_a_pair_on_a_limit_is_shown(tab, url, run):
    """Columns travel as float32, in which 0.7 is less and 0.1 is more: both lie within limits of their own value, as for `select`."""
    table = read_table(run.manifest)
    field = table.schema.get_field_index("scores")
    scores = pa.array([[("near.less", 0.7), ("near.more", 0.1)]] * table.num_rows, table.schema.field(field).type)
    pq.write_table(table.set_column(field, table.schema.field(field), scores), run.manifest)
    for limits in ("score.near.less=0.7..", "score.near.more=..0.1", "score.near.less=0.7..0.7&score.near.more=0.1..0.1"):
        tab.goto("about:blank")
        tab.goto(f"{url}#{limits}")
        wait(tab, f"Page.found && Page.found.order.length === {table.num_rows}")
    tab.goto("about:blank")
    tab.goto(f"{url}#score.near.less=0.7001..")
    wait(tab, "Page.found && Page.found.order.length === 0")
    assert not tab.complaints


def test_the_review_queue_by_keyboard(tab, url, run):
    """N opens the first pair that waits for this reviewer; words given by two keys empty the queue; another reviewer finds it full."""
    ids = [row["pair_id"] for row in read_table(run.manifest).to_pylist() if row["clean_sha256"]][:3]
    queue.write(run.folder, queue.Queue(2, dict.fromkeys(ids, ("random sample",))))
    ReviewLog(run.folder).append(reviewed(ids[0], "bob", "accept"))
    tab.goto(url)
    tab.wait_for_selector(".cell")
    tab.keyboard.press("n")
    assert tab.evaluate("document.activeElement.id") == "reviewer"
    tab.keyboard.type("ann")
    tab.keyboard.press("Escape")
    tab.keyboard.press("n")
    wait(tab, "Boolean(Viewer.images.clean)")
    assert tab.inner_text("#tools").count("1 of 3") == 1
    assert "random sample" not in tab.inner_text("#story")  # why it is asked about must not sway anybody
    left = set(ids)
    for key in ("a", "f", "r"):
        left.discard(pair := tab.evaluate("Page.state.pair"))
        tab.keyboard.press(key)
        if key == "r":
            tab.keyboard.press("1")
        wait(tab, f"Review.mine('{pair}') !== null && Page.found.order.length === {len(left)}")
    assert not left
    assert "waits for you" in tab.inner_text("#toast")
    assert "Asked about: random sample" in tab.inner_text("#story")
    standing = ReviewLog(run.folder).standing()
    assert {standing[pair]["ann"].decision for pair in ids} == {"accept", "flag", "reject"}
    tab.keyboard.press("Escape")
    tab.click("#nothing-clear")
    tab.fill("#reviewer", "cleo")
    tab.keyboard.press("Escape")
    tab.keyboard.press("n")
    wait(tab, "Boolean(Viewer.images.clean)")
    settled = sum(len([word for word in words.values() if word.decision == "accept"]) == 2 for words in standing.values())
    assert count(tab) == 3 - settled
    assert tab.evaluate("Page.table.wordColumns.get('review').values.length") == 6
    assert not tab.complaints


@pytest.mark.parametrize("place", ["served", "disk"])
def test_hostile_names_and_prompts_do_nothing(tab, url, run, tmp_path, place):
    """Markup in a run's name, file names, details and prompts is shown as the text that it is."""
    if place == "disk":
        files.write(InspectedRun(run.folder, About(HOSTILE)), tmp_path / "page", 6)
        url = (tmp_path / "page" / "index.html").as_uri()
    tab.goto(url)
    tab.wait_for_selector(".cell")
    tab.keyboard.press("Enter")
    wait(tab, "Boolean(Viewer.images.clean)")
    assert HOSTILE in tab.inner_text("#story")
    assert tab.inner_text("#name") == HOSTILE
    tab.keyboard.press("o")
    assert tab.evaluate("window.hurt") is None
    assert not tab.complaints
