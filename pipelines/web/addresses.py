"""Which addresses may be asked: public ones, and nothing that reaches this machine, its network or its cloud's own services.

A list from a stranger may name `127.1`, a name of his own that resolves to 10.0.0.1, or 169.254.169.254, where clouds
hand out credentials. So what a name resolves to is checked, and the connection goes to the very address that was
checked: a name that resolves differently the next time (DNS rebinding) is never asked a next time.

IPv6 has one block of public addresses, 2000::/3; all forms that carry an IPv4 address elsewhere (mapped, compatible,
NAT64) lie outside it, 6to4 and Teredo inside it are named below. Source: IANA's special-purpose address registries,
RFC 6890.
"""

from __future__ import annotations

import ipaddress
import queue
import re
import socket
import threading
from collections.abc import Callable

from degrade.errors import BadSample, Reason

Resolver = Callable[[str, int, float], list[str]]  # (host, port, seconds) -> addresses, best first
Refusal = Callable[[str], str | None]  # (address) -> why it may not be asked

MAX_ADDRESSES = 4  # of one name that are tried
_PUBLIC_V6 = ipaddress.IPv6Network("2000::/3")
_REFUSED_V4 = {
    "0.0.0.0/8": "this host",
    "10.0.0.0/8": "private",
    "100.64.0.0/10": "shared by a provider's customers",
    "127.0.0.0/8": "loopback",
    "168.63.129.16/32": "a cloud's own services",
    "169.254.0.0/16": "link-local, where clouds hand out credentials",
    "172.16.0.0/12": "private",
    "192.0.0.0/24": "reserved",
    "192.0.2.0/24": "documentation",
    "192.88.99.0/24": "6to4 relays",
    "192.168.0.0/16": "private",
    "198.18.0.0/15": "benchmarking",
    "198.51.100.0/24": "documentation",
    "203.0.113.0/24": "documentation",
    "224.0.0.0/4": "multicast",
    "240.0.0.0/4": "reserved",
}
_REFUSED_V6 = {
    "2001::/23": "reserved, Teredo among it",
    "2001:db8::/32": "documentation",
    "2002::/16": "6to4, which carries any IPv4 address",
    "3fff::/20": "documentation",
}
_V4 = tuple((ipaddress.IPv4Network(block), what) for block, what in _REFUSED_V4.items())
_V6 = tuple((ipaddress.IPv6Network(block), what) for block, what in _REFUSED_V6.items())
_NUMBER = re.compile(r"\d+|0x[0-9a-f]*")


def refusal(address: str) -> str | None:
    """Return why an address may not be asked, or None for a public one.

    Args:
        address: IPv4 in four decimal numbers, or IPv6; with a zone it is link-local whatever it says.
    """
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return "not an address"
    if isinstance(found, ipaddress.IPv4Address):
        return next((what for block, what in _V4 if found in block), None)
    if found.scope_id is not None or found not in _PUBLIC_V6:
        return "not a public IPv6 address"
    return next((what for block, what in _V6 if found in block), None)


def literal(host: str) -> str | None:
    """Return the address that a host is written as, or None for a name.

    Raises:
        BadSample: ADDRESS_REFUSED for an address in a spelling that only some readers understand (127.1, 0x7f000001, 0177.0.0.1): a
            name that ends in a number is never a name (https://url.spec.whatwg.org, "ends in a number").
    """
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        last = host.rstrip(".").rpartition(".")[2]
        if _NUMBER.fullmatch(last):
            raise BadSample(Reason.ADDRESS_REFUSED, "an address in an unusual spelling") from None
        return None


def resolve(host: str, port: int, seconds: float) -> list[str]:
    """Return the addresses of a name as this machine's resolver gives them, in its order.

    The resolver has no deadline of its own, so it is asked on a thread that may be left behind.

    Raises:
        TimeoutError: no answer within so many seconds.
        OSError: what the resolver says, `socket.gaierror` for an unknown name.
    """
    answer: queue.SimpleQueue[list[str] | OSError] = queue.SimpleQueue()

    def ask() -> None:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            answer.put([str(entry[4][0]) for entry in found])
        except OSError as error:
            answer.put(error)
        except UnicodeError as error:  # a label that no name server could be asked for
            answer.put(socket.gaierror(socket.EAI_NONAME, str(error)))

    threading.Thread(target=ask, daemon=True, name=f"resolve {host}").start()
    try:
        told = answer.get(timeout=max(seconds, 0.001))
    except queue.Empty:
        raise TimeoutError(f"the name was not resolved within {seconds:.0f} s") from None
    if isinstance(told, OSError):
        raise told
    return told


def allowed(host: str, port: int, seconds: float, resolver: Resolver = resolve, refuse: Refusal = refusal) -> list[str]:
    """Return the addresses of a host that may be asked, at most `MAX_ADDRESSES`; the name is resolved once, here.

    Args:
        host: lower case, a name or an address without brackets.
        port: 1..65535.
        seconds: that resolving may take.
        resolver: asked for names only.
        refuse: tells why an address may not be asked.

    Raises:
        BadSample: ADDRESS_REFUSED if none of its addresses may be asked.
        TimeoutError, OSError: of the resolver.
    """
    if f".{host.rstrip('.')}".endswith(".localhost"):  # this machine by its own name (RFC 6761), whatever a resolver says
        raise BadSample(Reason.ADDRESS_REFUSED, "this machine")
    written = literal(host)
    found = [written] if written is not None else resolver(host, port, seconds)
    reasons = {address: refuse(address) for address in found}
    public = [address for address, reason in reasons.items() if reason is None]
    if not public:
        told = ", ".join(f"{address} ({reason})" for address, reason in list(reasons.items())[:MAX_ADDRESSES]) or "no address"
        raise BadSample(Reason.ADDRESS_REFUSED, told)
    return public[:MAX_ADDRESSES]
