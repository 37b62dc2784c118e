"""JSON doors to connections, syncs and their jobs. The `openai` calls are older names of the same acts."""

from __future__ import annotations

from flask import Blueprint

from tokenboard.accounts.guards import current_person, require_recent_proof
from tokenboard.core.db import db, writing
from tokenboard.core.errors import NotFound
from tokenboard.costs import connecting, connection_queries, service, shapes
from tokenboard.costs.answers import connection_answer, job_answer
from tokenboard.costs.connecting import load_connection
from tokenboard.costs.forms import (
    ChangeBody,
    ConnectBody,
    OpenAIConnectBody,
    RemoveBody,
    RemoveQuery,
    SyncBody,
    WorkspaceQuery,
)
from tokenboard.costs.models import Connection
from tokenboard.costs.sync_rules import Reason
from tokenboard.web.api import Answer, operation
from tokenboard.web.limits import CONNECT, CRON, SYNC, limiter
from tokenboard.web.security import exempt_from_csrf
from tokenboard.web.shapes import Count
from tokenboard.workspaces import access
from tokenboard.workspaces.models import Role

blueprint = Blueprint("costs_api", __name__)

_TAG = "Provider costs"


@blueprint.get("/api/connections")
@operation(
    "A workspace's provider connections",
    query=WorkspaceQuery,
    tag=_TAG,
    answer={"connections": list[shapes.Connection]},
)
def connections(query: WorkspaceQuery) -> Answer:
    workspace = access.load(query.workspace_id, current_person()).workspace
    return {"connections": [connection_answer(one) for one in connection_queries.of_workspace(workspace.id)]}


@blueprint.post("/api/connections")
@limiter.limit(CONNECT)
@operation(
    "Connect a provider, or replace its key",
    body=ConnectBody,
    tag=_TAG,
    answer={"connection": shapes.Connection},
    errors=(409, 502, 504),
)
def connect(body: ConnectBody) -> Answer:
    return {"connection": connection_answer(_connect(body, body.provider))}


@blueprint.post("/api/openai/connect")
@limiter.limit(CONNECT)
@operation(
    "Connect OpenAI, or replace its key",
    body=OpenAIConnectBody,
    tag=_TAG,
    answer={"connection": shapes.Connection},
    errors=(409, 502, 504),
)
def connect_openai(body: OpenAIConnectBody) -> Answer:
    return {"connection": connection_answer(_connect(body, "openai"))}


def _connect(body: OpenAIConnectBody, provider: str) -> Connection:
    person = current_person()
    workspace = access.load(body.workspace_id, person, at_least=Role.ADMIN).workspace
    require_recent_proof()
    connecting.try_key(provider, body.mode, body.api_key)
    connected = service.connect(
        workspace_id=workspace.id,
        provider=provider,
        mode=body.mode,
        api_key=body.api_key,
        actor_id=person.id,
        vault=connecting.vault(),
    )
    db.session.commit()
    return connected.connection


@blueprint.patch("/api/connections/<id:connection_id>")
@limiter.limit(CONNECT)
@operation(
    "Replace a connection's key or mode",
    body=ChangeBody,
    tag=_TAG,
    answer={"connection": shapes.Connection},
    errors=(409, 502, 504),
)
def change(connection_id: str, body: ChangeBody) -> Answer:
    person = current_person()
    connection = load_connection(connection_id, person, at_least=Role.ADMIN)
    require_recent_proof()
    mode = body.mode or connection.mode
    api_key = body.api_key or connecting.key_of(connection)
    connecting.try_key(connection.provider, mode, api_key)
    changed = service.replace(
        connection=connection, mode=mode, api_key=api_key, actor_id=person.id, vault=connecting.vault()
    )
    db.session.commit()
    return {"connection": connection_answer(changed.connection)}


@blueprint.delete("/api/connections/<id:connection_id>")
@operation(
    "Remove a connection; its history stays unless told otherwise",
    body=RemoveBody,
    query=RemoveQuery,
    status=204,
    tag=_TAG,
)
def remove(connection_id: str, body: RemoveBody, query: RemoveQuery) -> Answer:
    person = current_person()
    connection = load_connection(connection_id, person, at_least=Role.ADMIN)
    return _remove(connection, person.id, body, query)


@blueprint.delete("/api/openai/connect")
@operation("Remove the OpenAI connection", body=RemoveBody, query=RemoveQuery, status=204, tag=_TAG)
def remove_openai(body: RemoveBody, query: RemoveQuery) -> Answer:
    person = current_person()
    connection = _openai(body.workspace_id or query.workspace_id, Role.ADMIN)
    return _remove(connection, person.id, body, query)


def _remove(connection: Connection, actor_id: str, body: RemoveBody, query: RemoveQuery) -> Answer:
    require_recent_proof()
    keeps_history = (body.history or query.history) != "delete"
    service.remove(connection=connection, keeps_history=keeps_history, actor_id=actor_id)
    db.session.commit()
    return {}, 204


def _openai(workspace_id: str | None, at_least: Role) -> Connection:
    workspace = access.load(workspace_id, current_person(), at_least=at_least).workspace
    connection = connection_queries.live(workspace.id, "openai")
    if connection is None:
        raise NotFound("OpenAI is not connected.")
    return connection


@blueprint.post("/api/openai/sync")
@limiter.limit(SYNC)
@operation("Read OpenAI's bill now", body=SyncBody, status=202, tag=_TAG, answer={"job": shapes.Job}, errors=(409,))
def sync_openai(body: SyncBody) -> Answer:
    return _sync(_openai(body.workspace_id, Role.OWNER))


@blueprint.post("/api/connections/<id:connection_id>/sync")
@limiter.limit(SYNC)
@operation("Read a connection's bill now", status=202, tag=_TAG, answer={"job": shapes.Job}, errors=(409,))
def sync(connection_id: str) -> Answer:
    return _sync(load_connection(connection_id, current_person(), at_least=Role.OWNER))


def _sync(connection: Connection) -> Answer:
    run = service.request_sync(connection=connection, actor_id=current_person().id)
    db.session.commit()
    return {"job": job_answer(run)}


@blueprint.route("/api/cron/sync-openai", methods=["GET", "POST"])
@exempt_from_csrf("only the cron secret opens it; no cookie counts")
@limiter.limit(CRON)
@operation("Queue a sync of every connection", auth="cron", status=202, tag=_TAG, answer={"queued": Count})
def sync_all() -> Answer:
    connecting.require_cron()
    with writing():
        queued = service.queue_all(Reason.CRON)
        db.session.commit()
    return {"queued": len(queued)}
