"""One askable sample of every route: the ids, body and form that the matrix sends, made fresh for every cell.

Everything belongs to the team of `tests/people.py`, so that a stranger must get 404.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta

from tests.house.billing_cells import billing_samples
from tests.house.chat_cells import chat_samples
from tests.house.control_cells import control_samples
from tests.house.keys_cells import keys_samples
from tests.house.people_cells import people_samples
from tests.house.sampled import Sampled
from tests.house.usage_cells import usage_samples
from tests.people import People
from tokenboard.accounts.models import Person
from tokenboard.core.clock import now, today
from tokenboard.core.crypto import new_token, token_hash
from tokenboard.core.db import db, new_id
from tokenboard.costs.models import Budget, Connection, SyncRun
from tokenboard.notices.models import Notice
from tokenboard.wallet import adjustment_service
from tokenboard.wallet.adjustment_service import Wish
from tokenboard.wallet.models import Adjustment, AdjustmentKind
from tokenboard.workspaces import service as workspaces
from tokenboard.workspaces.models import AlertChannel, Invitation, Membership, Role, Workspace

KEY = "sk-admin-sandbox"


def samples(people: People) -> defaultdict[str, Sampled]:
    """By the map's own spelling; a route that needs nothing is not listed."""
    with people.app.app_context():
        rows = _team_rows(people)
    team = {"workspaceId": people.team_id}
    listed: defaultdict[str, Sampled] = defaultdict(Sampled)
    listed.update(_calls(people, rows, team))
    listed.update(_pages(people, rows))
    listed.update(billing_samples(people))
    listed.update(people_samples(people))
    listed.update(chat_samples(people))
    listed.update(keys_samples(people))
    listed.update(control_samples(people))
    listed.update(usage_samples(people))
    return listed


@dataclass(frozen=True, slots=True)
class TeamRows:
    """Ids of one row of each kind."""

    connection: str
    run: str
    budget: str
    channel: str
    invitation: str
    invitation_token: str
    notice: str
    newcomer: str  # a viewer whom every cell may change or remove
    demo: str  # a demo workspace with the team's members
    transaction: str
    proposal: str


def _team_rows(people: People) -> TeamRows:
    connection = _connection(people.team_id)
    run = SyncRun(
        connection_id=connection.id,
        reason="manual",
        state="done",
        since_on=today(),
        until_on=today(),
        reached_on=today(),
    )
    token = new_token()
    invitation = Invitation(
        workspace_id=people.team_id,
        email="eve@example.com",
        role="viewer",
        token_hash=token_hash(token),
        expires_at=now() + timedelta(days=7),
    )
    notice = Notice(channel="email", kind="test", address="a@example.com", body="x", idempotency_key=new_token())
    budget, channel = _budget(people.team_id), _channel(people.team_id)
    db.session.add_all([run, invitation, notice])
    db.session.commit()
    newcomer = _newcomer(people.team_id)
    demo, money = _demo(people), _money(people)
    return TeamRows(
        connection.id, run.id, budget.id, channel.id, invitation.id, token, notice.id, newcomer, demo, *money
    )


def _money(people: People) -> tuple[str, str]:
    """A transaction of the team's wallet, and a proposal of an administrator who has left."""
    team = db.session.get_one(Workspace, people.team_id)
    wish = Wish(team, AdjustmentKind.GIFT, 5_000_000, "for the matrix")
    posting = adjustment_service.grant_by_key(wish=wish, key="matrix")
    proposal = Adjustment(
        workspace_id=team.id, kind="gift", amount_micros=1_000_000, reason="matrix", state="proposed", actor="nobody"
    )
    db.session.add(proposal)
    db.session.commit()
    return posting.transaction_id, proposal.id


def _demo(people: People) -> str:
    demo = workspaces.create(owner=db.session.get_one(Person, people.alice.id), name="Acme demo")
    demo.is_demo = True
    for role, one in ((Role.ADMIN, people.dave), (Role.MEMBER, people.bob), (Role.VIEWER, people.vera)):
        workspaces.join(workspace=demo, person=db.session.get_one(Person, one.id), role=role)
    db.session.commit()
    return demo.id


def _newcomer(workspace_id: str) -> str:
    person = db.session.scalar(db.select(Person).where(Person.email == "nora@example.com"))
    if person is None:
        person = Person(email="nora@example.com")
        db.session.add(person)
        db.session.flush()
    joined = db.select(Membership).where(Membership.workspace_id == workspace_id, Membership.person_id == person.id)
    if db.session.scalar(joined) is None:
        db.session.add(Membership(workspace_id=workspace_id, person_id=person.id, role="viewer"))
        db.session.commit()
    return person.id


def _connection(workspace_id: str) -> Connection:
    """The team's live connection: the one that is there, or a new one where a cell before removed it."""
    live = db.select(Connection).where(Connection.workspace_id == workspace_id, Connection.status != "removed")
    found = db.session.scalar(live)
    if found is None:
        found = Connection(
            workspace_id=workspace_id,
            provider="openai",
            mode="organization",
            sealed_key="",
            key_fingerprint="",
            last4="0000",
        )
        db.session.add(found)
        db.session.flush()
    return found


def _budget(workspace_id: str) -> Budget:
    found = db.session.scalar(db.select(Budget).where(Budget.workspace_id == workspace_id))
    if found is None:
        found = Budget(workspace_id=workspace_id, amount_cents=100_00)
        db.session.add(found)
        db.session.flush()
    return found


def _channel(workspace_id: str) -> AlertChannel:
    found = db.session.scalar(db.select(AlertChannel).where(AlertChannel.workspace_id == workspace_id))
    if found is None:
        found = AlertChannel(workspace_id=workspace_id, kind="email", address="alerts@example.com")
        db.session.add(found)
        db.session.flush()
    return found


def _calls(people: People, rows: TeamRows, team: dict[str, str]) -> dict[str, Sampled]:
    one = Sampled(ids=(rows.connection,), names_workspace=True)
    connect = {"apiKey": KEY, "provider": "openai", "mode": "organization"} | team
    members = (people.team_id, rows.newcomer)
    return {
        "GET /api/workspaces/:id/members": Sampled((people.team_id,), names_workspace=True),
        "POST /api/workspaces/:id/members": Sampled(
            (people.team_id,), json={"email": "new@example.com", "role": "viewer"}, names_workspace=True
        ),
        "PATCH /api/workspaces/:id": Sampled((people.team_id,), json={"name": "Acme"}, names_workspace=True),
        "PATCH /api/workspaces/:id/members/:id": Sampled(members, json={"monthlyCapCents": 5}, names_workspace=True),
        "DELETE /api/workspaces/:id/members/:id": Sampled(members, names_workspace=True),
        "GET /api/workspaces/:id/invitations": Sampled((people.team_id,), names_workspace=True),
        "POST /api/workspaces/:id/invitations": Sampled(
            (people.team_id,), json={"email": "new@example.com", "role": "viewer"}, names_workspace=True
        ),
        "DELETE /api/workspaces/:id/invitations/:id": Sampled((people.team_id, rows.invitation), names_workspace=True),
        "POST /api/invitations/accept": Sampled(json={"token": rows.invitation_token}),
        "POST /api/openai/connect": Sampled(json=connect, names_workspace=True),
        "DELETE /api/openai/connect": Sampled(json=team, names_workspace=True),
        "POST /api/openai/sync": Sampled(json=team, names_workspace=True),
        "GET /api/connections": Sampled(query=team, names_workspace=True),
        "POST /api/connections": Sampled(json=connect, names_workspace=True),
        "PATCH /api/connections/:id": Sampled((rows.connection,), json={"apiKey": KEY}, names_workspace=True),
        "DELETE /api/connections/:id": one,
        "POST /api/connections/:id/sync": one,
        "GET /api/jobs/:id": Sampled((rows.run,), names_workspace=True),
        "GET /api/budgets": Sampled(query=team, names_workspace=True),
        "POST /api/budgets": Sampled(json={"amountCents": 5} | team, names_workspace=True),
        "DELETE /api/budgets/:id": Sampled((rows.budget,), names_workspace=True),
        "GET /api/summary": Sampled(query=team, names_workspace=True),
        "GET /api/dashboard": Sampled(query=team, names_workspace=True),
        "GET /api/trend": Sampled(query={"from": str(today()), "to": str(today())} | team, names_workspace=True),
        "GET /api/billing/balance": Sampled(query=team, names_workspace=True),
        "GET /api/credits/ledger": Sampled(query=team, names_workspace=True),
        "GET /api/billing/usage": Sampled(query=team, names_workspace=True),
        "POST /api/credits/spend": Sampled(
            json={"amount": 1, "reason": "matrix", "idempotencyKey": new_token()} | team, names_workspace=True
        ),
        "POST /api/credits/grant": Sampled(json={"amount": 1, "reason": "matrix", "idempotencyKey": "m"} | team),
        "POST /api/example/use-credits": Sampled(json={"prompt": "a b"} | team, names_workspace=True),
        "GET /api/breakdown": Sampled(query={"by": "project"} | team, names_workspace=True),
    }


def _pages(people: People, rows: TeamRows) -> dict[str, Sampled]:
    team = {"workspace_id": people.team_id}
    return {
        "POST /settings/connections/:id/sync": Sampled((rows.connection,), form=team, names_workspace=True),
        "POST /settings/connections/:id/test": Sampled((rows.connection,), form=team, names_workspace=True),
        "POST /settings/connections/:id/replace": Sampled((rows.connection,), form=team, names_workspace=True),
        "POST /settings/connections/:id/remove": Sampled((rows.connection,), form=team, names_workspace=True),
        "POST /settings/connections/balance": Sampled(form=team, names_workspace=True),
        "POST /settings/connections": Sampled(form=team, names_workspace=True),
        "POST /settings/notifications": Sampled(form=team, names_workspace=True),
        "POST /settings/notifications/:id/test": Sampled(
            (rows.channel,), form=team | {"form_key": rows.channel}, names_workspace=True
        ),
        "POST /settings/budgets/:id/delete": Sampled((rows.budget,), form=team, names_workspace=True),
        "POST /settings/notifications/:id/remove": Sampled((rows.channel,), form=team, names_workspace=True),
        "POST /settings/workspace": Sampled(form=team | {"name": "Acme"}, names_workspace=True),
        "POST /settings/workspace/invitations": Sampled(form=team, names_workspace=True),
        "POST /settings/workspace/invitations/:id/withdraw": Sampled(
            (rows.invitation,), form=team, names_workspace=True
        ),
        "POST /settings/workspace/members/:id": Sampled((rows.newcomer,), form=team, names_workspace=True),
        "POST /settings/workspace/members/:id/remove": Sampled((rows.newcomer,), form=team, names_workspace=True),
        "POST /workspaces/switch": Sampled(form=team, names_workspace=True),
        "POST /dashboard/sync": Sampled(form=team, names_workspace=True),
        "POST /demo/remove": Sampled(form={"workspace_id": rows.demo}, names_workspace=True),
        "GET /invitations/:token": Sampled((rows.invitation_token,)),
        "POST /invitations/:token": Sampled((rows.invitation_token,)),
        "POST /account/sessions/:id/end": Sampled((new_id(),)),
        "GET /setup/:token": Sampled(("made-up",)),
        "POST /setup/:token": Sampled(("made-up",)),
        "GET /dev/outbox/:id": Sampled((rows.notice,)),
        "GET /credits": Sampled(query=team, names_workspace=True),
        "GET /credits/ledger.csv": Sampled(query=team, names_workspace=True),
        "GET /credits/transactions/:id": Sampled((rows.transaction,), names_workspace=True),
        "POST /credits/low-balance": Sampled(form=team | {"threshold": "5"}, names_workspace=True),
        "POST /credits/ask": Sampled(form=team, names_workspace=True),
        "POST /example-ai": Sampled(form=team | {"prompt": "a", "key": new_token()}, names_workspace=True),
        "POST /admin/adjust/:id/approve": Sampled((rows.proposal,)),
        "POST /admin/adjust/:id/decline": Sampled((rows.proposal,)),
    }
