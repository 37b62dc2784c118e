"""Where models are asked: what the settings of chat must be together."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from tests.core.test_config import PRODUCTION
from tokenboard.core.config import load_settings
from tokenboard.core.errors import NotConfigured
from tokenboard.core.settings_fields import ConfigError
from tokenboard.wiring import WiredClients

STRONG = "Zt5rK8wQ1nMv4XcL7pYb2HsGd9jFa3eU"
LITELLM = {"LITELLM_BASE_URL": "http://litellm:4000/", "LITELLM_MASTER_KEY": "sk-master"}
SANDBOX = {"SANDBOX_URL": "http://127.0.0.1:8401"}


def wired(folder: Path, **environ: str) -> WiredClients:
    return WiredClients(load_settings(environ, instance_path=folder))


@pytest.mark.parametrize(
    ("environ", "mode", "where"),
    [
        (LITELLM, "live", "litellm:4000"),
        (LITELLM | SANDBOX, "live", "litellm:4000"),
        ({"LITELLM_ADMIN_URL": "http://old:4000", "LITELLM_CHAT_KEY": "sk-chat"}, "live", "old:4000"),
        ({"OPENAI_API_KEY": "sk-x"}, "live", "api.openai.com/v1"),
        ({"OPENAI_API_KEY": "sk-x"} | SANDBOX, "live", "api.openai.com/v1"),
        ({"OPENAI_BASE_URL": "http://127.0.0.1:11434/v1"}, "live", "127.0.0.1:11434/v1"),
        (LITELLM | {"OPENAI_API_KEY": "sk-x"}, "live", "litellm:4000"),
        (SANDBOX, "sandbox", "127.0.0.1:8401/litellm"),
        (SANDBOX | {"LITELLM_BASE_URL": "http://127.0.0.1:8401/litellm"}, "sandbox", "127.0.0.1:8401/litellm"),
    ],
)
def test_the_first_upstream_that_is_set_is_asked(tmp_path: Path, environ: dict[str, str], mode: str, where: str):
    clients = wired(tmp_path, **environ)

    assert (clients.mode("chat"), repr(clients.chat())) == (mode, f"ChatClient({where})")
    assert clients.chat() is clients.chat()


@pytest.mark.parametrize(
    ("environ", "mode", "setting"),
    [({}, "off", "LITELLM_BASE_URL"), ({"LITELLM_BASE_URL": "http://litellm:4000"}, "live", "LITELLM_CHAT_KEY")],
)
def test_what_is_missing_is_named(tmp_path: Path, environ: dict[str, str], mode: str, setting: str):
    clients = wired(tmp_path, **environ)

    assert clients.mode("chat") == mode
    with pytest.raises(NotConfigured) as missing:
        clients.chat()
    assert missing.value.setting == setting


@pytest.mark.parametrize(
    ("environ", "why"),
    [
        ({"LITELLM_BASE_URL": "https://llm.acme.dev"}, "LITELLM_MASTER_KEY or LITELLM_CHAT_KEY is needed"),
        ({"LITELLM_CHAT_KEY": "sk-x"}, "LITELLM_BASE_URL is needed"),
        ({"LITELLM_BASE_URL": "llm.acme.dev"}, "LITELLM_BASE_URL must be an address"),
        ({"OPENAI_BASE_URL": "https://user:pass@host/v1"}, "OPENAI_BASE_URL must be an address"),
        ({"LITELLM_WEBHOOK_SECRET": "short"}, "LITELLM_WEBHOOK_SECRET has 5 characters"),
        ({"OPENWEBUI_JWT_SECRET": "a" * 40}, "OPENWEBUI_JWT_SECRET looks like a placeholder"),
        ({"CREDIT_MARKUP": "0"}, "CREDIT_MARKUP must be more than 0"),
    ],
)
def test_a_bad_setting_stops_the_start(tmp_path: Path, environ: dict[str, str], why: str):
    with pytest.raises(ConfigError) as refused:
        load_settings(PRODUCTION | environ, instance_path=tmp_path)

    assert why in str(refused.value)


def test_production_starts_with_chat_set(tmp_path: Path):
    chat = LITELLM | {"CREDIT_MARKUP": "1.25", "LITELLM_WEBHOOK_SECRET": STRONG, "OPENWEBUI_JWT_SECRET": STRONG}
    settings = load_settings(PRODUCTION | chat, instance_path=tmp_path)

    assert (settings.credit_markup, settings.litellm_base_url) == (Decimal("1.25"), "http://litellm:4000")
    assert "sk-master" not in repr(settings)
    assert STRONG not in repr(settings)


def test_without_a_word_a_credit_costs_what_the_provider_asks(tmp_path: Path):
    assert load_settings({}, instance_path=tmp_path).credit_markup == 1
