"""Every setting, read once at the start, typed, frozen and checked. The only reader of the environment.

Laws: a bad setting stops the start with a sentence that names it and its cure; production refuses missing or weak
secrets; in development missing secrets are generated into `instance/secrets.json` and kept.
`flask ops env-example` writes `.env.example` from the declarations here.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from tokenboard.core import settings_fields as read
from tokenboard.core.chat_settings import ChatSettings
from tokenboard.core.crypto import KeyRing
from tokenboard.core.front_settings import FrontSettings
from tokenboard.core.notice_settings import NoticeSettings
from tokenboard.core.payment_settings import PaymentSettings
from tokenboard.core.people_settings import PeopleSettings
from tokenboard.core.settings_checks import check
from tokenboard.core.settings_defaults import with_defaults
from tokenboard.core.settings_fields import ConfigError, Declaration, raw_value, setting

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Settings(FrontSettings, NoticeSettings, ChatSettings, PaymentSettings, PeopleSettings):
    """What the environment says. Fields stand in the order of `.env.example`; those of the parts come last there."""

    environment: str = setting(
        "TOKENBOARD_ENV",
        read.choice("development", "production"),
        "`development` or `production`.",
        group="Where it runs",
        default="development",
    )
    port: int = setting("PORT", read.integer(1, 65535), "Port of the web process.", group="Where it runs", default=8000)
    host: str = setting(
        "HOST",
        read.text,
        "Address the web process binds. Unset: 0.0.0.0 in production, else 127.0.0.1.",
        group="Where it runs",
        default="",
    )
    web_concurrency: int = setting(
        "WEB_CONCURRENCY",
        read.integer(1, 64),
        "Web processes that gunicorn starts; with SQLite leave it at 1.",
        group="Where it runs",
        default=1,
    )
    base_url: str = setting(
        "BASE_URL",
        read.http_url,
        "How the world sees this site; links in e-mails are made from it.",
        group="Where it runs",
        default="",
        aliases=("SITE_URL", "FRONTEND_URL", "NEXTAUTH_URL"),
        is_required_in_production=True,
        example="https://tokens.example.com",
    )
    trusted_hosts: tuple[str, ...] = setting(
        "TRUSTED_HOSTS",
        read.names,
        "Host names that may be asked for, comma-separated. Unset: the host of BASE_URL.",
        group="Where it runs",
        default=(),
        example="tokens.example.com",
    )
    proxy_hops: int = setting(
        "PROXY_HOPS",
        read.integer(0, 5),
        "Reverse proxies in front of the web process (Heroku: 1). Unset: 1 on Heroku, else 0.",
        group="Where it runs",
        default=0,
    )
    cors_origins: tuple[str, ...] = setting(
        "CORS_ORIGINS",
        read.origins,
        "Origins whose own front ends may call /api/ with a bearer token, comma-separated.",
        group="Where it runs",
        default=(),
        example="https://app.example.com",
    )
    log_level: str = setting(
        "LOG_LEVEL",
        read.choice("DEBUG", "INFO", "WARNING", "ERROR"),
        "Least severe log line that is written.",
        group="Where it runs",
        default="INFO",
    )

    secret_key: str = setting(
        "SECRET_KEY",
        read.text,
        "Signs session cookies and forms. At least 32 characters.",
        group="Secrets",
        default="",
        aliases=("AUTH_SECRET", "NEXTAUTH_SECRET"),
        is_secret=True,
        is_required_in_production=True,
    )
    jwt_secret: str = setting(
        "JWT_SECRET",
        read.text,
        "Signs API tokens; another value than SECRET_KEY.",
        group="Secrets",
        default="",
        is_secret=True,
        is_required_in_production=True,
    )
    encryption_keys: KeyRing = setting(
        "ENCRYPTION_KEYS",
        read.key_ring,
        "Seals providers' keys: `id:base64` of 32 bytes each, comma-separated; the first writes, all read.",
        group="Secrets",
        default=KeyRing({}),
        aliases=("ENCRYPTION_KEY",),
        is_secret=True,
        is_required_in_production=True,
    )
    password_pepper: str = setting(
        "PASSWORD_PEPPER",
        read.text,
        "Mixed into every password before hashing. Changing it ends all passwords.",
        group="Secrets",
        default="",
        is_secret=True,
        is_required_in_production=True,
    )
    cron_secret: str = setting(
        "CRON_SECRET",
        read.text,
        "Bearer secret of /api/cron/…, at least 32 characters. Unset: the call is off.",
        group="Secrets",
        default="",
        is_secret=True,
    )

    admin_api_key: str = setting(
        "ADMIN_API_KEY",
        read.text,
        "The `x-admin-key` of calls that give credits, at least 32 characters. Unset: those calls are off.",
        group="Secrets",
        default="",
        is_secret=True,
    )
    metrics_token: str = setting(
        "METRICS_TOKEN",
        read.text,
        "Bearer secret of /metrics, at least 32 characters. Unset: the call is off.",
        group="Secrets",
        default="",
        is_secret=True,
    )

    database_url: str = setting(
        "DATABASE_URL",
        read.database_url,
        "PostgreSQL or SQLite. Unset: SQLite in instance/.",
        group="Parts",
        default="",
        aliases=("POSTGRES_URL", "POSTGRES_PRISMA_URL", "DIRECT_URL"),
        is_secret=True,
        is_required_in_production=True,
        example="postgres://user:password@host:5432/tokenboard",
    )
    redis_url: str = setting(
        "REDIS_URL",
        read.redis_url,
        "The queue. Unset: `./run` starts an embedded Redis.",
        group="Parts",
        default="",
        is_secret=True,
        is_required_in_production=True,
        example="rediss://:password@host:6379/0",
    )
    sandbox_url: str = setting(
        "SANDBOX_URL",
        read.http_url,
        "Where the provider sandbox listens; set by `./run`, refused in production.",
        group="Parts",
        default="",
    )

    openai_admin_base_url: str = setting(
        "OPENAI_ADMIN_BASE_URL",
        read.http_url,
        "OpenAI's admin API. Unset: https://api.openai.com/v1, or the sandbox outside production.",
        group="Providers",
        default="",
    )
    anthropic_admin_base_url: str = setting(
        "ANTHROPIC_ADMIN_BASE_URL",
        read.http_url,
        "Anthropic's admin API. Unset: https://api.anthropic.com, or the sandbox outside production.",
        group="Providers",
        default="",
    )

    signup_credits: int = setting(
        "SIGNUP_CREDITS",
        read.integer(0, 1_000_000),
        "Credits for each new person, once an e-mail address. Unset: 1000, and 0 in production.",
        group="Credits",
        default=1000,
    )
    signup_credits_expire_days: int = setting(
        "SIGNUP_CREDITS_EXPIRE_DAYS",
        read.integer(0, 3_650),
        "Days after which sign-up credits expire; 0: never.",
        group="Credits",
        default=0,
    )
    credit_value_usd: Decimal = setting(
        "CREDIT_VALUE_USD",
        read.positive_decimal,
        "What one credit is worth in USD. Frozen at the first entry of the ledger.",
        group="Credits",
        default=Decimal("0.01"),
    )

    bcrypt_cost: int = setting(
        "BCRYPT_COST",
        read.integer(4, 16),
        "Work factor of password hashes; production needs at least 12.",
        group="Limits",
        default=12,
    )
    is_on_heroku: bool = False
    instance_path: Path = ROOT / "instance"

    @property
    def is_production(self) -> bool:
        return self.environment == "production"

    @property
    def is_sqlite(self) -> bool:
        return self.database_url.startswith("sqlite:")

    @property
    def is_https(self) -> bool:
        return self.base_url.startswith("https://")


def declarations() -> list[tuple[str, Declaration, object]]:
    """Every setting's attribute, declaration and default, in order."""
    declared = (field for field in dataclasses.fields(Settings) if "declaration" in field.metadata)
    # Base classes' fields come first by themselves; here they stand behind the house's own.
    parts = (PeopleSettings, PaymentSettings, ChatSettings, NoticeSettings, FrontSettings)
    inherited = {field.name for part in parts for field in dataclasses.fields(part)}
    fields = sorted(declared, key=lambda field: field.name in inherited)
    return [(field.name, field.metadata["declaration"], field.default) for field in fields]


def load_settings(environ: Mapping[str, str], *, instance_path: Path | None = None) -> Settings:
    """Read and check the environment. Raises: ConfigError with every fault at once."""
    instance = instance_path or ROOT / "instance"
    values: dict[str, object] = {"instance_path": instance, "is_on_heroku": bool(environ.get("DYNO"))}
    faults: list[str] = []
    for attribute, declaration, _ in declarations():
        _read_one(attribute, declaration, environ, values, faults)
    if faults:
        raise ConfigError(faults)
    settings = Settings(**with_defaults(values, instance))  # type: ignore[arg-type]
    check(settings, declarations())
    return settings


def _read_one(
    attribute: str, declaration: Declaration, environ: Mapping[str, str], values: dict[str, object], faults: list[str]
) -> None:
    try:
        raw = raw_value(declaration, environ)
        if raw is not None:
            values[attribute] = declaration.read(raw)
    except ConfigError as error:
        faults.extend(error.faults)
    except ValueError as error:
        faults.append(f"{declaration.name} {error}.")
