"""Where the providers' specs and recorded answers lie: TOKENBOARD_SHARED, else `shared` beside the project."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
SHARED = Path(os.environ.get("TOKENBOARD_SHARED") or ROOT.parent / "shared")

needs_shared = pytest.mark.skipif(
    not SHARED.is_dir(), reason=f"no specs and examples at {SHARED}: set TOKENBOARD_SHARED"
)


def text_of(path: str) -> str:
    return (SHARED / path).read_text()


def example(path: str) -> Any:
    return json.loads(text_of(f"examples/{path}"))
