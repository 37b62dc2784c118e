"""Counts and cuts tokens the sandbox's way: a word, or six letters of one, with the white space before it.

Not a real tokenizer; like one in that no token is shorter than a byte, so that bounds made from bytes hold.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

_TOKEN = re.compile(r"\s*\S{1,6}|\s+")
_TOKENS_A_MESSAGE = 4  # role markers, as OpenAI's models have them
_TOKENS_A_REPLY = 3


def tokens(text: str) -> list[str]:
    """The text in pieces; joined they are the text."""
    return _TOKEN.findall(text)


def text_in(message: Mapping[str, Any]) -> str:
    """The text of one message, be it a string or a list of parts."""
    content = message.get("content")
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    return "".join(str(part.get("text", "")) for part in parts if isinstance(part, Mapping))


def prompt_tokens(messages: Iterable[Mapping[str, Any]]) -> int:
    return sum(len(tokens(text_in(message))) + _TOKENS_A_MESSAGE for message in messages) + _TOKENS_A_REPLY
