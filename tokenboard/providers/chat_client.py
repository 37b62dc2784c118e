"""Asks any OpenAI-compatible upstream: LiteLLM, OpenAI, vLLM, Ollama, the sandbox.

    client = ChatClient("http://litellm:4000", key)
    with client.stream(call) as stream:   # raises ChatError before anything of the answer is there
        for piece in stream:              # raises ChatError when it breaks; `stream.close()` stops it, from any thread
            …

Addresses: `<base>/chat/completions`, `/embeddings`, `/models`; LiteLLM answers them with and without `/v1`. Its price
list, `/model/info`, stands beside `/v1`. Laws: no key in a message, a repr or a log line; nothing is asked twice
unless the connection itself failed (`chat_exchange.py` says why).
Sources: reference "LiteLLM proxy", sections 3, 8 and 10; platform.openai.com/docs/api-reference/chat, November 2026.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from tokenboard.core import clock
from tokenboard.providers.chat_admission import EVENT_STREAM, JSON, admit
from tokenboard.providers.chat_answers import completion_of, models_of_info, models_of_list, object_in
from tokenboard.providers.chat_errors import ChatBadAnswer, ChatError, ChatRefused, ChatUnavailable, KeyRefused
from tokenboard.providers.chat_exchange import Exchange, Interrupted
from tokenboard.providers.chat_framing import Head
from tokenboard.providers.chat_reading import PieceReader
from tokenboard.providers.chat_record import CallRecord
from tokenboard.providers.chat_requests import call_headers, chat_body, request
from tokenboard.providers.chat_shapes import ChatCall, ChatLimits, Completion, ModelInfo, Piece, TokenUsage
from tokenboard.providers.chat_stream import ChatStream
from tokenboard.providers.chat_wire import ChatPool, Origin
from tokenboard.providers.http import clean_base_url

__all__ = ["ChatCall", "ChatClient", "ChatLimits", "ChatStream", "Completion", "ModelInfo", "Piece", "TokenUsage"]

_KEY_SHAPE = re.compile(r"[\x21-\x7e]{0,512}")


class ChatClient:
    """One upstream and one key. Serves the whole process; `pool` may be shared between clients."""

    def __init__(
        self, base_url: str, api_key: str, *, pool: ChatPool | None = None, limits: ChatLimits | None = None
    ) -> None:
        address = urlsplit(clean_base_url(base_url))
        is_tls = address.scheme == "https"
        self._origin = Origin(address.hostname or "", address.port or (443 if is_tls else 80), is_tls)
        self._path = address.path
        self._key = api_key
        self._pool = pool or ChatPool()
        self._limits = limits or ChatLimits()

    def __repr__(self) -> str:
        return f"ChatClient({self._origin.authority}{self._path})"

    def close(self) -> None:
        self._pool.close()

    def stream(self, call: ChatCall) -> ChatStream:
        """The answer as it comes; the upstream has accepted the request when this returns. Raises: ChatError."""
        return self.prepare(call).open()

    def prepare(self, call: ChatCall) -> ChatStream:
        """A stream that has not asked yet, so that `close` can stop it while `open` still waits. Raises: KeyRefused."""
        path = f"{self._path}/chat/completions"
        asked = request(
            self._origin,
            "POST",
            path,
            self._usable_key(),
            accept=EVENT_STREAM,
            headers=call_headers(call.call_id, call.headers),
            body=chat_body(call, is_stream=True),
        )
        return ChatStream(
            Exchange(self._pool, asked, self._limits),
            PieceReader(self._limits, call.max_output_tokens, self._key),
            self._limits,
            CallRecord(self._origin.host, path, call.call_id, call.model),
            self._key,
        )

    def complete(self, call: ChatCall) -> Completion:
        """The whole answer at once. Raises: ChatError."""
        headers = call_headers(call.call_id, call.headers)
        record = CallRecord(self._origin.host, f"{self._path}/chat/completions", call.call_id, call.model)
        body = chat_body(call, is_stream=False)
        return completion_of(*self._asked("POST", "/chat/completions", record, headers, body), self._key)

    def embed(self, body: Mapping[str, Any], call_id: str) -> Completion:
        """Embeddings; the body is OpenAI's, allow-listed by the caller. Raises: ChatError."""
        record = CallRecord(self._origin.host, f"{self._path}/embeddings", call_id, str(body.get("model", "")))
        return completion_of(*self._asked("POST", "/embeddings", record, call_headers(call_id, {}), body), self._key)

    def models(self) -> list[ModelInfo]:
        """What is on offer, with LiteLLM's prices where the upstream is one, else names alone. Raises: ChatError."""
        beside = self._path.removesuffix("/v1")
        try:
            return models_of_info(self._listed(f"{beside}/model/info"))
        except (ChatRefused, ChatBadAnswer) as refused:
            if refused.upstream_status not in (None, 200, 401, 403, 404, 405):
                raise
        return models_of_list(self._listed(f"{self._path}/models"))

    def _listed(self, path: str) -> dict[str, Any]:
        record = CallRecord(self._origin.host, path)
        seconds = self._limits.listing_seconds
        return object_in(self._exchanged("GET", path, record, {}, None, seconds)[1], self._key)

    def _asked(
        self, method: str, path: str, record: CallRecord, headers: Mapping[str, str], body: Mapping[str, Any]
    ) -> tuple[Head, bytes]:
        return self._exchanged(method, self._path + path, record, headers, body, self._limits.answer_seconds)

    def _exchanged(
        self,
        method: str,
        path: str,
        record: CallRecord,
        headers: Mapping[str, str],
        body: Mapping[str, Any] | None,
        seconds: float,
    ) -> tuple[Head, bytes]:
        """A whole answer with status 200, by `seconds` from now. Raises: ChatError."""
        until = clock.monotonic() + seconds
        asked = request(self._origin, method, path, self._usable_key(), accept=JSON, headers=headers, body=body)
        exchange = Exchange(self._pool, asked, self._limits)
        head: Head | None = None
        try:
            head = exchange.begin(until)
            record.status = head.status
            admit(exchange, head, JSON, self._key)
            return head, exchange.whole_body(until, self._limits.body_bytes_max)
        except Interrupted as error:
            raise ChatUnavailable("interrupted") from error
        except ChatError as error:
            record.failure = error
            raise
        finally:
            exchange.finish(head, is_whole=exchange.is_over)
            record.write(size_bytes=exchange.received_bytes)

    def _usable_key(self) -> str:
        if not _KEY_SHAPE.fullmatch(self._key):
            raise KeyRefused("the key holds characters no key has")
        return self._key
