"""The one door through which providers are called.

Laws: every call has time-outs, a deadline, bounded retries that honour `Retry-After`, a cap on the answer's size, and
one redacted log line per attempt. No redirects are followed (a redirect could carry the key elsewhere), no proxies,
netrc or certificates are taken from the environment, no cookies are kept. Numbers with a fraction arrive as
`Decimal`; NaN and Infinity are refused. The key travels in a header and appears in no URL, message, repr or log line.
"""

from __future__ import annotations

import json
import logging
import random
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal, InvalidOperation
from http.cookiejar import DefaultCookiePolicy
from typing import NoReturn
from urllib.parse import urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter

from tokenboard.core import clock
from tokenboard.providers.errors import (
    AnswerTooLarge,
    BadAnswer,
    KeyRefused,
    NotAvailable,
    ProviderError,
    ProviderTimeout,
    ProviderUnavailable,
    Upstream,
)
from tokenboard.providers.refusals import refusal

log = logging.getLogger(__name__)

_CHUNK_BYTES = 65_536
_REFUSAL_BYTES_MAX = 65_536
_KEY_SHAPE = re.compile(r"[\x21-\x7e]{1,512}")


@dataclass(frozen=True, slots=True)
class Patience:
    """How long and how often to try."""

    connect_seconds: float = 5
    read_seconds: float = 30  # between two bytes
    answer_seconds: float = 120  # from the first byte sent to the last received: stops an answer that only trickles
    attempts: int = 5
    backoff_seconds: float = 1
    wait_max_seconds: int = 60  # a longer Retry-After ends the call at once instead of being cut short
    answer_bytes_max: int = 32 * 1024 * 1024


PATIENT = Patience()
# For a person who waits in front of the page: two tries, no long pause.
HURRIED = Patience(
    read_seconds=10,
    answer_seconds=15,
    attempts=2,
    backoff_seconds=0.3,
    wait_max_seconds=2,
)


@dataclass(frozen=True, slots=True)
class Call:
    """One GET at a provider. `secret` is what must never be repeated, `headers` carry it."""

    upstream: Upstream
    url: str
    headers: Mapping[str, str] = field(repr=False)
    secret: str = field(repr=False)
    params: tuple[tuple[str, str], ...] = ()


class Http:
    """Calls providers. One instance serves the whole process; it holds no key."""

    def __init__(
        self,
        *,
        patience: Patience = PATIENT,
        sleep: Callable[[float], None] | None = None,
        jitter: Callable[[], float] = random.random,
        session: requests.Session | None = None,
    ) -> None:
        self._patience = patience
        # Looked up here and not in the signature: by now gevent, where it is used, has put its own sleep in place.
        self._sleep = sleep or time.sleep
        self._jitter = jitter
        self._session = session or new_session()

    def with_patience(self, patience: Patience) -> Http:
        """The same connections with other limits."""
        return Http(
            patience=patience,
            sleep=self._sleep,
            jitter=self._jitter,
            session=self._session,
        )

    def hurried(self) -> Http:
        """The same connections for a person who waits; keeps the size cap."""
        cap = self._patience.answer_bytes_max
        return self.with_patience(replace(HURRIED, answer_bytes_max=cap))

    def close(self) -> None:
        self._session.close()

    def get_json(self, call: Call) -> dict[str, object]:
        """The JSON object at this address. Raises: ProviderError."""
        if not _KEY_SHAPE.fullmatch(call.secret):
            raise KeyRefused(call.upstream, detail="the key holds characters no key has")
        for attempt in range(1, self._patience.attempts + 1):
            try:
                return self._attempt(call, attempt)
            except ProviderError as error:
                if not error.is_transient or attempt == self._patience.attempts:
                    raise
                self._pause(error, attempt)
        raise AssertionError("the last attempt returns or raises")

    def _pause(self, error: ProviderError, attempt: int) -> None:
        asked = error.retry_after_seconds
        if asked is not None and asked > self._patience.wait_max_seconds:
            raise error
        backoff = self._patience.backoff_seconds * 2 ** (attempt - 1) * (0.5 + self._jitter())
        # Jitter is added to, never taken from, what the provider asked for.
        self._sleep(backoff if asked is None else asked + self._jitter())

    def _attempt(self, call: Call, attempt: int) -> dict[str, object]:
        begun = clock.monotonic()
        status: int | None = None
        failure: ProviderError | None = None
        size_bytes = 0
        try:
            with self._open(call) as response:
                status = response.status_code
                body = self._body(call, response, begun)
                size_bytes = len(body)
                return _read(call, response, body)
        except ProviderError as error:
            failure = error
            raise
        finally:
            _record(call, attempt, status, size_bytes, clock.monotonic() - begun, failure)

    def _open(self, call: Call) -> requests.Response:
        limits = self._patience
        try:
            return self._session.get(
                call.url,
                params=call.params,
                headers=call.headers,
                timeout=(limits.connect_seconds, limits.read_seconds),
                allow_redirects=False,
                stream=True,
            )
        except requests.Timeout as error:
            raise ProviderTimeout(call.upstream, detail="no answer in time") from error
        except requests.ConnectionError as error:
            raise ProviderUnavailable(call.upstream, detail="no connection") from error
        except (requests.RequestException, UnicodeError) as error:
            raise NotAvailable(call.upstream, detail="the configured address is no address") from error

    def _body(self, call: Call, response: requests.Response, begun: float) -> bytes:
        """The whole answer, or an error: never a part of it. A refusal's text is only read as far as it is kept."""
        is_refusal = response.status_code >= 400
        chunks: list[bytes] = []
        size_bytes = 0
        while chunk := _next_chunk(call, response):
            chunks.append(chunk)
            size_bytes += len(chunk)
            if is_refusal and size_bytes >= _REFUSAL_BYTES_MAX:
                break
            if size_bytes > self._patience.answer_bytes_max:
                raise AnswerTooLarge(
                    call.upstream,
                    status=response.status_code,
                    detail="the answer is too large",
                )
            if clock.monotonic() - begun > self._patience.answer_seconds:
                raise ProviderTimeout(
                    call.upstream,
                    status=response.status_code,
                    detail="the answer only trickles",
                )
        return b"".join(chunks)


def _next_chunk(call: Call, response: requests.Response) -> bytes:
    # read1 returns what has arrived; read(n) would wait for n bytes and let a trickle outlive the deadline.
    try:
        chunk: bytes | None = response.raw.read1(_CHUNK_BYTES, decode_content=True)
    except urllib3.exceptions.ReadTimeoutError as error:
        raise ProviderTimeout(call.upstream, status=response.status_code, detail="the answer stopped") from error
    except (urllib3.exceptions.HTTPError, OSError) as error:
        raise BadAnswer(call.upstream, status=response.status_code, detail="the answer broke off") from error
    return chunk or b""


def _read(call: Call, response: requests.Response, body: bytes) -> dict[str, object]:
    status = response.status_code
    if status >= 400:
        raise refusal(call.upstream, status, response.headers, body, call.secret)
    if status != 200:
        raise BadAnswer(
            call.upstream,
            status=status,
            detail=f"status {status} where 200 was expected",
        )
    kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise BadAnswer(
            call.upstream,
            status=status,
            detail="the answer is not JSON by its content type",
        )
    try:
        answer = json.loads(body, parse_float=Decimal, parse_constant=_refuse_constant)
    except (ValueError, RecursionError, InvalidOperation) as error:
        raise BadAnswer(call.upstream, status=status, detail="the answer is not readable JSON") from error
    if not isinstance(answer, dict):
        raise BadAnswer(call.upstream, status=status, detail="the answer is not a JSON object")
    return answer


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")


def new_session() -> requests.Session:
    """Connections that take nothing from the environment and keep nothing between calls."""
    session = requests.Session()
    session.trust_env = False
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    session.headers.update({"Accept": "application/json", "User-Agent": "TokenBoard"})
    # Retries are ours: urllib3's would neither be logged nor know what a bad answer is.
    for scheme in ("https://", "http://"):
        session.mount(scheme, HTTPAdapter(max_retries=0, pool_connections=16, pool_maxsize=16))
    return session


def _record(
    call: Call,
    attempt: int,
    status: int | None,
    size_bytes: int,
    seconds: float,
    failure: ProviderError | None,
) -> None:
    address = urlsplit(call.url)
    facts = {
        "provider": call.upstream.slug,
        "host": address.hostname,
        "path": address.path,  # without the query: cursors are long and say nothing
        "attempt": attempt,
        "status": status,
        "size_bytes": size_bytes,
        "duration_ms": round(seconds * 1000),
        "failure": type(failure).__name__ if failure else None,
        "detail": failure.detail if failure else None,
    }
    log.log(logging.WARNING if failure else logging.INFO, "provider call", extra=facts)


def clean_base_url(url: str) -> str:
    """A configured base URL without its trailing slash. Raises: ValueError for anything but plain http(s)://host[:port]/path.

    Refused because parsers disagree about them: user info, backslashes, white space, queries and fragments.
    """
    if not url.isascii() or re.search(r"[\\\s@?#]", url):
        raise ValueError("a base URL is http(s)://host/path, without user, query or fragment")
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or (parts.port is not None and parts.port < 1):
        raise ValueError("a base URL begins with http:// or https:// and a host")
    return url.rstrip("/")
