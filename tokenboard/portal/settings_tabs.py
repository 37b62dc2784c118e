"""The tabs of the settings pages, in order. A page that is not built has no tab; its owner adds its line here."""

from __future__ import annotations

from dataclasses import dataclass

from flask import request

from tokenboard.web.paths import is_page

_TABS = (
    ("General", "/settings/general"),
    ("Security", "/settings/security"),
    ("Workspace", "/settings/workspace"),
    ("Connections", "/settings/connections"),
    ("Budgets", "/settings/budgets"),
    ("Notifications", "/settings/notifications"),
    ("Data", "/settings/data"),
)


@dataclass(frozen=True, slots=True)
class Tab:
    """One settings page, as ui.tabs draws it."""

    label: str
    href: str
    is_current: bool


def settings_tabs() -> list[Tab]:
    """The settings pages there are; the one that is shown is marked."""
    return [Tab(label, href, request.path.startswith(href)) for label, href in _TABS if is_page(href)]
