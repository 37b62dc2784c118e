"""Where a key may be used from, and how it is labelled: addresses, networks and tags as they are kept. Pure.

Laws: kept is the shortest spelling, so that the same address is there once; IPv4 in IPv6's clothes is IPv4; a network
has no bits outside itself, for whoever writes 10.0.0.5/8 means one of two things.
"""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from tokenboard.core.parsing import clean_text

MOST_ADDRESSES, LONGEST_ADDRESS = 50, 50
MOST_TAGS, LONGEST_TAG = 10, 30

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_MAPPED = 96  # bits before the IPv4 address
_EXAMPLES = "Write an address or a network as 203.0.113.9, 203.0.113.0/24 or 2001:db8::/48."


def read_network(text: str) -> str:
    """An address or network in its one spelling. Raises: ValueError."""
    given = text.strip()
    if not given.isascii() or "%" in given or len(given) > LONGEST_ADDRESS:
        raise ValueError(_EXAMPLES)
    try:
        found = ip_network(given, strict=False)
    except ValueError as error:
        raise ValueError(f"{given} is no address. {_EXAMPLES}") from error
    if "/" in given and ip_address(given.split("/")[0]) != found.network_address:
        raise ValueError(f"{given} is an address within a network. Write {found}, or the address alone.")
    plain = _plain(found)
    if plain.prefixlen == 0:
        raise ValueError(f"{given} is everybody. Leave the list empty instead.")
    return _spelled(plain)


def _plain(found: Network) -> Network:
    """IPv4 that came as IPv6 (`::ffff:203.0.113.9`) as what it is: senders are compared so."""
    mapped = found.network_address.ipv4_mapped if isinstance(found, IPv6Network) else None
    return found if mapped is None or found.prefixlen < _MAPPED else IPv4Network((mapped, found.prefixlen - _MAPPED))


def _spelled(found: Network) -> str:
    return str(found.network_address) if found.prefixlen == found.max_prefixlen else str(found)


@lru_cache(maxsize=1_024)
def _network(text: str) -> Network:
    return ip_network(text)


def allows_address(allowed: list[str], sender: Address | None) -> bool:
    """Whether a key may be used from an address; an empty list means any, and nowhere is on no list."""
    if not allowed:
        return True
    return sender is not None and any(sender in _network(one) for one in allowed)


def read_tag(text: str) -> str:
    """A label in lower case. Raises: ValueError."""
    tag = clean_text(text, longest=LONGEST_TAG, shortest=1).lower()
    if "," in tag or len(tag) > LONGEST_TAG:
        raise ValueError(f"A tag has no comma, and at most {LONGEST_TAG} characters.")
    return tag
