"""Who a request comes from: a session cookie or a bearer token that stands for one `sign_in` row, or an API token.

Laws: the cookie holds a random 256-bit token and the row its hash; signing in starts a new session, never takes over
an old one; a session ends by sign-out, by 12 idle hours, after 14 days, and when its person is disabled, at once; a
session opened with a password does not count where people come in through the provider alone (OIDC_ONLY); a request
with a credential of its own never uses the cookie. Source: reference/security.md 3.1 (Sessions) and 8, item 6.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from logging import getLogger

from flask import Flask, Request, Response, g, session
from flask_login import LoginManager
from sqlalchemy import Select, and_, select, update
from sqlalchemy.exc import SQLAlchemyError

from tokenboard.accounts import api_tokens, tokens
from tokenboard.accounts.models import THEME, Method, Person, Preference, SignIn
from tokenboard.accounts.oidc_attempts import WAITING
from tokenboard.accounts.security_models import ApiToken
from tokenboard.core import logging
from tokenboard.core.clock import now
from tokenboard.core.crypto import token_hash
from tokenboard.core.db import db, writing
from tokenboard.core.settings import settings
from tokenboard.notices import announcement_queries
from tokenboard.web.security import uses_cookies

log = getLogger(__name__)

IDLE_SECONDS = 12 * 3_600
ABSOLUTE_SECONDS = 14 * 86_400
TOUCH_SECONDS = 60  # a page a second must not become a write a second
_COOKIE_KEY = "sign_in"


@dataclass(frozen=True, slots=True)
class SignedIn:
    """One request's person and session; what Flask-Login calls the current user. An API token has no session.

    `viewer` is the administrator whose session it is while they view as `person` (view_service.py).
    """

    person: Person
    sign_in: SignIn | None
    theme: str = "system"
    viewer: Person | None = None
    # The announcement that runs and that this person has not put away.
    announcement_id: str | None = None
    is_authenticated: bool = True
    is_active: bool = True
    is_anonymous: bool = False

    def get_id(self) -> str:
        return self.person.id


def init_app(app: Flask) -> None:
    """Let Flask-Login ask `load` once a request. Its own cookie, protection and template variable stay unused."""
    app.config["SESSION_PROTECTION"] = None
    manager = LoginManager()
    manager.init_app(app, add_context_processor=False)
    manager.request_loader(load)
    app.after_request(_touch)


def load(request: Request) -> SignedIn | None:
    """The person behind this request, or None. One query."""
    presented = api_tokens.presented(request.headers.get("Authorization", ""))
    found = _by_api_token(presented, request) if presented else _by_session(request)
    if found is not None:
        logging.bind(person_id=(found.viewer or found.person).id)
    return found


def _by_session(request: Request) -> SignedIn | None:
    found = _find(request)
    if found is None or found.sign_in is None or not _counts(found.person, found.sign_in):
        return None
    if now() - found.sign_in.last_seen_at > timedelta(seconds=TOUCH_SECONDS):
        g.to_touch = (SignIn, found.sign_in.id, {"last_seen_at": now()})
    return _viewing(found, found.sign_in) if uses_cookies() else found


def _viewing(found: SignedIn, sign_in: SignIn) -> SignedIn:
    """As whom an administrator looks, while that lasts and both are who they were when it began."""
    if sign_in.views_person_id is None or sign_in.views_until is None or sign_in.views_until <= now():
        return found
    viewed = db.session.get(Person, sign_in.views_person_id)
    if viewed is None or viewed.is_admin or viewed.deleted_at is not None or not found.person.is_admin:
        return found
    return replace(found, person=viewed, viewer=found.person)


def _by_api_token(presented: str, request: Request) -> SignedIn | None:
    asked = select(Person, ApiToken).join(ApiToken, ApiToken.person_id == Person.id)
    row = db.session.execute(asked.where(ApiToken.token_hash == presented, *api_tokens.is_live())).one_or_none()
    if row is None or row[0].is_disabled:
        return None
    last = row[1].last_used_at
    if last is None or now() - last > timedelta(seconds=TOUCH_SECONDS):
        g.to_touch = (ApiToken, row[1].id, {"last_used_at": now(), "last_used_from": request.remote_addr or ""})
    return SignedIn(row[0], None)


def _find(request: Request) -> SignedIn | None:
    if uses_cookies():
        token = session.get(_COOKIE_KEY)
        condition = SignIn.token_hash == token_hash(token) if isinstance(token, str) else None
    else:
        claims = tokens.read(request.headers.get("Authorization", ""))
        condition = and_(SignIn.id == claims.sign_in_id, SignIn.person_id == claims.person_id) if claims else None
    if condition is None:
        return None
    row = db.session.execute(_SIGNED_IN.where(condition), {"instant": now()}).one_or_none()
    return SignedIn(row[0], row[1], row[2] or "system", announcement_id=row[3]) if row else None


# Built once: it is asked with every request.
_SIGNED_IN: Select[Person, SignIn, str, str] = (
    select(Person, SignIn, Preference.value, announcement_queries.running_for(Person.id))
    .join(SignIn, SignIn.person_id == Person.id)
    .outerjoin(Preference, and_(Preference.person_id == Person.id, Preference.name == THEME))
)


def _counts(person: Person, sign_in: SignIn) -> bool:
    is_live = sign_in.is_live(now(), idle_seconds=IDLE_SECONDS, absolute_seconds=ABSOLUTE_SECONDS)
    is_closed_door = settings().oidc_only and sign_in.method != Method.OIDC
    return is_live and not person.is_disabled and not is_closed_door


def _touch(answer: Response) -> Response:
    """Note that a session or token is in use, when the request's own work is over: once a minute, never at its cost."""
    to_touch = g.pop("to_touch", None)
    if to_touch is None:
        return answer
    row, row_id, values = to_touch
    touched = update(row).where(row.id == row_id, row.ended_at.is_(None)).values(**values)
    try:
        with writing():
            db.session.execute(touched.execution_options(synchronize_session=False))
            db.session.commit()
    except SQLAlchemyError as error:
        db.session.rollback()  # the database is busy or away: the next request tries again
        log.warning("sign_in_not_touched", extra={"error": type(error).__name__})
    return answer


def leave_untouched() -> None:
    """This request is the page's own doing, not its reader's: it keeps no idle session alive."""
    g.pop("to_touch", None)


def keep(token: str) -> None:
    """Let this browser's cookie stand for a session just opened.

    Nothing of the visit before survives (fixation), but an identity that waits for this very sign-in.
    """
    waiting = session.get(WAITING)
    session.clear()
    if waiting:
        session[WAITING] = waiting
    session[_COOKIE_KEY] = token
    session.permanent = True


def drop() -> None:
    """Forget everything in this browser's cookie."""
    session.clear()
