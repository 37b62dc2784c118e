"""Everything the payment clients say to the sandbox and hear from it, kept for the judges of the contract tests."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import requests

from tokenboard.providers.http import new_session


@dataclass
class Recorder(requests.Session):
    """A session that keeps every exchange; answers are read whole, so that they can be judged later."""

    def __init__(self) -> None:
        super().__init__()
        plain = new_session()
        self.trust_env, self.headers = plain.trust_env, plain.headers
        plain.close()
        self.exchanges: list[Exchange] = []

    def send(self, request: requests.PreparedRequest, **wanted: Any) -> requests.Response:
        answer = super().send(request, **wanted)
        body = answer.raw.read(decode_content=True)
        answer.raw = _Again(body)
        self.exchanges.append(Exchange(request, answer.status_code, dict(answer.headers), body))
        return answer


@dataclass
class Exchange:
    """One call and its answer."""

    request: requests.PreparedRequest
    status: int
    headers: dict[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    @property
    def name(self) -> str:
        return f"{self.request.method} {self.request.path_url}"


class _Again:
    """A body that was read already, to be read once more."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def read1(self, size: int, decode_content: bool = True) -> bytes:
        piece, self._body = self._body[:size], self._body[size:]
        return piece

    def release_conn(self) -> None:
        """Nothing is held."""

    def close(self) -> None:
        """Nothing is open."""
