"""Facts about `pipelines.web.addresses` and `pipelines.web.urls`: which addresses may be asked, in whatever spelling."""

from __future__ import annotations

import ipaddress
import socket
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from local_web import Names

from degrade.errors import BadSample, Reason
from pipelines.web import addresses, urls

some = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])

FORBIDDEN = [
    *("0.0.0.0", "127.0.0.1", "127.255.255.254", "10.1.2.3", "100.100.100.200", "168.63.129.16", "169.254.169.254", "172.16.0.1", "172.31.255.255"),
    *("192.168.1.1", "192.0.0.192", "192.0.2.1", "192.88.99.1", "198.18.0.1", "198.51.100.1", "203.0.113.9", "224.0.0.1", "239.255.255.250"),
    *("240.0.0.1", "255.255.255.255", "::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "64:ff9b::7f00:1", "64:ff9b:1::1", "100::1"),
    *("2001::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001:db8::1", "2002:7f00:1::", "2002:a00:1::1", "3fff::1", "5f00::1", "fc00::1"),
    *("fd00:ec2::254", "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1", "2606:4700::1%1"),
]
PUBLIC = ["1.1.1.1", "8.8.8.8", "100.63.255.255", "100.128.0.1", "172.15.0.1", "172.32.0.1", "192.0.1.1", "223.255.255.255", "2606:4700::1111", "2a00:1450::1"]


@pytest.mark.parametrize("address", FORBIDDEN)
def test_what_is_not_public_is_refused(address):
    """Loopback, private, link-local, multicast, reserved and transition addresses are refused, each with its name."""
    assert addresses.refusal(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_allowed(address):
    """What lies just outside a refused block is allowed."""
    assert addresses.refusal(address) is None


@some
@given(st.ip_addresses())
def test_nothing_is_allowed_that_python_calls_unroutable(address):
    """Whatever the standard library knows to be no public unicast address is refused here too."""
    if not address.is_global or address.is_multicast or address.is_reserved or address.is_loopback or address.is_link_local:
        assert addresses.refusal(str(address))


@some
@given(st.integers(0, 2**32 - 1))
def test_an_ipv4_address_inside_another_form_is_refused(number):
    """Mapped, compatible, NAT64 and 6to4 forms of any IPv4 address are refused, public or not."""
    forms = [0xFFFF << 32 | number, number, 0x64FF9B << 96 | number, 0x2002 << 112 | number << 80]
    assert all(addresses.refusal(str(ipaddress.IPv6Address(form))) for form in forms)


ODD = ["127.1", "0x7f.1", "2130706433", "017700000001", "0x7f000001", "0177.0.0.1", "127.0.0.1.", "1.2.3.4.5", "photos.0x7f", "0x", "0"]


@pytest.mark.parametrize("host", ODD)
def test_unusual_spellings_of_addresses_are_refused_unasked(host):
    """A host that ends in a number and is no plain address is refused before any resolver sees it."""
    names = Names()
    with pytest.raises(BadSample) as caught:
        addresses.allowed(host, 443, 1.0, names)
    assert caught.value.reason is Reason.ADDRESS_REFUSED
    assert not names.asked


def test_a_name_gives_its_public_addresses_only():
    """Of mixed answers the public ones stay, in their order; of none, the refusal says why."""
    names = Names(mixed_test=[["10.0.0.1", "8.8.8.8", "::1", "2606:4700::1111"]], private_test=[["192.168.0.1"]], none_test=[[]])
    assert addresses.allowed("mixed.test", 443, 1.0, names) == ["8.8.8.8", "2606:4700::1111"]
    for host, said in (("private.test", "192.168.0.1 (private)"), ("none.test", "no address")):
        with pytest.raises(BadSample, match=said.replace("(", r"\(").replace(")", r"\)")):
            addresses.allowed(host, 443, 1.0, names)


def test_a_resolver_that_hangs_is_left_behind(monkeypatch):
    """Resolving takes no longer than it may."""
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: time.sleep(0.3) or [])
    begin = time.monotonic()
    with pytest.raises(TimeoutError):
        addresses.resolve("slow.test", 443, 0.05)
    assert time.monotonic() - begin < 0.25


def test_this_machines_own_names_lead_nowhere():
    """Localhost is refused by name, and what the real resolver says of it by address."""
    for host in ("localhost", "localhost.", "photos.localhost"):
        with pytest.raises(BadSample, match="this machine"):
            addresses.allowed(host, 80, 5.0)
    assert all(addresses.refusal(address) for address in addresses.resolve("localhost", 80, 5.0))


@pytest.mark.parametrize(
    ("url", "plain"),
    [
        ("HTTPS://Photos.Test", "https://photos.test/"),
        (" https://photos.test:443/a b.jpg?x=1&y=ü#z ", "https://photos.test/a%20b.jpg?x=1&y=%C3%BC"),
        ("https://bücher.test/%7Ea", "https://xn--bcher-kva.test/%7Ea"),
        ("https://[2606:4700::1111]:8443/", "https://[2606:4700::1111]:8443/"),
        ("https://127。0。0。1/", "https://127.0.0.1/"),
        ("https://①②⑦.0.0.1/", "https://127.0.0.1/"),
    ],
)
def test_a_url_has_one_plain_form(url, plain):
    """Case, default ports, fragments, wide letters and unescaped characters do not make another address."""
    assert urls.parse(url).url == plain
    assert urls.parse(plain).url == plain


REFUSED_URLS = [
    *("http://photos.test/", "ftp://photos.test/", "file:///etc/passwd", "data:image/png;base64,AA", "gopher://photos.test/", "photos.jpg"),
    *("//photos.test/a", "", "https://"),
    *("https://me:word@photos.test/", "https://photos.test@127.0.0.1/", "https://photos.test\\@127.0.0.1/", "https://photos.test/a\nHost: x", "https:///a"),
    *("https://photos.test:22/", "https://photos.test:0/", "https://photos.test:99999/", "https://photos.test:x/", "https://[::1", "https://[fe80::1%25eth0]/"),
    *("https://%31%32%37.0.0.1/", "https://a..b/", "https://.test/", "https://-a.test/", f"https://{'a' * 64}.test/", f"https://photos.test/{'a' * 9000}", "https://[photos]/"),
    *("https://photos.test\ud800/", "https://a b.test/", "https://photos.test;x/", "https://photos\x00.test/"),
]


@pytest.mark.parametrize("url", REFUSED_URLS, ids=lambda url: ascii(url)[:30])
def test_what_is_no_plain_web_address_is_refused(url):
    """Other schemes, credentials, odd ports and hosts that readers disagree about are refused unasked."""
    with pytest.raises(BadSample) as caught:
        urls.parse(url)
    assert caught.value.reason is Reason.URL_REFUSED


@some
@given(st.text(max_size=60), st.sampled_from(["", "https://", "https://a.test/", "https://a.test:", "https://["]))
def test_any_text_is_a_url_or_refused(text, before):
    """Whatever a list holds, parsing ends in a target of plain ASCII or in the reason."""
    try:
        target = urls.parse(before + text)
    except BadSample as bad:
        refused = bad.reason
    else:
        refused = None if target.url.isascii() and target.url.isprintable() and urls.parse(target.url) == target else Reason.CRASHED
    assert refused in {None, Reason.URL_REFUSED}


def test_redirects_are_read_as_browsers_do():
    """A location may be relative, and its bytes are UTF-8 whatever HTTP calls them; it may not leave the web."""
    here = urls.parse("https://photos.test/a/b.jpg?x")
    assert urls.follow(here, "../c.jpg").url == "https://photos.test/c.jpg"
    assert urls.follow(here, "//other.test/d").url == "https://other.test/d"
    assert urls.follow(here, "/ü".encode().decode("latin-1")).url == "https://photos.test/%C3%BC"
    for location in ("file:///etc/passwd", "http://photos.test/", "https://[", "https://u@photos.test/"):
        with pytest.raises(BadSample):
            urls.follow(here, location)
