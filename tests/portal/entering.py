"""Coming in through a provider, as the tests do it: somebody there, the way there and back, who is in then."""

from __future__ import annotations

from sqlalchemy import func, select

from tokenboard.accounts.models import Person
from tokenboard.accounts.security_models import OidcIdentity
from tokenboard.core.clock import now
from tokenboard.core.db import db, new_id

ZOE = {"email": "zoe@example.com", "email_verified": True, "name": "Zoe"}


def subject(issuer, **claims) -> str:
    """Somebody new at the provider."""
    made = f"s-{new_id()}"
    issuer.set_user(made, **claims)
    return made


def come_in(browser, issuer, who: str, query: str = ""):
    """There and back; the answer of the callback."""
    address = browser.get(f"/login/oidc{query}").location
    return browser.get(issuer.come_back(address, who))


def me(browser) -> str | None:
    answer = browser.get("/api/me")
    return answer.json["user"]["email"] if answer.status_code == 200 else None


def verify(people, someone) -> None:
    with people.app.app_context():
        db.session.get_one(Person, someone.id).email_verified_at = now()
        db.session.commit()


def identities(people) -> int:
    with people.app.app_context():
        return db.session.scalar(select(func.count()).select_from(OidcIdentity))
