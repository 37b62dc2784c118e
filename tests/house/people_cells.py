"""Samples of the routes about people: made-up links, and what a person changes about themselves."""

from __future__ import annotations

from tests.house.sampled import Sampled
from tests.people import PASSWORD, People
from tokenboard.core.db import new_id


def people_samples(people: People) -> dict[str, Sampled]:
    """By the map's own spelling."""
    made_up = Sampled(("made-up",))
    return {
        "POST /api/auth/forgot": Sampled(json={"email": people.alice.email}),
        "POST /api/auth/reset": Sampled(json={"token": "made-up", "password": "a long new password"}),
        "POST /api/auth/verify": Sampled(json={"token": "made-up"}),
        "POST /api/auth/confirm": Sampled(json={"password": PASSWORD}),
        "PUT /api/account/mail-choices": Sampled(json={"mails": ["summary"]}),
        "PATCH /api/account": Sampled(json={"displayName": "Matrix"}),
        "POST /api/workspaces/:id/transfer": Sampled(
            (people.team_id,), json={"personId": people.bob.id}, names_workspace=True
        ),
        "POST /settings/workspace/members/:id/make-owner": Sampled(
            (people.bob.id,), form={"workspace_id": people.team_id}, names_workspace=True
        ),
        "POST /settings/notifications/mails": Sampled(form={"mails": "mail_summary"}),
        "POST /settings/notifications/summary": Sampled(form={"form_key": new_id()}),
        "GET /reset/:token": made_up,
        "POST /reset/:token": made_up,
        "GET /verify/:token": made_up,
        "POST /verify/:token": made_up,
        "POST /settings/security/identities/:id/remove": Sampled((new_id(),)),
        "POST /settings/security/tokens/:id/end": Sampled((new_id(),)),
        "DELETE /api/account/tokens/:id": Sampled((new_id(),)),
        "DELETE /api/account/sessions/:id": Sampled((new_id(),)),
        "GET /account/email/:token": made_up,
        "POST /account/email/:token": made_up,
    }
