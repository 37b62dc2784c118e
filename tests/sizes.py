"""How large those tests are whose proof grows with their size: small in `./run test`, whole in `./run test --whole`."""

from __future__ import annotations

import os

WHOLE = os.environ.get("TEST_SIZE") == "whole"  # `scripts/suite.py` sets it


def sized(small: int, whole: int) -> int:
    """What a test should take for the size of this run."""
    return whole if WHOLE else small
