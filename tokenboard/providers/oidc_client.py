"""The sign-in provider: any OpenID Connect issuer, by its discovery document. Authlib speaks, this file decides.

Laws: code flow with PKCE (S256), state and nonce; an answer without a checked id_token is no answer; the signature is
asymmetric and by the issuer's published keys, never by what the token itself names; issuer, audience, expiry and nonce
are required and compared; every call has a time-out and a size cap, follows no redirect and takes nothing from the
environment. Whatever goes wrong is one fact, `OidcFailed`, which names the class for the log and tells no secret.
Sources: OpenID Connect Core 1.0 and Discovery 1.0; reference/oidc.md C2 (Authlib's exceptions and gaps), 2026-11.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import urlsplit

import requests
from authlib.common.errors import AuthlibBaseError
from authlib.common.security import generate_token
from authlib.common.urls import add_params_to_uri
from authlib.integrations.requests_client import OAuth2Session
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry
from requests.adapters import HTTPAdapter

from tokenboard.core import clock

log = logging.getLogger(__name__)
T = TypeVar("T")

TIMEOUT_SECONDS = 5
LEEWAY_SECONDS = 60  # between the issuer's clock and ours
METADATA_SECONDS = 3_600
KEYS_SECONDS = 60  # an unknown key id makes us look again, not more often than this
ANSWER_BYTES_MAX = 1024 * 1024
SCOPE = "openid email profile"
# None of these can be made from what a client knows: no `none`, no HMAC with the client's secret.
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519")
_SUFFIX = "/.well-known/openid-configuration"
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}
_TROUBLE = (AuthlibBaseError, JoseError, requests.RequestException, ValueError, KeyError, RuntimeError, TypeError)


class OidcFailed(Exception):
    """The sign-in did not come about. `kind` is the class of what went wrong, for the log and nobody else."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


@dataclass(frozen=True, slots=True)
class Attempt:
    """A sign-in that has begun: where to send the browser, and what its answer must match."""

    url: str
    state: str
    nonce: str
    verifier: str


@dataclass(frozen=True, slots=True)
class Claims:
    """What the issuer says of who came back. `email_verified` is true only when it said exactly that."""

    issuer: str
    subject: str
    email: str
    email_verified: bool
    name: str
    groups: frozenset[str]
    has_second_factor: bool
    authenticated_at: int | None
    id_token: str = field(repr=False)


class OidcClient:
    """One client at one issuer. Safe to share: what it keeps is the issuer's public metadata."""

    def __init__(self, *, discovery_url: str, client_id: str, client_secret: str, groups_claim: str) -> None:
        self._discovery_url = discovery_url
        self._client_id = client_id
        self._client_secret = client_secret
        self._groups_claim = groups_claim
        self._metadata: tuple[float, dict[str, Any]] | None = None
        self._keys: tuple[float, KeySet] | None = None

    def begin(self, *, redirect_uri: str, asks_again: bool = False) -> Attempt:
        """A fresh sign-in; `asks_again`: also of who is signed in there. Raises: OidcFailed."""
        return _guarded("begin", lambda: self._begin(redirect_uri, asks_again))

    def finish(self, *, redirect_uri: str, code: str, verifier: str, nonce: str) -> Claims:
        """Who came back, with the code they brought. Raises: OidcFailed."""
        return _guarded("finish", lambda: self._finish(redirect_uri, code, verifier, nonce))

    def sign_out_url(self, *, id_token: str, back_to: str) -> str | None:
        """Where a browser signs out there too; None when the issuer has no such place. Raises: OidcFailed."""
        metadata = _guarded("sign_out", self._discovered)
        address = metadata.get("end_session_endpoint")
        if not isinstance(address, str) or not _is_fit(address):
            return None
        hint = {"id_token_hint": id_token} if id_token else {}
        wanted = hint | {"post_logout_redirect_uri": back_to, "client_id": self._client_id}
        return str(add_params_to_uri(address, wanted))

    def _begin(self, redirect_uri: str, asks_again: bool) -> Attempt:
        nonce, verifier = generate_token(32), generate_token(48)
        again = {"prompt": "login", "max_age": "0"} if asks_again else {}
        with self._session(redirect_uri) as session:
            url, state = session.create_authorization_url(
                self._endpoint("authorization_endpoint"), nonce=nonce, code_verifier=verifier, **again
            )
        return Attempt(url, state, nonce, verifier)

    def _finish(self, redirect_uri: str, code: str, verifier: str, nonce: str) -> Claims:
        with self._session(redirect_uri) as session:
            token = session.fetch_token(
                self._endpoint("token_endpoint"),
                grant_type="authorization_code",
                code=code,
                code_verifier=verifier,
                allow_redirects=False,
            )
            id_token = token["id_token"]  # without one nothing is proven
            claims = self._checked(id_token, nonce, token.get("access_token", ""))
            told = self._completed(session, claims, token)
        return self._as_claims(claims, told, id_token)

    def _checked(self, id_token: str, nonce: str, access_token: str) -> dict[str, Any]:
        """The claims of a token whose signature, issuer, audience, time and nonce are right."""
        try:
            token = self._decoded(id_token, self._key_set())
        except InvalidKeyIdError:
            token = self._decoded(id_token, self._key_set(is_stale=True))
        must_be: Any = {
            "iss": {"essential": True, "value": self._discovered()["issuer"]},
            "aud": {"essential": True, "value": self._client_id},
            "nonce": {"essential": True, "value": nonce},
            "sub": {"essential": True},
        }
        params = {"nonce": nonce, "client_id": self._client_id, "access_token": access_token}
        claims = CodeIDToken(token.claims, token.header, must_be, params)
        claims.validate(now=int(clock.now().timestamp()), leeway=LEEWAY_SECONDS)
        if not isinstance(claims["sub"], str) or not 0 < len(claims["sub"]) <= 255:
            raise ValueError("a subject is a text of at most 255 characters")
        return dict(claims)

    def _decoded(self, id_token: str, key_set: KeySet) -> jwt.Token:
        offered = self._discovered().get("id_token_signing_alg_values_supported") or ["RS256"]
        allowed = [one for one in ALGORITHMS if one in offered]
        return jwt.decode(id_token, key_set, registry=JWSRegistry(algorithms=allowed, strict_check_header=False))

    def _completed(self, session: OAuth2Session, claims: dict[str, Any], token: Mapping[str, Any]) -> dict[str, Any]:
        """The issuer's further words: strict ones give e-mail, name and groups at userinfo only."""
        address = self._discovered().get("userinfo_endpoint")
        if not isinstance(address, str) or not _is_fit(address) or not token.get("access_token"):
            return {}
        if claims.get("email") and self._groups_claim in claims:
            return {}
        answer = session.get(address, allow_redirects=False)
        told = _object(answer)
        if told.get("sub") != claims["sub"]:
            raise ValueError("userinfo speaks of somebody else")
        return told

    def _as_claims(self, claims: dict[str, Any], told: dict[str, Any], id_token: str) -> Claims:
        source = claims if claims.get("email") else told  # an address and its verification come from one place
        methods = claims.get("amr")
        moment = claims.get("auth_time")
        return Claims(
            issuer=str(claims["iss"]),
            subject=claims["sub"],
            email=_text(source.get("email")),
            email_verified=source.get("email_verified") is True,
            name=_text(claims.get("name") or told.get("name")),
            groups=_groups(claims.get(self._groups_claim, told.get(self._groups_claim))),
            has_second_factor=isinstance(methods, list) and "mfa" in methods,
            authenticated_at=moment if isinstance(moment, int) and not isinstance(moment, bool) else None,
            id_token=id_token,
        )

    def _session(self, redirect_uri: str) -> OAuth2Session:
        session = OAuth2Session(
            self._client_id,
            self._client_secret or None,
            token_endpoint_auth_method=self._auth_method(),
            scope=SCOPE,
            redirect_uri=redirect_uri,
            code_challenge_method="S256",
            default_timeout=TIMEOUT_SECONDS,
        )
        _harden(session)
        return session

    def _auth_method(self) -> str:
        offered = self._discovered().get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        if not self._client_secret:
            return "none"
        return "client_secret_basic" if "client_secret_basic" in offered else "client_secret_post"

    def _discovered(self) -> dict[str, Any]:
        """The discovery document, kept for an hour."""
        if self._metadata is None or clock.monotonic() - self._metadata[0] > METADATA_SECONDS:
            self._metadata = (clock.monotonic(), self._discover())
        return self._metadata[1]

    def _discover(self) -> dict[str, Any]:
        found = _get(self._discovery_url)
        expected = self._discovery_url.removesuffix(_SUFFIX)
        issuer = found["issuer"]
        if self._discovery_url.endswith(_SUFFIX) and str(issuer).rstrip("/") != expected.rstrip("/"):
            raise ValueError("the discovery document speaks for another issuer")
        return found

    def _endpoint(self, name: str) -> str:
        address = self._discovered()[name]
        if not isinstance(address, str) or not _is_fit(address):
            raise ValueError(f"{name} is no https address")
        return address

    def _key_set(self, *, is_stale: bool = False) -> KeySet:
        kept = self._keys
        too_soon = kept is not None and clock.monotonic() - kept[0] < KEYS_SECONDS
        if kept is None or (is_stale and not too_soon):
            kept = (clock.monotonic(), KeySet.import_key_set(_get(self._endpoint("jwks_uri"))))  # type: ignore[arg-type]
            self._keys = kept
        return kept[1]


def _guarded(step: str, work: Callable[[], T]) -> T:
    try:
        return work()
    except _TROUBLE as error:
        log.warning("oidc_failed", extra={"step": step, "error": type(error).__name__})
        raise OidcFailed(type(error).__name__) from error


def _harden(session: requests.Session) -> None:
    """Takes nothing from the environment, retries nothing, reads no answer without end."""
    session.trust_env = False
    session.headers.update({"Accept": "application/json", "User-Agent": "TokenBoard"})
    for scheme in ("https://", "http://"):
        session.mount(scheme, HTTPAdapter(max_retries=0))
    session.hooks["response"].append(_capped)


def _capped(answer: requests.Response, *_: object, **__: object) -> None:
    """Read the body here, up to the cap; what asks for it later finds it read."""
    body = answer.raw.read(ANSWER_BYTES_MAX + 1, decode_content=True)
    if len(body) > ANSWER_BYTES_MAX:
        raise ValueError("the answer is too large")
    answer._content = body
    answer._content_consumed = True  # type: ignore[attr-defined]  # how requests itself marks a body as read


def _get(address: str) -> dict[str, Any]:
    with requests.Session() as session:
        _harden(session)
        return _object(session.get(address, timeout=TIMEOUT_SECONDS, allow_redirects=False))


def _object(answer: requests.Response) -> dict[str, Any]:
    answer.raise_for_status()
    found = answer.json(parse_float=str)
    if answer.status_code != 200 or not isinstance(found, dict):
        raise ValueError("the answer is not a JSON object")
    return found


def _is_fit(address: str) -> bool:
    """https, or this machine itself."""
    parts = urlsplit(address)
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _groups(value: object) -> frozenset[str]:
    """A list of names, or one name."""
    listed = value if isinstance(value, list) else [value]
    return frozenset(one for one in listed if isinstance(one, str) and one)
