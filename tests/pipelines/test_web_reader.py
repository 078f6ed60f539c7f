"""Facts about `pipelines.web.reader` and `pipelines.web.wire`: one URL, its photo or a reason, within limits of time and bytes."""

from __future__ import annotations

import gzip
import shutil
import socket
import ssl
import time

import pytest
from local_web import AUTHORITIES, HERE, QUICK, SITE, Names, Site, answer, certificate, jpeg, moved, reader, trap

from degrade.errors import BadSample, Reason, RecipeError
from pipelines.web.reader import Limits, Passing, Reader

PHOTO = jpeg()
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\n"


def endless_headers(visit):
    """Send headers without end."""
    visit.send(HEAD)
    visit.forever(b"X-More: " + b"x" * 60000 + b"\r\n")


def endless_chunks(visit):
    """Send a chunked photo without end."""
    visit.send(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
    visit.send(b"%x\r\n%s\r\n" % (len(PHOTO), PHOTO))
    visit.forever(b"4000\r\n" + bytes(0x4000) + b"\r\n")


LARGEST = PHOTO + bytes(QUICK.max_bytes - len(PHOTO))
PAGES = {
    "/largest": HEAD + b"\r\n" + LARGEST,
    "/one-more": HEAD + b"\r\n" + LARGEST + b"x",
    "/photo.jpg": answer(PHOTO, "image/jpeg", "200 OK", "ETag: x1", "Set-Cookie: a=b"),
    "/untold.bin": answer(PHOTO, "application/octet-stream"),
    "/chunked": HEAD + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(PHOTO), PHOTO),
    "/unframed": HEAD + b"\r\n" + PHOTO,
    "/near": moved("photo.jpg?a=1"),
    "/far": moved("http://other.test/photo.jpg"),
    "/nowhere": answer(b"", "text/html", "302 Found"),
    "/file": moved("file:///etc/passwd"),
    "/absent": answer(b"", "text/html", "404 Not Found"),
    "/busy": answer(b"", "text/html", "503 Busy\x1b[31m", "Retry-After: 7"),
    "/noai": answer(PHOTO, "image/jpeg", "200 OK", "X-Robots-Tag: noai"),
    "/noai-hop": answer(b"", "image/jpeg", "302 Found", "Location: /photo.jpg", "TDM-Reservation: 1"),
    "/html": answer(b"<html>"),
    "/page": answer(PHOTO, "text/html"),
    "/svg": answer(b"<svg xmlns='http://www.w3.org/2000/svg'/>", "image/svg+xml"),
    "/bomb": answer(gzip.compress(PHOTO + bytes(50_000_000)), "image/jpeg", "200 OK", "Content-Encoding: gzip"),
    "/coded": HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n" + gzip.compress(PHOTO),
    "/packed": answer(PHOTO, "image/jpeg", "200 OK", "Content-Encoding: br"),
    "/empty": answer(b""),
    "/announced": answer(PHOTO, length=10**12),
    "/short": answer(PHOTO, length=len(PHOTO) + 1),
    "/cut": HEAD + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%s" % (len(PHOTO) + 9, PHOTO),
    "/negative": HEAD + b"Transfer-Encoding: chunked\r\n\r\n-5\r\n" + PHOTO,
    "/nonsense": b"SSH-2.0-OpenSSH_9.6\r\n\r\n",
    "/old": PHOTO,
    "/hangs-up": b"",
    "/endless": lambda visit: (visit.send(HEAD + b"\r\n" + PHOTO), visit.forever(bytes(1 << 16))),
    "/endless-chunks": endless_chunks,
    "/endless-headers": endless_headers,
    "/many-headers": HEAD + b"X: y\r\n" * 200 + b"\r\n" + PHOTO,
    "/endless-patience": lambda visit: visit.forever(b"HTTP/1.1 100 Continue\r\n\r\n" * 100),
    "/silent": lambda _: time.sleep(1.5),
    "/drip": lambda visit: (visit.send(HEAD + b"\r\n" + PHOTO[:20]), visit.forever(b"x", 0.05)),
    "/drip-headers": lambda visit: (visit.send(HEAD), visit.forever(b"x", 0.05)),
}
REFUSED = {
    "/one-more": Reason.FILE_TOO_LARGE,
    "/file": Reason.URL_REFUSED,
    "/absent": Reason.HTTP_ERROR,
    "/busy": Reason.HTTP_ERROR,
    "/noai": Reason.OPTED_OUT,
    "/noai-hop": Reason.OPTED_OUT,
    "/html": Reason.WRONG_TYPE,
    "/page": Reason.WRONG_TYPE,
    "/svg": Reason.WRONG_TYPE,
    "/bomb": Reason.WRONG_TYPE,
    "/coded": Reason.WRONG_TYPE,
    "/packed": Reason.WRONG_TYPE,
    "/empty": Reason.EMPTY,
    "/announced": Reason.FILE_TOO_LARGE,
    "/short": Reason.TRUNCATED,
    "/cut": Reason.TRUNCATED,
    "/negative": Reason.HTTP_ERROR,
    "/nonsense": Reason.HTTP_ERROR,
    "/old": Reason.HTTP_ERROR,
    "/hangs-up": Reason.UNREACHABLE,
    "/endless": Reason.FILE_TOO_LARGE,
    "/endless-chunks": Reason.FILE_TOO_LARGE,
    "/endless-headers": Reason.FILE_TOO_LARGE,
    "/many-headers": Reason.HTTP_ERROR,
    "/endless-patience": Reason.FILE_TOO_LARGE,
    "/silent": Reason.TOO_SLOW,
    "/drip": Reason.TOO_SLOW,
    "/drip-headers": Reason.TOO_SLOW,
}
PASSING = {"/busy", "/short", "/cut", "/hangs-up", "/silent", "/drip", "/drip-headers"}


@pytest.fixture(scope="module")
def site():
    with Site(PAGES) as site:
        yield site


@pytest.mark.parametrize("path", ["/photo.jpg", "/untold.bin", "/chunked", "/unframed"])
def test_a_photo_comes_as_it_is(site, path):
    """Whole, chunked, unframed or of untold type: the bytes are the site's, with the headers of note and no cookie."""
    photo = reader().read(site.url(path))
    assert (photo.data, photo.format) == (PHOTO, "jpeg")
    assert photo.url == site.url(path)
    assert "set-cookie" not in photo.headers
    assert photo.headers.get("etag") == ("x1" if path == "/photo.jpg" else None)


def test_a_redirect_is_told_and_not_followed(site):
    """Where a photo is, be it on another site, is the answer; nobody is asked for it yet."""
    site.hits.clear()
    told = [reader().read(site.url(path)) for path in ("/near", "/far", "/nowhere")]
    assert [target.url for target in told] == [site.url("/photo.jpg?a=1"), "http://other.test/photo.jpg", site.url("/nowhere")]
    assert site.hits == {"/near": 1, "/far": 1, "/nowhere": 1}


def test_a_host_is_reached_without_being_asked(site):
    """To connect is enough; a closed port, an unknown name and an address that may not be asked are not reached."""
    site.hits.clear()
    asking = reader(names=Names(evil_test=[["127.0.0.1"]]))
    assert asking.reaches(site.url("/photo.jpg"))
    assert not any(asking.reaches(url) for url in (f"http://{SITE}:1025/", "http://nobody.invalid/", f"http://evil.test:{site.port}/"))
    assert not site.hits


@pytest.mark.parametrize("path", REFUSED)
def test_what_is_no_photo_within_limits_has_its_reason(site, path):
    """Opt-outs, wrong types, bombs, endless and slow answers end within their limits, each with its reason."""
    begin = time.monotonic()
    with pytest.raises(BadSample) as caught:
        reader().read(site.url(path))
    assert (caught.value.reason, isinstance(caught.value, Passing)) == (REFUSED[path], path in PASSING)
    assert caught.value.detail.isprintable()
    assert time.monotonic() - begin < QUICK.total_s + 0.7


def test_the_limit_of_bytes_is_exact(site):
    """A photo of just as many bytes as it may have comes whole."""
    assert reader().read(site.url("/largest")).data == LARGEST


def test_a_server_may_ask_for_patience(site):
    """Retry-After reaches whoever decides when to ask again."""
    with pytest.raises(Passing) as caught:
        reader().read(site.url("/busy"))
    assert caught.value.after_s == 7.0


def test_we_say_who_we_are_and_ask_for_nothing_else(site):
    """The request names us and our contact, refuses compression, and carries no cookie, also after one was set."""
    site.heard.clear()
    asking = reader()
    asking.read(site.url("/photo.jpg"))
    asking.read(site.url("/photo.jpg"))
    heard = site.heard[1]
    assert heard.keys() == {"host", "user-agent", "accept", "accept-encoding", "connection"}
    assert heard["user-agent"].startswith("patina/")
    assert "mailto:me@example.org" in heard["user-agent"]
    assert (heard["accept-encoding"], heard["host"]) == ("identity", f"{SITE}:{site.port}")


@pytest.mark.parametrize("contact", ["me\r\nX-Evil: 1", "ü", "x" * 400])
def test_a_contact_cannot_break_the_header(contact):
    """What cannot stand in a header is refused when the reader is made."""
    with pytest.raises(RecipeError, match="contact"):
        Reader(contact=contact)


LOOPBACKS = ["127.1", "0x7f.1", "2130706433", "017700000001", "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "localhost", "localhost.", "0.0.0.0"]
LOOPBACKS += ["127.0.0.1", "evil.test", "[::]", "127。0。0。1", "0", "[64:ff9b::7f00:1]", "[2002:7f00:1::]"]


@pytest.mark.parametrize("host", LOOPBACKS)
def test_the_loopback_is_never_reached_by_any_spelling(site, host):
    """Asked outright or by a redirect, no spelling of the loopback, and no name that leads there, gets a single connection."""
    asking = reader(names=Names(evil_test=[["127.0.0.1", "::1"]]))
    site.pages["/to"] = moved(f"http://{host}:{site.port}/photo.jpg".encode().decode("latin-1"))
    with trap(site.port) as came:
        for url in (f"http://{host}:{site.port}/photo.jpg", asking.read(site.url("/to")).url):
            with pytest.raises(BadSample) as caught:
                asking.read(url)
            assert caught.value.reason is Reason.ADDRESS_REFUSED
    assert not came


def test_a_name_is_resolved_once_and_that_address_is_asked(site):
    """A name that resolves to a good address first and to the loopback ever after gets no second question."""
    names = Names(rebinding_test=[[HERE], ["127.0.0.1"]])
    with trap(site.port) as came:
        assert reader(names=names).read(site.url("/photo.jpg", "rebinding.test")).data == PHOTO
        assert names.asked["rebinding.test"] == 1
        with pytest.raises(BadSample, match="loopback"):
            reader(names=names).read(site.url("/photo.jpg", "rebinding.test"))
    assert not came


def test_unknown_names_and_closed_ports_are_unreachable_for_now():
    """A name that nobody knows may be known once this machine is on the web again; a port where nobody listens may be open later."""

    def unknown(*_: object):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    def unsure(*_: object):
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    for resolver in (unknown, unsure, lambda *_: [HERE]):
        asking = Reader(QUICK, resolver=resolver, refuse=lambda _: None, context=AUTHORITIES)
        with pytest.raises(BadSample) as caught:
            asking.read("http://gone.test:1025/")
        assert (caught.value.reason, isinstance(caught.value, Passing)) == (Reason.UNREACHABLE, True)


def test_the_next_address_is_tried(site):
    """Of several addresses the first that answers is asked."""
    names = Names(two_test=[["127.0.0.78", HERE]])
    asking = Reader(QUICK, resolver=names, refuse=lambda _: None, context=AUTHORITIES)
    assert asking.read(site.url("/photo.jpg", "two.test")).data == PHOTO


def test_tls_proves_the_host(tmp_path):
    """Over https the certificate must be the host's and from a known authority, and redirects to http are not followed."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl makes the certificate")
    pem = certificate(tmp_path)
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(pem)
    trusting = ssl.create_default_context(cafile=str(pem))
    strict = Limits(total_s=5.0)
    with Site({"/photo.jpg": answer(PHOTO), "/down": moved(f"http://{SITE}:1025/photo.jpg")}, serving) as site:
        asking = reader(strict, context=trusting)
        assert asking.read(site.url("/photo.jpg")).data == PHOTO
        assert asking.read(site.url("/photo.jpg", f"{SITE}.")).data == PHOTO
        for url, reason in ((site.url("/photo.jpg", f"other.{SITE}"), Reason.UNREACHABLE), (site.url("/down"), Reason.URL_REFUSED)):
            with pytest.raises(BadSample) as caught:
                asking.read(url)
            assert caught.value.reason is reason
        with pytest.raises(BadSample, match="certificate"):
            reader(strict).read(site.url("/photo.jpg"))
