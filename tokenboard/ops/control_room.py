"""The control room's frame: its door, its tabs, its limits. Every blueprint of it is opened by `furnish`.

Only for administrators; to everybody else these pages do not exist.
"""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, request

from tokenboard.accounts.guards import require_admin
from tokenboard.web.limits import limiter
from tokenboard.web.paths import is_page

OVERVIEW = "/admin"
CALLS = "240/minute"  # of one address: an administrator's browser, not a program
# Label and address. A page that is not built does not show.
_PLACES = (
    ("Overview", OVERVIEW),
    ("People", "/admin/users"),
    ("Alerts", "/admin/alerts"),
    ("Payments", "/admin/payments"),
    ("Webhooks", "/admin/webhooks"),
    ("Reconcile", "/admin/reconcile"),
    ("Catalogue", "/admin/catalogue"),
    ("Promo codes", "/admin/promo-codes"),
    ("Prices", "/admin/prices"),
    ("Open WebUI", "/admin/open-webui"),
    ("Books", "/admin/books"),
    ("Adjust", "/admin/adjust"),
    ("Jobs", "/admin/jobs"),
    ("Monitoring", "/admin/monitoring"),
    ("Announcements", "/admin/announcements"),
    ("Audit log", "/admin/audit"),
    ("Settings", "/admin/settings"),
)


@dataclass(frozen=True, slots=True)
class Tab:
    """One page of the room, as the tabs show it."""

    label: str
    href: str
    is_current: bool


def furnish(blueprint: Blueprint) -> None:
    """Let only administrators in, count what they ask, and give the templates the tabs."""
    blueprint.before_request(_administrators_only)
    blueprint.context_processor(lambda: {"control_room_tabs": tabs(request.path)})
    limiter.limit(CALLS)(blueprint)


def _administrators_only() -> None:
    require_admin()


def tabs(path: str) -> tuple[Tab, ...]:
    """Every page of the room that is built; the one that is shown is marked, also on what lies below it."""
    return tuple(Tab(label, href, _is_at(path, href)) for label, href in _PLACES if is_page(href))


def _is_at(path: str, href: str) -> bool:
    return path == href or (href != OVERVIEW and path.startswith(f"{href}/"))
