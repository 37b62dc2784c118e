"""Who may ask the sandbox's LiteLLM: its master key `sk-sandbox`, and every key that begins with `sk-sandbox-`."""

from __future__ import annotations

from flask import Response

from tokenboard.sandbox.litellm_shapes import refused
from tokenboard.sandbox.spend_log import key_hash

MASTER_KEY = "sk-sandbox"


def key_problem(key: str) -> Response | None:
    """The proxy's refusal of this key, or None."""
    if not key:
        return refused(401, "Authentication Error, No api key passed in.", "auth_error", param="None")
    if key == MASTER_KEY or key.startswith(f"{MASTER_KEY}-"):
        return None
    words = (
        "Authentication Error, Invalid proxy server token passed. Received API Key = sk-..., Key Hash (Token) ="
        f"{key_hash(key)}. Unable to find token in cache or `LiteLLM_VerificationTokenTable`"
    )
    return refused(401, words, "token_not_found_in_db", param="key")
