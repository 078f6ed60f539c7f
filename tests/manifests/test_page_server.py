"""The page over HTTP: what it gives, to whom, and what it refuses."""

from __future__ import annotations

import http.client
import json
import re
import socket
import struct
import threading
import time

import pytest

from degrade.errors import RunError
from manifests.commit import read_table
from manifests.page.reviews import ReviewLog
from manifests.page.run import About, InspectedRun
from manifests.page.server import PageServer


class Visitor:
    """A browser, as far as the wire goes."""

    def __init__(self, server) -> None:
        self.server = server
        self.port = server.server_address[1]

    def ask(self, path, method="GET", body=None, **headers):
        """Return status, headers and body of an answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, body, given)
        answer = connection.getresponse()
        data = answer.read()
        connection.close()
        return answer.status, answer.headers, data

    def told(self, path):
        """Return the JSON of a view."""
        return json.loads(self.ask(path)[2])

    def review(self, body, **headers):
        """Send a review as the page does; headers may differ."""
        usual = {"Content_Type": "application/json", "X_Patina_Token": self.server.token}
        return self.ask("/api/reviews", "POST", body if isinstance(body, (bytes, str)) else json.dumps(body), **{**usual, **headers})


@pytest.fixture
def visitor(scratch):
    """A visitor of a page that shows a small run."""
    with PageServer(InspectedRun(scratch.folder, About("small")), 0) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield Visitor(server)
        server.shutdown()
        thread.join()


@pytest.fixture
def pair(scratch):
    """A pair with pictures."""
    return next(row for row in read_table(scratch.manifest).to_pylist() if row["clean_sha256"])


def test_the_page_and_all_it_names_is_there(visitor):
    """Every script and style of the page is served, with a type, and nothing is taken from elsewhere."""
    _, _, page = visitor.ask("/")
    named = re.findall(r'(?:src|href)="(static/[^"]+)"', page.decode())
    assert len(named) >= 10
    for name in named:
        status, headers, data = visitor.ask(f"/{name}")
        assert status == 200
        assert headers.get_content_type() in {"text/javascript", "text/css"}
        assert not re.search(rb"https?://", data)


def test_views_are_of_the_run(visitor, scratch, pair):
    """Overview, pair, parameters, pictures and thumbnail answer for a pair of the manifest."""
    key = pair["pair_id"]
    assert key in visitor.told("/api/overview")["columns"]["pair_id"]
    assert visitor.told(f"/api/pair/{key}")["replay"] == f"patina replay {scratch.folder} --pair {key}"
    assert visitor.told(f"/api/parameters?task={pair['task']}")["rows"]
    assert "psnr_db" in {score["name"] for score in visitor.told("/api/scores")["listed"]}
    assert len(visitor.ask("/api/scores/psnr_db")[2]) == 4 * read_table(scratch.manifest).num_rows
    status, headers, data = visitor.ask(f"/picture/{key}/degraded")
    assert (status, headers.get_content_type(), len(data)) == (200, pair["degraded_type"], pair["degraded_length"])
    assert visitor.ask(f"/thumbnail/{key}")[2][:2] == b"\xff\xd8"


@pytest.mark.parametrize(
    "path",
    [
        *("/api/pair/none", "/api/scores/none", "/picture/x/clean", "/picture/x/other", "/x"),
        *("/static/../server.py", "/static/%2e%2e/server.py", "/thumbnail/..%2f..%2frun"),
    ],
)
def test_what_is_not_there_is_not_found(visitor, path):
    """Unknown names answer 404 in words, and no path leads out."""
    status, headers, data = visitor.ask(path)
    assert status == 404
    assert headers.get_content_type() == "application/json"
    assert json.loads(data)["error"]


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8765", "127.0.0.1.evil.example", "", "0.0.0.0", "[::1]:8765"])
def test_a_name_that_only_points_here_gets_nothing(visitor, host):
    """Rebinding a foreign name to 127.0.0.1 does not open the page."""
    assert visitor.ask("/api/overview", Host=host)[0] == 403


def test_a_tunnel_may_use_another_port(visitor):
    """`ssh -L 9000:127.0.0.1:8765` asks for localhost:9000."""
    assert visitor.ask("/", Host="localhost:9000")[0] == 200


def test_every_answer_carries_the_policy(visitor):
    """Pages, data and refusals alike forbid other hosts, markup from texts, frames and guesses of types."""
    for path in ("/", "/api/overview", "/nothing"):
        headers = visitor.ask(path)[1]
        policy = headers["Content-Security-Policy"]
        assert {"default-src 'none'", "script-src 'self'", "require-trusted-types-for 'script'", "frame-ancestors 'none'"} <= set(policy.split("; "))
        assert "unsafe" not in policy
        assert headers["X-Content-Type-Options"] == "nosniff"


def test_a_review_is_written_and_told_back(visitor, scratch, pair):
    """What a reviewer decides is in the run's file and in the next view."""
    status, _, data = visitor.review({"pair_id": pair["pair_id"], "reviewer": "ann", "decision": "reject", "reason": "artefact", "note": "seam"})
    assert status == 200
    assert json.loads(data)["pairs"][pair["pair_id"]]["outcome"] == "reject"
    assert ReviewLog(scratch.folder).standing()[pair["pair_id"]]["ann"].note == "seam"
    assert visitor.told("/api/reviews")["agreement"]["reviewers"] == {"ann": {"reject": 1}}


def test_only_our_page_may_review(visitor, scratch, pair):
    """Without the token, or from another origin, or in another shape, nothing is written."""
    good = {"pair_id": pair["pair_id"], "reviewer": "ann", "decision": "accept"}
    assert visitor.review(good, X_Patina_Token="guess")[0] == 403
    assert visitor.review(good, Origin="http://evil.example")[0] == 403
    assert visitor.review(good, Content_Type="text/plain")[0] == 400
    assert visitor.review("[1]")[0] == 400
    assert visitor.review(b"\xff")[0] == 400
    assert visitor.review({**good, "note": "n" * 20_000})[0] == 400
    assert visitor.review({**good, "decision": "maybe"})[0] == 400
    assert visitor.review({**good, "pair_id": "none"})[0] == 404
    assert visitor.ask("/api/overview", "POST", "{}")[0] == 404
    assert not (scratch.folder / "reviews.jsonl").exists()


def test_the_server_listens_on_this_machine_only(visitor):
    """The socket is bound to the loopback."""
    assert visitor.server.server_address[0] == "127.0.0.1"


def test_a_taken_port_is_told(visitor, scratch):
    """The message says what to type."""
    with pytest.raises(RunError, match="--port 0"):
        PageServer(InspectedRun(scratch.folder, About("small")), visitor.port)


def test_a_browser_that_goes_away_says_nothing_in_the_terminal(visitor, capfd):
    """A tab that is closed with requests under way resets its connections: that is no fault, and no traceback."""
    for _ in range(4):
        wire = socket.create_connection(("127.0.0.1", visitor.port), timeout=10)
        wire.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n")
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # to reset, not to part in order
        wire.close()
    deadline = time.monotonic() + 10
    while any("process_request" in thread.name for thread in threading.enumerate()) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert visitor.told("/api/scores")
    assert capfd.readouterr().err == ""
