"""Which addresses a webhook may go to: the guard against requests that reach our own network (SSRF).

Laws: the address is parsed once, by one strict pattern, and what was parsed is what is connected to; every IP address a
name stands for must be public, and the connection goes to exactly those (no second look-up); https only. Outside
production this machine itself is allowed too, over http, so that a receiver can be tried out; nothing else is.
Source: reference "Security", 3.1 SSRF (spellings measured on Python 3.11.7), read 2026-11-20.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Callable

from tokenboard.providers.webhook_client import Destination

LONGEST_URL = 500
_IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolver = Callable[[str, int], list[str]]

_URL = re.compile(
    r"(?P<scheme>https?)://(?:\[(?P<v6>[0-9a-f:.]{2,45})\]|(?P<name>[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?))"
    r"(?::(?P<port>[1-9][0-9]{0,4}))?(?P<path>/[!-\"$-\[\]-~]*)?(?P<query>\?[!-\"$-\[\]-~]*)?",
    re.IGNORECASE | re.ASCII,
)
# The last label decides, as in the WHATWG URL standard: 127.1, 0x7f000001 and 2130706433 are all numbers.
_NUMERIC_NAME = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)", re.IGNORECASE | re.ASCII)
_V4_INSIDE_V6 = (
    (ipaddress.IPv6Network("::ffff:0:0/96"), 0),  # v4-mapped
    (ipaddress.IPv6Network("::/96"), 0),  # v4-compatible, ::1 included
    (ipaddress.IPv6Network("64:ff9b::/96"), 0),  # NAT64
    (ipaddress.IPv6Network("2002::/16"), 80),  # 6to4
)
# Tunnels and translations that hide the real end where we do not look.
_REFUSED_NETWORKS = tuple(ipaddress.IPv6Network(text) for text in ("64:ff9b:1::/48", "2001::/32"))


class AddressRefused(ValueError):
    """This address is not one we send to. The message is a sentence for the person who typed it."""


def destination(
    url: str, *, is_production: bool, hosts: tuple[str, ...] = (), resolve: Resolver | None = None
) -> Destination:
    """Parse, resolve and check an address; with `hosts` it is one of those. Raises: AddressRefused."""
    found = _URL.fullmatch(url) if len(url) <= LONGEST_URL else None
    if found is None:
        raise AddressRefused("Write an address like https://example.com/hooks/tokenboard.")
    is_tls = found["scheme"].lower() == "https"
    if is_production and not is_tls:
        raise AddressRefused("The address must begin with https://.")
    port = int(found["port"] or (443 if is_tls else 80))
    host = _host(found["name"], found["v6"])
    if hosts and not _is_listed(host, hosts):
        raise AddressRefused("This site sends webhooks to hosts on its operator's list only, and this is none of them.")
    path = (found["path"] or "/") + (found["query"] or "")
    ip_addresses = _checked_addresses(host, port, is_production, resolve or resolved)
    return Destination(host, port, path, is_tls, ip_addresses)


def _host(name: str | None, v6: str | None) -> str:
    if v6 is not None or (name is not None and _NUMERIC_NAME.fullmatch(name)):
        try:
            return str(ipaddress.ip_address(v6 or name or ""))
        except ValueError as error:
            raise AddressRefused("Write an IP address in its usual form, or a name.") from error
    assert name is not None  # the pattern matches one of the two
    if ".." in name:
        raise AddressRefused("This is not a host name.")
    return name.lower()


def _is_listed(host: str, hosts: tuple[str, ...]) -> bool:
    return any(host.endswith(one[1:]) if one.startswith("*.") else host == one for one in hosts)


def _checked_addresses(host: str, port: int, is_production: bool, resolve: Resolver) -> tuple[str, ...]:
    if not 1 <= port <= 65_535:
        raise AddressRefused("A port lies between 1 and 65535.")
    found = resolve(host, port)
    if not found:
        raise AddressRefused("This host name is not known.")
    for text in found:
        ip_address = unwrapped(ipaddress.ip_address(text.partition("%")[0]))
        if not (is_public(ip_address) or (not is_production and ip_address.is_loopback)):
            raise AddressRefused("This address leads into a private network; webhooks go to public addresses only.")
    return tuple(found)


def resolved(host: str, port: int) -> list[str]:
    """Every IP address a name stands for; none when it is unknown."""
    try:
        answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError):
        return []
    return list(dict.fromkeys(str(answer[4][0]) for answer in answers))


def unwrapped(ip_address: _IPAddress) -> _IPAddress:
    """The IPv4 address inside an IPv6 one, where there is one: to Python ::ffff:127.0.0.1 is no loopback."""
    if isinstance(ip_address, ipaddress.IPv4Address):
        return ip_address
    for network, shift in _V4_INSIDE_V6:
        if ip_address in network and int(ip_address) > 1:
            return ipaddress.IPv4Address((int(ip_address) >> shift) & 0xFFFFFFFF)
    return ip_address


def is_public(ip_address: _IPAddress) -> bool:
    """Whether this is somebody else's machine on the internet. `is_global` alone lets multicast and 6to4 through."""
    if isinstance(ip_address, ipaddress.IPv6Address) and _hides_its_end(ip_address):
        return False
    return ip_address.is_global and not (
        ip_address.is_multicast
        or ip_address.is_reserved
        or ip_address.is_loopback
        or ip_address.is_link_local
        or ip_address.is_private
        or ip_address.is_unspecified
    )


def _hides_its_end(ip_address: ipaddress.IPv6Address) -> bool:
    is_isatap = (int(ip_address) >> 32) & 0xFDFFFFFF == 0x00005EFE
    return is_isatap or any(ip_address in network for network in _REFUSED_NETWORKS)
