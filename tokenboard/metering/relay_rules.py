"""How often a stream is written, and when an answer has grown past what was agreed. Pure.

Sources: reference "Performance", A3 (one wake-up per stream and 40 ms carries twice the streams) and A4.
"""

from __future__ import annotations

STREAMS_PER_PROCESS = {"gevent": 400, "threads": 48}
UNPACED_STREAMS = 50
# Provider tokens average about 4 bytes of text. Whoever sends twice that for every token it was allowed ignores the
# limit; the slack lets short answers of long words through.
_BYTES_A_TOKEN_AT_MOST = 8
_SLACK_BYTES = 256


def pause_seconds(streams: int) -> float:
    """How long a stream rests before it is read again, by how many there are in this process.

    A few are read as they come; then each read gathers more, because a wake-up costs more than what it carries.
    """
    if streams <= UNPACED_STREAMS:
        return 0.0
    return 0.04 if streams <= 250 else 0.06


def tick_seconds(streams: int) -> float:
    """The shortest time between two recordings. Half of what a stream rests: both together are less than 100 ms."""
    if streams <= 4:
        return 0.0
    return 0.01 if streams <= UNPACED_STREAMS else pause_seconds(streams) / 2


def is_past_bound(output_bytes: int, max_output_tokens: int) -> bool:
    """Whether the upstream has sent more than it was allowed to, however its tokens are cut."""
    return output_bytes > max_output_tokens * _BYTES_A_TOKEN_AT_MOST + _SLACK_BYTES
