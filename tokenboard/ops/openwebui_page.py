"""The control room's page of Open WebUI, in finished texts: how it is joined, which keys may name people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from tokenboard.core.db import db
from tokenboard.core.settings import settings
from tokenboard.keys import queries
from tokenboard.keys.queries import KeyLine
from tokenboard.workspaces.models import Workspace

PATH = "/admin/open-webui"


@dataclass(frozen=True, slots=True)
class NamingKey:
    """A key that may name people."""

    id: str
    name: str
    display: str
    workspace: str
    is_paused: bool
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True)
class OpenWebUIPage:
    """Everything the page prints."""

    url: str
    has_secret: bool
    address: str
    keys: Sequence[NamingKey]


def build() -> OpenWebUIPage:
    """Two reads."""
    here, lines = settings(), queries.naming()
    wanted = {line.key.workspace_id for line in lines}
    found = db.session.scalars(db.select(Workspace).where(Workspace.id.in_(wanted))) if wanted else ()
    names = {workspace.id: workspace.name for workspace in found}
    return OpenWebUIPage(
        url=here.openwebui_url,
        has_secret=bool(here.openwebui_jwt_secret),
        address=f"{here.base_url}/v1",
        keys=[_shown(line, names[line.key.workspace_id]) for line in lines],
    )


def _shown(line: KeyLine, workspace: str) -> NamingKey:
    key = line.key
    return NamingKey(key.id, key.name, line.secret.display, workspace, key.state != "active", key.last_used_at)
