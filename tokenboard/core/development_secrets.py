"""Secrets for development, made once and kept in `instance/secrets.json` (0600), so that sessions and sealed keys
survive a restart. Never used in production.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
from pathlib import Path


def development_secrets(instance: Path) -> dict[str, str]:
    """The generated secrets by settings attribute; made on the first call.

    Web and worker may start at the same moment: whoever links the file first wins, the other reads it.
    """
    path = instance / "secrets.json"
    if not path.exists():
        _write_once(path)
    kept: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    return kept


def _write_once(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    draft.touch(mode=0o600)
    draft.write_text(json.dumps(_fresh(), indent=1), encoding="utf-8")
    try:
        os.link(draft, path)
    except FileExistsError:
        pass  # another process was first: its secrets are the ones
    finally:
        draft.unlink()


def _fresh() -> dict[str, str]:
    return {
        "secret_key": secrets.token_urlsafe(48),
        "jwt_secret": secrets.token_urlsafe(48),
        "password_pepper": secrets.token_urlsafe(48),
        "encryption_keys": "k1:" + base64.b64encode(secrets.token_bytes(32)).decode(),
        "cron_secret": secrets.token_urlsafe(48),
    }
