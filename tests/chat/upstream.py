"""A model that says what a test wants it to say, when the test wants it: in the place of `clients().chat()`.

The fake has the shape of `providers.chat_client`; over real HTTP the sandbox answers (test_served.py, tests/e2e).
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from flask import Flask

from tokenboard.providers.chat_client import ChatCall, Piece, TokenUsage
from tokenboard.providers.chat_errors import ChatError

WAIT_SECONDS = 20.0


@dataclass
class Script:
    """What the model does next. With `gate`, it waits after the first piece until the test opens it."""

    pieces: Sequence[str] = ("Hello", ", ", "world", ".")
    usage: TokenUsage | None = field(default_factory=lambda: TokenUsage(prompt_tokens=10, completion_tokens=4))
    finish_reason: str = "stop"
    error_before: ChatError | None = None
    error_after: ChatError | None = None
    gate: threading.Event | None = None


class ScriptedStream:
    """One answer."""

    def __init__(self, script: Script) -> None:
        self.pause_seconds = 0.0
        self._script = script
        self._closed = threading.Event()

    def open(self) -> ScriptedStream:
        if self._script.error_before:
            raise self._script.error_before
        return self

    def __enter__(self) -> ScriptedStream:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._closed.set()
        if self._script.gate:
            self._script.gate.set()

    def __iter__(self) -> Iterator[Piece]:
        for number, text in enumerate(self._script.pieces):
            if number == 1 and self._script.gate:
                assert self._script.gate.wait(WAIT_SECONDS), "the test never opened the gate"
            if self._closed.is_set():
                return
            yield Piece(text=text)
        if self._script.error_after:
            raise self._script.error_after.in_mid_stream()
        yield Piece(finish_reason=self._script.finish_reason, usage=self._script.usage, is_done=True)


class Scripted:
    """The upstream of one test: hands out scripts in turn, the last one ever again; remembers what it was asked."""

    def __init__(self, inner: Any) -> None:
        self.scripts: list[Script] = [Script()]
        self.calls: list[ChatCall] = []
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def chat(self) -> Scripted:
        return self

    def will(self, *scripts: Script) -> None:
        self.scripts = list(scripts)

    def stream(self, call: ChatCall) -> ScriptedStream:
        return self.prepare(call).open()

    def prepare(self, call: ChatCall) -> ScriptedStream:
        self.calls.append(call)
        return ScriptedStream(self.scripts.pop(0) if len(self.scripts) > 1 else self.scripts[0])


def take_over(app: Flask) -> Scripted:
    """Answer in the place of the real clients; `app.extensions["clients"]` is put back by the fixture."""
    scripted = Scripted(app.extensions["clients"])
    app.extensions["clients"] = scripted
    return scripted
