"""How one setting is declared and read: its name, its reader, what it means. `core/config.py` holds the list.

A secret may come as `NAME_FILE`, the path of a file that holds it (Docker and Kubernetes secrets).
"""

from __future__ import annotations

import dataclasses
import ipaddress
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tokenboard.core.crypto import KeyRing, parse_key_ring
from tokenboard.core.parsing import parse_amount, parse_email

SHORTEST_SECRET = 32  # characters; 192 bits in base64 (reference/security.md, items 16 and 17)
_HOST = re.compile(r"(?:\*\.)?[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?", re.ASCII)
_WEAK_WORDS = ("changeme", "change-me", "secret", "password", "example", "default", "your-")


class ConfigError(Exception):
    """The settings cannot be used. One line per fault, each naming the setting and the cure."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(f"- {fault}" for fault in faults))
        self.faults = faults


@dataclass(frozen=True, slots=True)
class Declaration:
    """What `.env.example`, docs/settings.md and the start-up check know of a setting."""

    name: str
    read: Callable[[str], Any]
    doc: str
    group: str
    aliases: tuple[str, ...] = ()
    is_secret: bool = False
    is_required_in_production: bool = False
    example: str = ""


def setting(
    name: str,
    read: Callable[[str], Any],
    doc: str,
    *,
    group: str,
    default: Any,
    aliases: tuple[str, ...] = (),
    is_secret: bool = False,
    is_required_in_production: bool = False,
    example: str = "",
) -> Any:
    """Declare a dataclass field that is read from the environment."""
    declaration = Declaration(name, read, doc, group, aliases, is_secret, is_required_in_production, example)
    return dataclasses.field(default=default, metadata={"declaration": declaration}, repr=not is_secret)


def raw_value(declaration: Declaration, environ: Mapping[str, str]) -> str | None:
    """The text of a setting: its name, its `_FILE`, then its older names; None when unset or blank.

    Raises: ConfigError when the named file cannot be read.
    """
    for name in (declaration.name, *declaration.aliases):
        if environ.get(name, "").strip():
            return environ[name].strip()
        path = environ.get(f"{name}_FILE", "").strip() if declaration.is_secret else ""
        if path:
            return _file_text(name, Path(path))
    return None


def _file_text(name: str, path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError([f"{name}_FILE names {path}, which cannot be read."]) from error


def weakness(secret: str) -> str | None:
    """Why a secret is too weak for production, or None."""
    if len(secret) < SHORTEST_SECRET:
        return f"has {len(secret)} characters, needs at least {SHORTEST_SECRET}"
    if len(set(secret)) < 10 or any(word in secret.lower() for word in _WEAK_WORDS):
        return "looks like a placeholder; make one with: openssl rand -base64 48"
    return None


def text(value: str) -> str:
    return value


def choice(*allowed: str) -> Callable[[str], str]:
    def read(value: str) -> str:
        if value not in allowed:
            raise ValueError(f"must be one of: {', '.join(allowed)}")
        return value

    return read


def flag(value: str) -> bool:
    """Yes or no, in the words people use for it in environments."""
    known = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}
    if value.lower() not in known:
        raise ValueError("must be true or false")
    return known[value.lower()]


def budgets(value: str) -> tuple[tuple[str, int], ...]:
    """`group:cents,group:cents`; a group's name may hold colons itself."""
    found: dict[str, int] = {}
    for one in names(value):
        group, _, cents = one.rpartition(":")
        if not group or group in found or not (cents.isascii() and cents.isdigit() and len(cents) <= 11):
            raise ValueError("must be group:cents pairs like staff:5000,research:20000")
        found[group] = int(cents)
    return tuple(found.items())


def integer(lowest: int, highest: int) -> Callable[[str], int]:
    def read(value: str) -> int:
        if not (value.isascii() and value.isdigit() and lowest <= int(value[:12]) <= highest):
            raise ValueError(f"must be a whole number from {lowest} to {highest}")
        return int(value)

    return read


def positive_decimal(value: str) -> Decimal:
    amount = parse_amount(value)
    if not amount:
        raise ValueError("must be more than 0")
    return amount


def names(value: str) -> tuple[str, ...]:
    return tuple(filter(None, (piece.strip() for piece in value.split(","))))


def hosts(value: str) -> tuple[str, ...]:
    """Host names in lower case, `*.` in front for every name below."""
    found = tuple(one.lower() for one in names(value))
    if not all(_HOST.fullmatch(one) for one in found):
        raise ValueError("must be host names like hooks.example.com or *.example.com, without scheme, port and path")
    return found


def origins(value: str) -> tuple[str, ...]:
    """Origins as browsers write them: scheme and host, no path. With a slash at the end one would match nothing."""
    found = names(value)
    for one in found:
        parts = urlsplit(one)
        if parts.scheme not in {"http", "https"} or not parts.hostname or one != f"{parts.scheme}://{parts.netloc}":
            raise ValueError("must be origins like https://app.example.com, without a path")
    return found


def site_path(value: str) -> str:
    """A path of this site: one leading slash, nothing clever."""
    is_plain = value.isascii() and not set(value) & set("\\?#") and all(32 < ord(one) < 127 for one in value)
    if not value.startswith("/") or value.startswith("//") or not is_plain:
        raise ValueError("must be a path of this site, such as /credits")
    return value


def http_url(value: str) -> str:
    """An http(s) address without user, query or fragment; no slash at the end."""
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username or parts.query or parts.fragment:
        raise ValueError("must be an address like https://example.com")
    return value.rstrip("/")


def email(value: str) -> str:
    try:
        return parse_email(value)
    except ValueError as error:
        raise ValueError("must be an e-mail address like people@example.com") from error


def contacts(value: str) -> tuple[str, ...]:
    """Addresses and pages as security.txt writes them: `mailto:…`, `https://…` (RFC 9116)."""
    return tuple(_contact(one) for one in names(value))


def _contact(text: str) -> str:
    if text.startswith("https://"):
        return http_url(text)
    return f"mailto:{email(text.removeprefix('mailto:'))}"


def smtp_url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in {"smtp", "smtps"} or not parts.hostname:
        raise ValueError("must be smtp://user:password@host:587 or smtps://…:465")
    return value


def redis_url(value: str) -> str:
    if urlsplit(value).scheme not in {"redis", "rediss", "unix"}:
        raise ValueError("must begin with redis://, rediss:// or unix://")
    return value


def heroku_redis_url(url: str) -> str:
    """Heroku's Key-Value Store offers TLS only, with certificates it signs itself, so there is nothing to verify."""
    if not url.startswith("rediss://") or "ssl_cert_reqs=" in url:
        return url
    return f"{url}{'&' if '?' in url else '?'}ssl_cert_reqs=none"


def database_url(value: str) -> str:
    """SQLAlchemy's form of the address; accepts Heroku's `postgres://` and plain `postgresql://`."""
    for prefix in ("postgres://", "postgresql://", "postgresql+psycopg://"):
        if value.startswith(prefix):
            return "postgresql+psycopg://" + value.removeprefix(prefix)
    if value.startswith("sqlite:///"):
        return value
    raise ValueError("must begin with postgres://, postgresql:// or sqlite:///")


def key_ring(value: str) -> KeyRing:
    return parse_key_ring(value)


def is_loopback_host(host: str) -> bool:
    """Whether a host name means this machine."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
