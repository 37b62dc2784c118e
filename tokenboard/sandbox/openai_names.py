"""OpenAI's lists of names: projects, their keys, admin keys, people. Cursors are ids, unlike those of costs."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import Blueprint, Response, g, request

from tokenboard.core import clock
from tokenboard.sandbox.faults import answer, error, invalid
from tokenboard.sandbox.memory import sandbox
from tokenboard.sandbox.openai_world import ApiKey, Person, Project, World, created_on, world

routes = Blueprint("openai_names", __name__, url_prefix="/openai/v1/organization")

_LIMIT_MAX = 100


def _world() -> World:
    return world(g.traits.world, sandbox().origin())


@routes.get("/projects")
def projects() -> Response:
    found = [_project(_world(), project) for project in _world().projects]
    has_begun = [row for row in found if row["created_at"] <= sandbox().now().timestamp()]
    if request.args.get("include_archived") != "true":
        has_begun = [row for row in has_begun if row["archived_at"] is None]
    return _listed(has_begun)


@routes.get("/projects/<project_id>/api_keys")
def project_api_keys(project_id: str) -> Response:
    if project_id not in {project.id for project in _world().projects}:
        return error("openai", 404, f"Project '{project_id}' not found.", "invalid_request_error")
    return _listed([_key(key) for key in _world().keys if key.project_id == project_id])


@routes.get("/admin_api_keys")
def admin_api_keys() -> Response:
    begun = clock.unix_seconds(_world().origin)
    row = {
        "object": "organization.admin_api_key",
        "id": "key_SbxAdmin",
        "name": "TokenBoard",
        "redacted_value": "sk-admin...box",
        "created_at": begun,
        "expires_at": None,
        "last_used_at": int(sandbox().now().timestamp()),
        "owner": {
            "type": "user",
            "object": "organization.user",
            "id": "user_SbxMaya",
            "created_at": begun,
            "role": "owner",
        },
    }
    return _listed([row])


@routes.get("/users")
def users() -> Response:
    return _listed([{"object": "organization.user", "added_at": _begun(), **_person(one)} for one in _world().people])


def _begun() -> int:
    return clock.unix_seconds(_world().origin)


def _person(person: Person) -> dict[str, Any]:
    return {"id": person.id, "name": person.name, "email": person.email, "role": person.role}


def _project(world: World, project: Project) -> dict[str, Any]:
    archived_at = None
    if project.archived_after_days is not None:
        archived_on = world.origin + timedelta(days=project.archived_after_days)
        archived_at = clock.unix_seconds(archived_on) if archived_on <= sandbox().now().date() else None
    return {
        "id": project.id,
        "object": "organization.project",
        "name": project.name,
        "created_at": clock.unix_seconds(created_on(world, project)),
        "archived_at": archived_at,
        "status": "archived" if archived_at else "active",
    }


def _key(key: ApiKey) -> dict[str, Any]:
    return {
        "object": "organization.project.api_key",
        "redacted_value": f"sk-proj-...{key.id[-3:]}",
        "name": key.name,
        "created_at": _begun(),
        "last_used_at": int(sandbox().now().timestamp()),
        "id": key.id,
        "owner_project_access": "active",
        "owner": {"type": "user", "user": {**_person(key.owner), "created_at": _begun()}},
    }


def _listed(rows: list[dict[str, Any]]) -> Response:
    limit_text = request.args.get("limit", "20")
    if not (limit_text.isascii() and limit_text.isdigit()) or not 1 <= int(limit_text) <= _LIMIT_MAX:
        return invalid("openai", f"limit must be between 1 and {_LIMIT_MAX}.")
    ids = [row["id"] for row in rows]
    after = request.args.get("after")
    if after is not None and after not in ids:
        return invalid("openai", "after is not the id of a listed object.")
    begin = ids.index(after) + 1 if after is not None else 0
    data = rows[begin : begin + int(limit_text)]
    first, last = (data[0]["id"], data[-1]["id"]) if data else (None, None)
    has_more = begin + len(data) < len(rows)
    return answer({"object": "list", "data": data, "first_id": first, "last_id": last, "has_more": has_more})
