"""The gate after the head of an answer: what is no answer is refused here, before anything of it is used."""

from __future__ import annotations

import contextlib

from tokenboard.core import clock
from tokenboard.providers.chat_answers import object_in
from tokenboard.providers.chat_errors import ChatBadAnswer, ChatError
from tokenboard.providers.chat_exchange import Exchange
from tokenboard.providers.chat_framing import Head
from tokenboard.providers.chat_refusals import refusal

EVENT_STREAM = "text/event-stream"
JSON = "application/json"
_REFUSAL_BYTES_MAX = 65_536
_REFUSAL_SECONDS = 10  # for the words of a refusal: its status alone says the most


def admit(exchange: Exchange, head: Head, wanted: str, secret: str) -> None:
    """Let an answer with status 200 and the wanted media type pass. Raises: ChatError, Interrupted."""
    if head.status >= 400:
        raise refusal(head.status, head.headers, b"" if head.is_compressed else _words(exchange), secret)
    if head.status != 200:
        raise ChatBadAnswer(f"status {head.status} where 200 was expected", upstream_status=head.status)
    if head.is_compressed:
        # We asked for no compression; a few KB could unfold to gigabytes.
        raise ChatBadAnswer("the answer is compressed", upstream_status=head.status)
    if head.media_type == wanted:
        return
    if head.media_type == JSON:
        object_in(_words(exchange), secret)  # an error in a 200 is still an error, and says more
    raise ChatBadAnswer("the answer's content type is another", upstream_status=head.status)


def _words(exchange: Exchange) -> bytes:
    """The beginning of a body, as far as it can be had."""
    until = clock.monotonic() + _REFUSAL_SECONDS
    said = b""
    with contextlib.suppress(ChatError):
        while not exchange.is_over and len(said) < _REFUSAL_BYTES_MAX:
            said += exchange.next_block(until)
    return said
