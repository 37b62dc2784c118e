"""Settings are read once, and what is missing or weak is refused by name."""

from __future__ import annotations

import base64
import os
import stat
from pathlib import Path

import pytest

from tokenboard.core.config import Settings, declarations, load_settings
from tokenboard.core.settings_fields import ConfigError

KEY = base64.b64encode(bytes(range(32))).decode()
PRODUCTION = {
    "TOKENBOARD_ENV": "production",
    "BASE_URL": "https://tokens.acme.dev",
    "SECRET_KEY": "Vg7kQ2mX9pLw4RtZ8sNcY3hBd6jFa1eU",
    "JWT_SECRET": "Zt5rK8wQ1nMv4XcL7pYb2HsGd9jFa3eU",
    "PASSWORD_PEPPER": "Hq6vT3zR9kWx2LmP8nCs5YbDj1gFa4eU",
    "ENCRYPTION_KEYS": f"k1:{KEY}",
    "DATABASE_URL": "postgres://u:p@db.acme.dev:5432/tokens",
    "REDIS_URL": "rediss://:p@redis.acme.dev:6379/0",
}


def _faults(environ: dict[str, str], folder: Path) -> str:
    with pytest.raises(ConfigError) as refused:
        load_settings(environ, instance_path=folder)
    return str(refused.value)


def test_production_starts_with_everything_set(tmp_path: Path):
    settings = load_settings(PRODUCTION, instance_path=tmp_path)

    assert settings.is_production
    assert settings.trusted_hosts == ("tokens.acme.dev",)
    assert not list(tmp_path.iterdir()), "production writes no secrets"


@pytest.mark.parametrize("name", [name for name in PRODUCTION if name != "TOKENBOARD_ENV"])
def test_production_names_what_is_missing(name: str, tmp_path: Path):
    environ = {key: value for key, value in PRODUCTION.items() if key != name}

    assert f"{name} is required in production" in _faults(environ, tmp_path)


def test_every_fault_is_named_at_once(tmp_path: Path):
    told = _faults({"TOKENBOARD_ENV": "production"}, tmp_path)

    assert all(name in told for name in PRODUCTION if name != "TOKENBOARD_ENV")


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("SECRET_KEY", "short", "SECRET_KEY has 5 characters"),
        ("SECRET_KEY", "a" * 64, "SECRET_KEY looks like a placeholder"),
        ("JWT_SECRET", "changeme-changeme-changeme-0123456789", "JWT_SECRET looks like a placeholder"),
        ("JWT_SECRET", PRODUCTION["SECRET_KEY"], "JWT_SECRET must differ"),
        ("PASSWORD_PEPPER", "x", "PASSWORD_PEPPER has 1 characters"),
        ("CRON_SECRET", "0123456789", "CRON_SECRET has 10 characters"),
        ("ENCRYPTION_KEYS", "k1:abc", "ENCRYPTION_KEYS"),
        ("BASE_URL", "http://tokens.acme.dev", "BASE_URL must begin with https://"),
        ("SANDBOX_URL", "http://127.0.0.1:1", "SANDBOX_URL is for development"),
        ("BCRYPT_COST", "10", "BCRYPT_COST must be at least 12"),
        ("STRIPE_SECRET_KEY", "sk_live_x", "STRIPE_WEBHOOK_SECRET is needed with STRIPE_SECRET_KEY"),
    ],
)
def test_production_refuses_what_is_weak_by_name(name: str, value: str, why: str, tmp_path: Path):
    told = _faults(PRODUCTION | {name: value}, tmp_path)

    assert why in told
    assert value not in told or len(value) < 6, "the refused secret is not repeated"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "0"),
        ("PORT", "80a"),
        ("PORT", "٨٠"),
        ("TOKENBOARD_ENV", "prod"),
        ("DATABASE_URL", "mysql://x"),
        ("REDIS_URL", "http://x"),
        ("BASE_URL", "javascript:alert(1)"),
        ("BASE_URL", "https://user@host"),
        ("SMTP_URL", "mail.acme.dev"),
        ("LOG_LEVEL", "LOUD"),
    ],
)
def test_a_value_that_cannot_be_read_is_named(name: str, value: str, tmp_path: Path):
    assert name in _faults({name: value}, tmp_path)


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("postgres://u:p@h:5/d", "postgresql+psycopg://u:p@h:5/d"),
        ("postgresql://u:p@h/d", "postgresql+psycopg://u:p@h/d"),
        ("postgresql+psycopg://u:p@h/d", "postgresql+psycopg://u:p@h/d"),
        ("sqlite:////data/t.sqlite3", "sqlite:////data/t.sqlite3"),
    ],
)
def test_a_database_address_is_read_in_every_usual_form(given: str, read: str, tmp_path: Path):
    assert load_settings({"DATABASE_URL": given}, instance_path=tmp_path).database_url == read


@pytest.mark.parametrize("url", ["redis://h:6379/0", "rediss://:p@h:6379", "unix:///tmp/r.sock"])
def test_a_redis_address_may_use_tls_or_a_socket(url: str, tmp_path: Path):
    assert load_settings({"REDIS_URL": url}, instance_path=tmp_path).redis_url == url


def test_on_heroku_redis_may_sign_its_own_certificate(tmp_path: Path):
    settings = load_settings(PRODUCTION | {"DYNO": "web.1", "REDIS_URL": "rediss://:p@h:6379"}, instance_path=tmp_path)

    assert settings.redis_url == "rediss://:p@h:6379?ssl_cert_reqs=none"
    assert settings.proxy_hops == 1


def test_a_dyno_is_never_development(tmp_path: Path):
    assert "TOKENBOARD_ENV" in _faults({"DYNO": "web.1"}, tmp_path)


@pytest.mark.parametrize(
    ("alias", "attribute", "value"),
    [
        ("AUTH_SECRET", "secret_key", "s" * 40),
        ("NEXTAUTH_SECRET", "secret_key", "s" * 40),
        ("NEXTAUTH_URL", "base_url", "https://old.acme.dev"),
        ("POSTGRES_URL", "database_url", "postgresql+psycopg://u@h/d"),
    ],
)
def test_older_names_are_read_too(alias: str, attribute: str, value: str, tmp_path: Path):
    assert getattr(load_settings({alias: value}, instance_path=tmp_path), attribute) == value


def test_the_present_name_wins_over_older_ones(tmp_path: Path):
    environ = {"SECRET_KEY": "n" * 40, "AUTH_SECRET": "o" * 40}

    assert load_settings(environ, instance_path=tmp_path).secret_key == "n" * 40


def test_a_secret_may_stand_in_a_file(tmp_path: Path):
    file = tmp_path / "secret"
    file.write_text("from-a-file-0123456789-0123456789\n", encoding="utf-8")

    settings = load_settings({"SECRET_KEY_FILE": str(file)}, instance_path=tmp_path)

    assert settings.secret_key == "from-a-file-0123456789-0123456789"


def test_a_secrets_file_that_is_not_there_is_named(tmp_path: Path):
    told = _faults({"SECRET_KEY_FILE": str(tmp_path / "none")}, tmp_path)

    assert "SECRET_KEY_FILE names" in told
    assert "cannot be read" in told


def test_what_is_no_secret_is_not_read_from_files(tmp_path: Path):
    file = tmp_path / "port"
    file.write_text("9000", encoding="utf-8")

    assert load_settings({"PORT_FILE": str(file)}, instance_path=tmp_path).port == 8000


def test_development_makes_its_secrets_once_and_keeps_them_to_itself(tmp_path: Path):
    first = load_settings({}, instance_path=tmp_path)
    second = load_settings({}, instance_path=tmp_path)

    assert (first.secret_key, first.encryption_keys) == (second.secret_key, second.encryption_keys)
    assert stat.S_IMODE(os.stat(tmp_path / "secrets.json").st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["secrets.json"]


def test_no_secret_shows_when_the_settings_are_printed(tmp_path: Path):
    shown = repr(load_settings(PRODUCTION | {"SMTP_URL": "smtp://u:mailpass@h:587"}, instance_path=tmp_path))

    secrets = [PRODUCTION[name] for name in ("SECRET_KEY", "JWT_SECRET", "PASSWORD_PEPPER")]
    assert not [secret for secret in [*secrets, KEY, "u:p@db", ":p@redis", "mailpass"] if secret in shown]


def test_blank_means_unset(tmp_path: Path):
    assert load_settings({"PORT": "  ", "SMTP_URL": ""}, instance_path=tmp_path).port == 8000


def test_every_setting_explains_itself():
    for attribute, declaration, _ in declarations():
        assert declaration.doc.endswith("."), attribute
        assert declaration.name == declaration.name.upper()
    assert {attribute for attribute, _, _ in declarations()} <= set(Settings.__dataclass_fields__)


@pytest.mark.parametrize("origin", ["https://app.example.com/", "app.example.com", "*", "https://app.example.com/path"])
def test_an_origin_that_no_browser_sends_is_refused(origin: str, tmp_path: Path):
    assert "CORS_ORIGINS must be origins like" in _faults({"CORS_ORIGINS": origin}, tmp_path)


@pytest.mark.parametrize("host", ["https://a.example.com", "a.example.com:443", "a.example.com/x", "*", "é.fr"])
def test_what_is_no_host_name_is_refused(host: str, tmp_path: Path):
    assert "WEBHOOK_HOSTS must be host names" in _faults({"WEBHOOK_HOSTS": f"b.example.com,{host}"}, tmp_path)


def test_what_gunicorn_reads_is_read_here_too(tmp_path: Path):
    settings = load_settings({"HOST": "::1", "WEB_CONCURRENCY": "3"}, instance_path=tmp_path)

    assert (settings.host, settings.web_concurrency) == ("::1", 3)
    assert "WEB_CONCURRENCY must be a whole number" in _faults({"WEB_CONCURRENCY": "many"}, tmp_path)
