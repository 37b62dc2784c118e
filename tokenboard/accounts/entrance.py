"""What the doors that let people in share: limits on trying, and opening a session for this browser or program."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

from flask import Response, request, session

from tokenboard.accounts import known_devices, one_time_links, second_factor_service, service, sessions
from tokenboard.accounts.guards import signed_in_or_none
from tokenboard.accounts.models import Method, Person
from tokenboard.accounts.one_time_links import Purpose
from tokenboard.accounts.service import OpenedSession
from tokenboard.core.db import db
from tokenboard.core.errors import InvalidCredentials
from tokenboard.web import limits
from tokenboard.web.limits import limiter
from tokenboard.web.security import uses_cookies

View = TypeVar("View", bound=Callable[..., Any])

HOME = "/dashboard"
_SECOND_STEP = "second_step"


def enter(
    person: Person, *, method: Method = Method.PASSWORD, has_second_factor: bool = False, id_token: str = ""
) -> OpenedSession:
    """Open a session for who has just proven who they are, commit, and give this browser its cookie."""
    before = signed_in_or_none()
    if before is not None and before.sign_in is not None:
        service.end_session(before.sign_in)  # one browser, one session
    opened = service.open_session(
        person,
        ip_address=request.remote_addr or "",
        user_agent=request.headers.get("User-Agent", ""),
        method=method,
        has_second_factor=has_second_factor,
        id_token=id_token,
    )
    db.session.commit()
    if uses_cookies():
        sessions.keep(opened.token)
        known_devices.remember(person.email)
    return opened


def enter_or_ask(
    person: Person, *, method: Method = Method.PASSWORD, has_second_factor: bool = False, id_token: str = ""
) -> bool:
    """Enter, or let this browser wait for a code where the person has a second factor. Whether they are in."""
    if has_second_factor or not second_factor_service.is_on(person.id):
        enter(person, method=method, has_second_factor=has_second_factor, id_token=id_token)
        return True
    _, token = one_time_links.issue(person, Purpose.SECOND_STEP)
    db.session.commit()
    session[_SECOND_STEP] = [token, method, person.id]
    return False


def waits_for_code() -> bool:
    """Whether this browser has proven all but the code."""
    return _SECOND_STEP in session


def enter_with_code(code: str) -> OpenedSession:
    """The second step. Raises: LinkUsed (waited too long, or nobody waits), InvalidCredentials."""
    token, method, _ = session.get(_SECOND_STEP) or ("", Method.PASSWORD, "")
    person, _ = one_time_links.holder(token, Purpose.SECOND_STEP)
    if not second_factor_service.take(person.id, code):
        refuse(person.email)
        raise InvalidCredentials
    one_time_links.redeem(token, Purpose.SECOND_STEP)
    return enter(person, method=Method(method), has_second_factor=True)


def refuse(email: str) -> None:
    """Note that a sign-in was refused."""
    service.record_failed_sign_in(email=email)
    db.session.commit()


def limit_sign_in(view: View) -> View:
    """So many tries from one address, from one browser for one e-mail, and refused ones for one e-mail from anywhere.

    The last slows only strangers down: nobody is kept out of a browser they know by what others try.
    Requests at the same moment may pass it together; the worst case is the first limit's number for each address.
    """
    by_address = limiter.shared_limit(limits.SIGN_IN_ADDRESS, scope="sign-in-address")
    by_browser = limiter.shared_limit(limits.SIGN_IN, scope="sign-in", key_func=_browser_and_email)
    by_email = limiter.shared_limit(
        limits.SIGN_IN_REFUSED,
        scope="sign-in-refused",
        key_func=limits.by_email,
        exempt_when=_is_known_device,
        deduct_when=_was_refused,
    )
    return cast(View, by_address(by_browser(by_email(view))))


def limit_registration(view: View) -> View:
    """So many accounts an hour from one address, by whichever door."""
    return cast(View, limiter.shared_limit(limits.REGISTER, scope="register")(view))


def limit_invitations(view: View) -> View:
    """So many e-mails an hour from one person, and few to one address: nobody is mailed full through us."""
    by_person = limiter.shared_limit(limits.INVITE, scope="invite", key_func=_person)
    by_both = limiter.shared_limit(
        limits.INVITE_ONE, scope="invite-one", key_func=lambda: f"{_person()}:{limits.by_email()}"
    )
    return cast(View, by_person(by_both(view)))


def limit_forgot(view: View) -> View:
    """So many links an hour to one e-mail, whether anybody signs in with it or not, and for one address."""
    by_address = limiter.shared_limit(limits.FORGOT_ADDRESS, scope="forgot-address")
    by_email = limiter.shared_limit(limits.FORGOT, scope="forgot", key_func=limits.by_email)
    return cast(View, by_address(by_email(view)))


def limit_links(view: View) -> View:
    """So many uses of mailed links for one address."""
    return cast(View, limiter.shared_limit(limits.LINK, scope="link")(view))


def limit_letters(view: View) -> View:
    """So many mails about one's own address for one person."""
    return cast(View, limiter.shared_limit(limits.LETTERS, scope="letters", key_func=_person)(view))


def limit_second_step(view: View) -> View:
    """So many codes for one person who has proven the password, from wherever."""
    return cast(View, limiter.shared_limit(limits.CONFIRM, scope="second-step", key_func=_waiting_person)(view))


def _waiting_person() -> str:
    waiting = session.get(_SECOND_STEP)
    return str(waiting[2]) if waiting else limits.address()


def limit_confirming(view: View) -> View:
    """So many tries to prove who sits there for one person, by page and by JSON together."""
    return cast(View, limiter.shared_limit(limits.CONFIRM, scope="confirm", key_func=_person)(view))


def _person() -> str:
    found = signed_in_or_none()
    return found.person.id if found else limits.address()


def _browser_and_email() -> str:
    email = limits.by_email()
    return f"{known_devices.known_as(email) or limits.address()}:{email}"


def _is_known_device() -> bool:
    return known_devices.known_as(limits.by_email()) is not None


def _was_refused(answer: Response) -> bool:
    return answer.status_code in {401, 422}
