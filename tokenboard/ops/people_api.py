"""JSON doors to people: everybody by filter, and what an administrator may change about one."""

from __future__ import annotations

from typing import Any

from flask import Blueprint

from tokenboard.accounts import standing_service
from tokenboard.accounts.guards import require_admin, require_recent_proof
from tokenboard.accounts.models import Person
from tokenboard.core.db import db
from tokenboard.core.errors import NotFound
from tokenboard.core.parsing import or_none, parse_id
from tokenboard.metering.worth import cents_of_micros
from tokenboard.ops import people_page, people_queries, people_service, shapes
from tokenboard.ops.people_forms import PeopleQuery, PersonBody
from tokenboard.ops.people_queries import PersonRow
from tokenboard.wallet.answers import credits_number
from tokenboard.web.api import Answer, operation
from tokenboard.web.limits import limiter
from tokenboard.web.shapes import Cursor

blueprint = Blueprint("admin_users_api", __name__)

ACTS = "120/minute"
_TAG = "Operator"


@blueprint.get("/api/admin/users")
@operation(
    "Everybody, the newest first",
    query=PeopleQuery,
    answer={"users": list[shapes.Standing], "next_cursor": Cursor},
    errors=(404,),
    tag=_TAG,
)
def users(query: PeopleQuery) -> Answer:
    require_admin()
    wanted = people_page.read_filter({"q": query.q, "standing": query.standing})
    known = or_none(parse_id, query.cursor) if query.cursor else None
    last = people_queries.person(known) if known else None
    before = (last.created_at, last.id) if last else None
    rows = people_queries.page(wanted, limit=query.limit + 1, before=before)
    shown = rows[: query.limit]
    cursor = shown[-1].person.id if len(rows) > query.limit else None
    return {"users": [_answer(row) for row in shown], "nextCursor": cursor}


@blueprint.patch("/api/admin/users/<id:person_id>")
@limiter.limit(ACTS)
@operation(
    "Change a person's monthly cap, or who may come in and run the site",
    body=PersonBody,
    answer={"user": shapes.Standing},
    errors=(409,),
    tag=_TAG,
)
def change(person_id: str, body: PersonBody) -> Answer:
    admin = require_admin()
    if body.is_delicate:
        require_recent_proof()
    person = people_queries.person(person_id)
    if person is None:
        raise NotFound
    _apply(person, body, admin)
    db.session.commit()
    (row,) = people_queries.rows_of([person])
    return {"user": _answer(row)}


def _apply(person: Person, body: PersonBody, admin: Person) -> None:
    if body.is_admin is not None:
        standing_service.set_administrator(person=person, is_admin=body.is_admin, actor=admin)
    if body.disabled is not None:
        act = people_service.disable if body.disabled else people_service.enable
        act(person=person, actor=admin)
    if body.names_budget:
        standing_service.set_budget(person=person, cents=body.monthly_budget_cents, actor=admin.id)


def _answer(row: PersonRow) -> dict[str, Any]:
    """The `user` object of every other call, and how the person stands."""
    person = row.person
    return {
        "id": person.id,
        "email": person.email,
        "displayName": person.name,
        "balance": credits_number(row.balance_micros),
        "balanceMicros": row.balance_micros,
        "monthlyBudgetCents": person.monthly_budget_cents,
        "monthlySpentCents": cents_of_micros(row.spent_micros),
        "isAdmin": person.is_admin,
        "disabled": person.is_disabled,
        "lastSeenAt": row.last_seen_at,
        "createdAt": person.created_at,
        "updatedAt": person.updated_at,
    }
