"""Secrets at rest and in flight: sealing, fingerprints, tokens, constant-time comparison.

Laws: AES-256-GCM with a fresh 96-bit nonce for every sealing and the row's own address as associated data, so that a
ciphertext moved to another row does not open; key ids in the text, the first key writes and every key reads; what only
needs recognising (tokens, session ids) is stored as a hash; comparisons are of bytes and in constant time.
Source: reference/security.md 3.1 (AES-256-GCM, HMAC compare), read 2026-11-20.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_VERSION = "v1"
_NONCE_BYTES = 12
_KEY_BYTES = 32


class CannotUnseal(Exception):
    """The ciphertext is damaged, belongs to another row, or its key is no longer configured."""


@dataclass(frozen=True, slots=True)
class KeyRing:
    """Encryption keys by id; the first one writes. `repr` shows ids only."""

    keys: dict[str, bytes]

    def __repr__(self) -> str:
        return f"KeyRing({', '.join(self.keys)})"

    @property
    def writing_key_id(self) -> str:
        return next(iter(self.keys))

    def seal(self, secret: str, *, context: str) -> str:
        """Encrypt for one place: `context` names the row and must be given again to open it."""
        key_id = self.writing_key_id
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = AESGCM(self.keys[key_id]).encrypt(nonce, secret.encode(), context.encode())
        return ".".join((_VERSION, key_id, _encode(nonce), _encode(sealed)))

    def unseal(self, text: str, *, context: str) -> str:
        """Decrypt. Raises: CannotUnseal."""
        try:
            version, key_id, nonce, sealed = text.split(".")
            if version != _VERSION:
                raise CannotUnseal("unknown version")
            return AESGCM(self.keys[key_id]).decrypt(_decode(nonce), _decode(sealed), context.encode()).decode()
        except (ValueError, KeyError, InvalidTag, binascii.Error) as error:
            raise CannotUnseal("this secret does not open here") from error

    def is_current(self, text: str) -> bool:
        """Whether the text was sealed with the key that writes now."""
        return text.split(".")[1:2] == [self.writing_key_id]


def parse_key_ring(text: str) -> KeyRing:
    """Read `id:base64,id:base64` (or one bare base64 key, whose id is then `k1`). Raises: ValueError."""
    keys: dict[str, bytes] = {}
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        key_id, _, encoded = part.rpartition(":")
        key_id = key_id or "k1"
        if not key_id.isalnum() or key_id in keys:
            raise ValueError("every key needs its own id of letters and digits")
        keys[key_id] = _key_bytes(encoded)
    if not keys:
        raise ValueError("at least one key is needed")
    return KeyRing(keys)


def _key_bytes(encoded: str) -> bytes:
    try:
        key = base64.b64decode(encoded, validate=True)
    except binascii.Error as error:
        raise ValueError("a key is base64") from error
    if len(key) != _KEY_BYTES:
        raise ValueError("a key is 32 bytes (make one with: openssl rand -base64 32)")
    return key


def new_token() -> str:
    """A 256-bit random token, URL-safe."""
    return secrets.token_urlsafe(32)


def token_hash(token: str) -> str:
    """How a random token is stored: SHA-256 in hex. Fit for 256-bit random values only, never for passwords."""
    return hashlib.sha256(token.encode()).hexdigest()


def fingerprint(secret: str, *, key: str) -> str:
    """A keyed fingerprint, to recognise a secret again without keeping it."""
    return hmac.new(key.encode(), secret.encode(), hashlib.sha256).hexdigest()


def same_secret(given: str, expected: str) -> bool:
    """Compare in constant time. False whenever `expected` is empty: an unset secret matches nothing."""
    return bool(expected) and hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode())


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _decode(text: str) -> bytes:
    """Strictly: the decoder skips odd characters and spare bits, so several texts would be one. Raises: ValueError."""
    raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if _encode(raw) != text:
        raise ValueError("not as it was encoded")
    return raw
