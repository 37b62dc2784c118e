"""Writes requests to the chat upstream as they go over the wire.

Laws: the caller's options and headers never replace what this module sets; a header's value holds no line end; the
answer is never compressed. `max_completion_tokens` always goes along: it bounds what the answer can cost, reasoning
included.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from tokenboard.core.money import json_number
from tokenboard.providers.chat_exchange import Request
from tokenboard.providers.chat_shapes import ChatCall
from tokenboard.providers.chat_wire import Origin

_HEADER_NAME = re.compile(r"[A-Za-z0-9-]{1,64}")
_HEADER_VALUE = re.compile(r"[\x20-\x7e]{0,4096}")
_OURS = frozenset(
    "host authorization content-length content-type transfer-encoding connection accept accept-encoding user-agent"
    " x-litellm-call-id x-request-id".split()
)


def request(
    origin: Origin,
    method: str,
    path: str,
    key: str,
    *,
    accept: str,
    headers: Mapping[str, str] | None = None,
    body: Mapping[str, Any] | None = None,
) -> Request:
    """A whole request. Raises: ValueError for a header that could not be sent."""
    content = b"" if body is None else _json(body)
    lines = {
        "Host": origin.authority,
        "User-Agent": "TokenBoard",
        "Accept": accept,
        "Accept-Encoding": "identity",
        **({"Authorization": f"Bearer {key}"} if key else {}),
        **({} if body is None else {"Content-Type": "application/json", "Content-Length": str(len(content))}),
        **(headers or {}),
    }
    for name, value in lines.items():
        if not (_HEADER_NAME.fullmatch(name) and _HEADER_VALUE.fullmatch(value)):
            raise ValueError(f"the header {name[:64]!r} cannot be sent")
    head = "".join(
        [f"{method} {path} HTTP/1.1\r\n", *(f"{name}: {value}\r\n" for name, value in lines.items()), "\r\n"]
    )
    return Request(origin, head.encode("ascii"), content)


def call_headers(call_id: str, more: Mapping[str, str]) -> dict[str, str]:
    """The headers of a call: the caller's, then the ids it is found again by."""
    allowed = {name: value for name, value in more.items() if name.lower() not in _OURS}
    return allowed | {"x-litellm-call-id": call_id, "X-Request-Id": call_id}


def chat_body(call: ChatCall, *, is_stream: bool) -> dict[str, Any]:
    """The body of a chat completion."""
    ours: dict[str, Any] = {
        "model": call.model,
        "messages": list(call.messages),
        "max_completion_tokens": call.max_output_tokens,
        "stream": is_stream,
    }
    if is_stream:
        ours["stream_options"] = {"include_usage": True}
    if call.end_user:
        ours["user"] = call.end_user
    options = {name: value for name, value in call.options.items() if name not in ("max_tokens", "stream_options")}
    return options | ours


def _json(body: Mapping[str, Any]) -> bytes:
    # A lone surrogate becomes "?": the upstream would refuse the whole request for it.
    text = json.dumps(body, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_plain)
    return text.encode("utf-8", "replace")


def _plain(value: object) -> object:
    if isinstance(value, Decimal):
        return json_number(value)
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} is not JSON")
