"""A sign-in provider made of recorded answers: its discovery document, its keys, and whatever token a test wants."""

from __future__ import annotations

import base64
import hmac
import json
from dataclasses import dataclass, field
from typing import Any

import responses
from joserfc import jwt
from joserfc.jwk import RSAKey

from tokenboard.core.clock import now
from tokenboard.providers.oidc_client import OidcClient

ISSUER = "https://issuer.example"
CLIENT_ID, CLIENT_SECRET = "client-1", "a-client-secret-of-some-length-x"
BACK = "http://localhost:8000/login/oidc/callback"
KEY = RSAKey.generate_key(2048, {"kid": "k1", "use": "sig", "alg": "RS256"})
OTHER_KEY = RSAKey.generate_key(2048, {"kid": "k1", "use": "sig", "alg": "RS256"})


def metadata(**changed: Any) -> dict[str, Any]:
    """A discovery document; None takes an entry out."""
    found: dict[str, Any] = {
        "issuer": ISSUER,
        "authorization_endpoint": f"{ISSUER}/authorize",
        "token_endpoint": f"{ISSUER}/token",
        "userinfo_endpoint": f"{ISSUER}/userinfo",
        "jwks_uri": f"{ISSUER}/jwks",
        "end_session_endpoint": f"{ISSUER}/logout",
        "id_token_signing_alg_values_supported": ["RS256"],
    } | changed
    return {name: value for name, value in found.items() if value is not None}


def claims(**changed: Any) -> dict[str, Any]:
    """The claims of a good token for the nonce `n`; None takes one out."""
    instant = int(now().timestamp())
    found: dict[str, Any] = {
        "iss": ISSUER,
        "sub": "subject-1",
        "aud": CLIENT_ID,
        "iat": instant,
        "exp": instant + 300,
        "nonce": "n",
        "email": "zoe@example.com",
        "email_verified": True,
        "name": "Zoe",
        "groups": ["staff"],
    } | changed
    return {name: value for name, value in found.items() if value is not None}


def signed(payload: dict[str, Any], *, key: RSAKey = KEY, kid: str = "k1") -> str:
    """A token as the issuer signs them."""
    return jwt.encode({"alg": "RS256", "kid": kid}, payload, key)


def unsigned(payload: dict[str, Any]) -> str:
    """`alg: none`."""
    return _written({"alg": "none", "kid": "k1"}, payload) + "."


def by_secret(payload: dict[str, Any], secret: str) -> str:
    """HMAC with something a stranger may know; by hand, since libraries refuse to be so careless."""
    head = _written({"alg": "HS256", "kid": "k1"}, payload)
    return f"{head}.{_encoded(hmac.digest(secret.encode(), head.encode(), 'sha256'))}"


def _written(header: dict[str, str], payload: dict[str, Any]) -> str:
    return ".".join(_encoded(json.dumps(part).encode()) for part in (header, payload))


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


@dataclass
class Answers:
    """What the issuer answers in one test."""

    mocked: responses.RequestsMock
    discovery: dict[str, Any] = field(default_factory=metadata)

    def client(self, **changed: Any) -> OidcClient:
        """A client that has never asked, at an issuer that answers discovery and keys."""
        self.mocked.get(f"{ISSUER}/.well-known/openid-configuration", json=self.discovery | changed)
        self.mocked.get(f"{ISSUER}/jwks", json={"keys": [KEY.as_dict(private=False)]})
        return self.new_client()

    @staticmethod
    def new_client(secret: str = CLIENT_SECRET) -> OidcClient:
        return OidcClient(
            discovery_url=f"{ISSUER}/.well-known/openid-configuration",
            client_id=CLIENT_ID,
            client_secret=secret,
            groups_claim="groups",
        )

    def gives(self, id_token: str | None, **more: Any) -> None:
        """The token endpoint's answer."""
        token = {"access_token": "at", "token_type": "Bearer"} | ({"id_token": id_token} if id_token else {}) | more
        self.mocked.post(f"{ISSUER}/token", json=token)
