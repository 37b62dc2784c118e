"""What stands for a setting that is unset: worked out from the others, or generated for development."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from tokenboard.core import settings_fields as read
from tokenboard.core.development_secrets import development_secrets


def with_defaults(values: dict[str, object], instance: Path) -> dict[str, object]:
    """Fill in what is derived from other settings, and what development generates."""
    filled = dict(values)
    if filled.get("environment") != "production":
        generated = {k: v for k, v in development_secrets(instance).items() if k not in filled}
        filled |= {k: read.key_ring(v) if k == "encryption_keys" else v for k, v in generated.items()}
        filled.setdefault("database_url", f"sqlite:///{instance / 'tokenboard.sqlite3'}")
    else:
        filled.setdefault("signup_credits", 0)  # a site in the open does not give credits away unasked
    filled.setdefault("base_url", f"http://localhost:{filled.get('port', 8000)}")
    filled.setdefault("proxy_hops", 1 if filled["is_on_heroku"] else 0)
    if filled["is_on_heroku"] and "redis_url" in filled:
        filled["redis_url"] = read.heroku_redis_url(str(filled["redis_url"]))
    filled.setdefault("trusted_hosts", _default_hosts(str(filled["base_url"])))
    return filled


def _default_hosts(base_url: str) -> tuple[str, ...]:
    host = urlsplit(base_url).hostname or "localhost"
    return ("localhost", "127.0.0.1", "[::1]") if read.is_loopback_host(host) else (host,)
