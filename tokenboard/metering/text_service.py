"""The text of a call that keeps it: written down piece by piece, and taken by the room once the call is settled.

The pieces stay for a day: a reader who listens from another process, or comes back, may not have heard the end yet.
Then the operator's tidying deletes them (ops/service.py).
"""

from __future__ import annotations

from tokenboard.metering import queries


def take_text(*, call_id: str) -> str:
    """The whole text, as often as it is asked for."""
    return queries.recorded_text(call_id)
