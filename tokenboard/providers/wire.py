"""One request to a provider that we also write to, and its answer as bytes.

Laws: time-outs, a deadline and a cap on the answer; no redirects, no proxies or certificates from the environment, no
cookies; one log line per attempt without headers, bodies or query. Nothing is retried here: whoever calls knows
whether asking again is harmless.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol, Self
from urllib.parse import urlsplit

import requests
import urllib3

from tokenboard.core import clock
from tokenboard.providers.http import new_session

log = logging.getLogger(__name__)

_CHUNK_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class Limits:
    """How long to wait, and for how much. Below Heroku's 30 s even with one retry."""

    connect_seconds: float = 3.05
    read_seconds: float = 10  # between two bytes
    answer_seconds: float = 20  # for the whole answer
    answer_bytes_max: int = 8 * 1024 * 1024  # a page of 100 invoices is about 1 MB


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back, whatever its status."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


class Fault(Protocol):
    """How a failure of the line becomes the provider's own kind of error."""

    def __call__(self, provider: str, *, status: int | None = None, detail: str = "") -> Exception: ...


@dataclass(frozen=True, slots=True)
class Faults:
    """The errors a wire raises, of its providers' own tree. `base` is what all of them are."""

    base: type[Exception]
    timed_out: Fault
    unavailable: Fault
    bad_answer: Fault


class Wire:
    """Carries requests to providers of one kind. One serves the whole process; it holds no key."""

    faults: Faults
    log_name = "provider call"

    def __init__(self, limits: Limits | None = None, session: requests.Session | None = None) -> None:
        self._limits = limits or Limits()
        self._session = session or new_session()

    def with_limits(self, **changed: float) -> Self:
        """The same connections with other limits."""
        return type(self)(replace(self._limits, **changed), self._session)  # type: ignore[arg-type]

    def close(self) -> None:
        self._session.close()

    def send(
        self, provider: str, method: str, url: str, headers: Mapping[str, str], body: bytes | str | None = None
    ) -> Reply:
        """The answer, whatever its status. Raises: the wire's `faults`: timed_out, unavailable, bad_answer."""
        begun = clock.monotonic()
        reply: Reply | None = None
        failure: Exception | None = None
        try:
            reply = self._exchanged(provider, method, url, headers, body, begun)
            return reply
        except self.faults.base as error:
            failure = error
            raise
        finally:
            self._record(provider, method, url, reply, failure, clock.monotonic() - begun)

    def _exchanged(
        self,
        provider: str,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes | str | None,
        begun: float,
    ) -> Reply:
        limits = self._limits
        try:
            answer = self._session.request(
                method,
                url,
                headers=dict(headers),
                data=body,
                timeout=(limits.connect_seconds, limits.read_seconds),
                allow_redirects=False,
                stream=True,
            )
        except requests.Timeout as error:
            raise self.faults.timed_out(provider, detail="no answer in time") from error
        except (requests.RequestException, UnicodeError) as error:
            raise self.faults.unavailable(provider, detail="no connection") from error
        with answer:
            return Reply(answer.status_code, answer.headers, self._read(provider, answer, begun))

    def _read(self, provider: str, answer: requests.Response, begun: float) -> bytes:
        chunks: list[bytes] = []
        size_bytes = 0
        while chunk := self._next_chunk(provider, answer):
            chunks.append(chunk)
            size_bytes += len(chunk)
            if size_bytes > self._limits.answer_bytes_max:
                raise self.faults.bad_answer(provider, status=answer.status_code, detail="the answer is too large")
            if clock.monotonic() - begun > self._limits.answer_seconds:
                raise self.faults.timed_out(provider, status=answer.status_code, detail="the answer only trickles")
        return b"".join(chunks)

    def _next_chunk(self, provider: str, answer: requests.Response) -> bytes:
        # read1 returns what has arrived; read(n) would wait for n bytes and let a trickle outlive the deadline.
        try:
            chunk: bytes | None = answer.raw.read1(_CHUNK_BYTES, decode_content=True)
        except urllib3.exceptions.ReadTimeoutError as error:
            raise self.faults.timed_out(provider, status=answer.status_code, detail="the answer stopped") from error
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise self.faults.bad_answer(provider, status=answer.status_code, detail="the answer broke off") from error
        return chunk or b""

    def _record(
        self, provider: str, method: str, url: str, reply: Reply | None, failure: Exception | None, seconds: float
    ) -> None:
        address = urlsplit(url)
        facts = {
            "provider": provider,
            "method": method.upper(),
            "host": address.hostname,
            "path": address.path,
            "status": reply.status if reply else None,
            "provider_request_id": reply.headers.get("Request-Id") if reply else None,
            "duration_ms": round(seconds * 1000),
            "failure": type(failure).__name__ if failure else None,
        }
        is_bad = failure is not None or (reply is not None and reply.status >= 400)
        log.log(logging.WARNING if is_bad else logging.INFO, self.log_name, extra=facts)
