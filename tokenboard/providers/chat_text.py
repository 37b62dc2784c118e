"""Text as models send it, made fit to keep: pieces joined, control characters out, cut characters whole again.

PostgreSQL keeps no NUL, and UTF-8 no lone surrogate. Half an emoji arrives when an upstream escapes one as two JSON
escapes and cuts between them: the first half waits for the second.
"""

from __future__ import annotations

import re

_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_SURROGATES = re.compile("[\ud800-\udfff]")


class Prose:
    """One text that arrives in pieces."""

    def __init__(self) -> None:
        self._half = ""

    def join(self, pieces: list[str], *, is_last: bool = False) -> str:
        """What of these pieces can be given out now."""
        text = self._half + "".join(pieces)
        self._half = ""
        if not text:
            return ""
        if not is_last and "\ud800" <= text[-1] <= "\udbff":
            text, self._half = text[:-1], text[-1]
        return clean(text)


def clean(text: str) -> str:
    """Text without control characters (tabs and line ends stay), and with every surrogate paired or replaced."""
    if _CONTROLS.search(text):
        text = _CONTROLS.sub("", text)
    if _SURROGATES.search(text):
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text
