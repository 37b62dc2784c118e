"""What an operator should change in settings that work but could be better; and the settings' own documentation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from urllib.parse import parse_qsl, urlsplit

from tokenboard.core.config import Settings, declarations
from tokenboard.core.settings_fields import Declaration, weakness

_Declared = tuple[str, Declaration, object]

_ENV_HEAD = """# Every setting of TokenBoard. Written by `flask --app wsgi ops env-example`; do not edit by hand.
# `./run` reads a file `.env` next to it; other launchers give these as environment variables.
# A secret may come from a file instead: NAME_FILE=/run/secrets/name"""
_PAGE_HEAD = """# Settings

Read once at the start, from the environment; `./run` also reads `.env`. A value that cannot be used stops the start
with a sentence that names it. Written by `flask --app wsgi ops settings-doc`; do not edit by hand.

Every secret may come from a file: `NAME_FILE=/run/secrets/name`. In development missing secrets are made once and kept
in `instance/secrets.json`; in production they are required, at least 32 characters long, and no placeholders."""


def advice(settings: Settings) -> list[str]:
    """One sentence a finding, each naming the setting and the cure. What refuses the start is not repeated here."""
    return [sentence for is_found, sentence in _findings(settings) if is_found]


def _findings(settings: Settings) -> Iterator[tuple[bool, str]]:
    is_production = settings.is_production
    yield (
        not is_production,
        "TOKENBOARD_ENV is development: missing secrets are made up. Set it to production for more than trying out.",
    )
    yield not settings.redis_url, "REDIS_URL is unset: no job runs but the sweepers. `./run` starts an embedded Redis."
    yield (
        not settings.smtp_url,
        "SMTP_URL is unset: no e-mail leaves; alerts and links stay in "
        + ("the database, and raise an alert." if is_production else "the development outbox, /dev/outbox."),
    )
    yield (
        is_production and not (settings.litellm_base_url or settings.openai_base_url or settings.openai_api_key),
        "LITELLM_BASE_URL and OPENAI_API_KEY are unset: chat and /v1 are off.",
    )
    yield not settings.cron_secret, "CRON_SECRET is unset: /api/cron/… is off. The worker syncs without it."
    yield (
        is_production and settings.is_sqlite,
        "DATABASE_URL is SQLite: one machine only, and its file must lie on a disk that is kept and backed up.",
    )
    yield (
        settings.is_sqlite and settings.web_concurrency > 1,
        "WEB_CONCURRENCY is more than 1 with SQLite: the processes wait for one another's writes. Leave it at 1.",
    )
    yield (
        is_production and settings.redis_url.startswith("redis://") and "@" not in settings.redis_url,
        "REDIS_URL has neither password nor TLS: whoever reaches that port can run jobs.",
    )
    yield (
        is_production and _is_plain_elsewhere(settings),
        "DATABASE_URL leads to another machine and does not insist on TLS: put ?sslmode=verify-full at its end.",
    )
    yield (
        is_production and settings.proxy_hops == 0,
        "PROXY_HOPS is 0: behind a reverse proxy all visitors seem to come from the proxy and share its rate limits.",
    )
    yield (
        len(settings.encryption_keys.keys) > 1,
        "ENCRYPTION_KEYS holds more than one key: run flask ops rotate-keys, then remove the old ones.",
    )
    yield (
        "tokenboard@localhost" in settings.mail_from and bool(settings.smtp_url),
        ("MAIL_FROM is the default: receivers will refuse mail from localhost."),
    )
    weak = weakness(settings.secret_key)
    yield bool(not is_production and weak), f"SECRET_KEY {weak}; production will refuse it."


def _is_plain_elsewhere(settings: Settings) -> bool:
    """Whether PostgreSQL is asked over a network without being told to use TLS. Heroku's always is told."""
    if settings.is_sqlite or settings.is_on_heroku:
        return False
    address = urlsplit(settings.database_url)
    told = dict(parse_qsl(address.query))
    host = address.hostname or told.get("host", "")
    is_here = not host or host.startswith("/") or host in {"localhost", "127.0.0.1", "::1"}
    return not is_here and told.get("sslmode", "prefer") in {"disable", "allow", "prefer"}


def env_example() -> str:
    """`.env.example`: every setting, in order, commented out where it may stay unset."""
    blocks = [_ENV_HEAD]
    for group, declared in _grouped():
        blocks.append("\n".join([f"# ---- {group} ----", *(_env_lines(one) for one in declared)]))
    return "\n\n".join(blocks) + "\n"


def _env_lines(declared: _Declared) -> str:
    _, declaration, default = declared
    value = declaration.example or _shown(default)
    need = " Required in production." if declaration.is_required_in_production else ""
    older = f" Older names: {', '.join(declaration.aliases)}." if declaration.aliases else ""
    return f"\n# {declaration.doc}{need}{older}\n#{declaration.name}={value}"


def settings_page() -> str:
    """`docs/settings.md`."""
    lines = [_PAGE_HEAD]
    for group, declared in _grouped():
        lines += ["", f"## {group}", "", "| setting | meaning | default | |", "| --- | --- | --- | --- |"]
        lines += [_table_row(one) for one in declared]
    return "\n".join(lines) + "\n"


def _table_row(declared: _Declared) -> str:
    _, declaration, default = declared
    marks = ["secret"] if declaration.is_secret else []
    marks += ["required in production"] if declaration.is_required_in_production else []
    marks += [f"older names: {', '.join(f'`{alias}`' for alias in declaration.aliases)}"] if declaration.aliases else []
    shown = f"`{_shown(default)}`" if _shown(default) else ""
    return f"| `{declaration.name}` | {declaration.doc} | {shown} | {'; '.join(marks)} |"


def _grouped() -> Iterable[tuple[str, list[_Declared]]]:
    return [(group, list(found)) for group, found in groupby(declarations(), key=lambda one: one[1].group)]


def _shown(default: object) -> str:
    """A default as it would be typed; nothing for secrets and for what is worked out at the start."""
    if isinstance(default, bool):
        return "true" if default else "false"
    return str(default) if isinstance(default, (int, str)) or type(default).__name__ == "Decimal" else ""
