"""The settings check in finished texts: what works, what could be better, and every setting without its secret."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

from tokenboard.core.config import Settings, declarations
from tokenboard.core.redaction import redact
from tokenboard.core.settings import settings
from tokenboard.core.settings_fields import Declaration
from tokenboard.ops import advice, health
from tokenboard.ops.health import Finding
from tokenboard.ops.monitoring_page import PART_WORDS
from tokenboard.web.clients import clients

PROVIDERS = (
    ("stripe", "Stripe"),
    ("paystack", "Paystack"),
    ("chat", "Models"),
    ("litellm", "LiteLLM"),
    ("openai", "OpenAI"),
    ("anthropic", "Anthropic"),
)
MODE_TONES = {"live": ("ok", "check"), "sandbox": ("warn", "plug"), "off": ("", "x")}
LONGEST_SHOWN = 120


@dataclass(frozen=True, slots=True)
class SettingLine:
    """One setting, as it is in force."""

    name: str
    doc: str
    value: str
    is_secret: bool
    is_default: bool


@dataclass(frozen=True, slots=True)
class SettingGroup:
    """Settings that belong together."""

    name: str
    lines: tuple[SettingLine, ...]


@dataclass(frozen=True, slots=True)
class SettingsPage:
    """Everything on the page."""

    is_ok: bool
    is_production: bool
    parts: tuple[tuple[str, Finding], ...]
    advice: tuple[str, ...]
    modes: tuple[tuple[str, str, str, str], ...]
    groups: tuple[SettingGroup, ...]


def build() -> SettingsPage:
    """Reads nothing but the parts' health."""
    here, found = settings(), health.readiness()
    lines = [(declared.group, _line(here, name, declared, default)) for name, declared, default in declarations()]
    return SettingsPage(
        is_ok=found.is_ok,
        is_production=here.is_production,
        parts=tuple((PART_WORDS.get(one.part, one.part.capitalize()), one) for one in found.findings),
        advice=tuple(advice.advice(here)),
        modes=tuple(_mode(name, label) for name, label in PROVIDERS),
        groups=tuple(
            SettingGroup(group, tuple(line for _, line in members))
            for group, members in groupby(lines, lambda one: one[0])
        ),
    )


def _mode(name: str, label: str) -> tuple[str, str, str, str]:
    mode = clients().mode(name)
    return (label, mode, *MODE_TONES[mode])


def _line(here: Settings, name: str, declared: Declaration, default: object) -> SettingLine:
    value = getattr(here, name)
    if declared.is_secret:
        shown = "set" if value else "not set"
    else:
        shown = redact(_text(value))[:LONGEST_SHOWN] or "not set"
    return SettingLine(declared.name, declared.doc, shown, declared.is_secret, is_default=value == default)


def _text(value: object) -> str:
    """A value as it would be typed."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return ", ".join(_text(one) for one in value)
    return "" if value is None else str(value)
