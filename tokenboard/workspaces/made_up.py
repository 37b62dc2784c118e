"""What a demo's credits are good for: the built-in sandbox, and nothing that costs anybody anything."""

from __future__ import annotations

from tokenboard.web.clients import clients
from tokenboard.workspaces.errors import MadeUp


def require_real(*, is_demo: bool) -> None:
    """Before a model is asked. Raises: MadeUp for a demo where models are asked for money."""
    if is_demo and clients().mode("chat") != "sandbox":
        raise MadeUp
