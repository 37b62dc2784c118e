"""Fills in what surrounds every page (web/shell.py): the person, their workspaces, where one can go, what must be said.

Laws: read once a request and only when a page is drawn, not for a fragment; three queries at most (who asks, which
workspaces, what the wallet has); an error page is drawn also when the database is away.
"""

from __future__ import annotations

from typing import cast

from flask import Flask, g, get_flashed_messages, request, session
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.local import LocalProxy

from tokenboard.accounts.doors import doors
from tokenboard.accounts.guards import signed_in_or_none
from tokenboard.accounts.models import Person
from tokenboard.accounts.sessions import SignedIn
from tokenboard.core.db import db
from tokenboard.core.settings import settings
from tokenboard.notices import announcement_queries
from tokenboard.portal.settings_tabs import settings_tabs
from tokenboard.portal.wallet_band import balance_of
from tokenboard.wallet.credits_page import money, pill_text
from tokenboard.web.clients import clients
from tokenboard.web.filters import ago
from tokenboard.web.paths import is_page
from tokenboard.web.shell import Balance, Banner, NavigationItem, Shell, ShellPerson, ShellWorkspace, initials
from tokenboard.workspaces import access
from tokenboard.workspaces.access import WorkspaceAccess
from tokenboard.workspaces.models import Role

# Label, address, icon. A page that is not built does not show.
_CHAT = ("Chat", "/chat", "message-square")
_KEYS = ("Keys", "/keys", "key-round")
_PLACES = (
    ("Dashboard", "/dashboard", "layout-dashboard"),
    ("Usage", "/usage", "activity"),
    ("Credits", "/credits", "coins"),
    ("Subscription", "/subscription", "calendar"),
    ("Settings", "/settings", "settings"),
)
_SUBSCRIPTION = "/subscription"  # sold by Stripe alone
_CONTROL_ROOM = ("Control room", "/admin", "shield")
_SANDBOX = Banner(
    "sandbox", "Everything here runs against the built-in sandbox: no provider is asked, no real money moves."
)
_DEMO = Banner("demo", "This is the demo workspace: its numbers are made up and stand outside every total.")


def init_app(app: Flask) -> None:
    """Give every template `shell` and the open doors, and the settings pages their tabs."""
    app.context_processor(lambda: {"shell": LocalProxy(shell)})
    app.jinja_env.globals["settings_tabs"] = settings_tabs
    app.jinja_env.globals["doors"] = doors


def shell() -> Shell:
    """What surrounds this request's page."""
    if "shell" not in g:
        g.shell = _build()
    found: Shell = g.shell
    return found


def _build() -> Shell:
    try:
        return _for(signed_in_or_none())
    except SQLAlchemyError:
        db.session.rollback()
        return Shell(theme=_theme(None), banners=_banners(None))


def _for(signed_in: SignedIn | None) -> Shell:
    toasts = tuple(cast(list[tuple[str, str]], get_flashed_messages(with_categories=True)))
    # Nobody, or somebody whose last workspace has just gone: then the page is an error's, and stands without a menu.
    if signed_in is None or not access.all_of(signed_in.person):
        return Shell(theme=_theme(None), banners=_banners(None), toasts=toasts)
    current = access.load(None, signed_in.person)
    return Shell(
        person=_person(signed_in.person),
        workspace=_workspace(current, current),
        workspaces=tuple(_workspace(one, current) for one in access.all_of(signed_in.person)),
        navigation=_navigation(signed_in.person, current),
        banners=(*_viewing(signed_in), *_announced(signed_in), *_banners(current), *_unconfirmed(signed_in.person)),
        theme=_theme(signed_in),
        balance=_balance(current),
        toasts=toasts,
    )


def _balance(current: WorkspaceAccess) -> Balance:
    """The pill."""
    available = max(0, balance_of(current.workspace).available_micros)
    return Balance(pill_text(available), available, money(available))


def _person(person: Person) -> ShellPerson:
    return ShellPerson(person.name, person.email, initials(person.name), person.is_admin)


def _workspace(one: WorkspaceAccess, current: WorkspaceAccess) -> ShellWorkspace:
    workspace = one.workspace
    is_current = workspace.id == current.workspace.id
    return ShellWorkspace(workspace.id, workspace.name, str(one.role), is_current, workspace.is_demo)


def _navigation(person: Person, current: WorkspaceAccess) -> tuple[NavigationItem, ...]:
    """Viewers may neither chat nor have keys, so they are not led there."""
    is_member = current.allows(Role.MEMBER)
    places = (_CHAT, _KEYS, *_PLACES) if is_member else _PLACES
    places = (*places, _CONTROL_ROOM) if person.is_admin else places
    found = tuple(
        NavigationItem(label, href, icon, request.path == href or request.path.startswith(f"{href}/"))
        for label, href, icon in places
        if is_page(href) and (href != _SUBSCRIPTION or clients().mode("stripe") != "off")
    )
    return (*found, *_open_webui()) if is_member else found


def _open_webui() -> tuple[NavigationItem, ...]:
    """Out of the portal, to the Open WebUI whose people spend credits here."""
    address = settings().openwebui_url
    return (
        (NavigationItem("Open chat", address, "external-link", is_current=False, is_elsewhere=True),) if address else ()
    )


def _banners(current: WorkspaceAccess | None) -> tuple[Banner, ...]:
    sandbox = (_SANDBOX,) if settings().sandbox_url else ()
    return (*sandbox, _DEMO) if current and current.workspace.is_demo else sandbox


def _viewing(signed_in: SignedIn) -> tuple[Banner, ...]:
    """An administrator sees at every moment that they view as somebody else, and for how long."""
    until = signed_in.sign_in.views_until if signed_in.sign_in else None
    if signed_in.viewer is None or until is None:
        return ()
    person = signed_in.person
    text = f"You view this site as {person.name} ({person.email}). Nothing can be changed. It ends {ago(until)}."
    return (Banner("view", text, action="/view/end", action_text="End it now"),)


def _announced(signed_in: SignedIn) -> tuple[Banner, ...]:
    """What the operator tells everybody, until it is put away."""
    found = announcement_queries.one(signed_in.announcement_id) if signed_in.announcement_id else None
    if found is None:
        return ()
    action = f"/announcements/{found.id}/dismiss" if signed_in.viewer is None else ""
    return (Banner(found.kind, found.text, found.link, "More", action, "Put away"),)


def _unconfirmed(person: Person) -> tuple[Banner, ...]:
    """Where mail is set up, an address is to be confirmed; credits wait for it."""
    if person.email_verified_at is not None or not settings().smtp_url:
        return ()
    text = f"Please confirm {person.email} with the link we mailed you."
    return (Banner("info", text, "/settings/security", "Send it again"),)


def _theme(signed_in: SignedIn | None) -> str:
    return signed_in.theme if signed_in else str(session.get("theme", "system"))
