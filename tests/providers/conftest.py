"""Provider tests ask a sandbox of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import datetime

import pytest
import time_machine

from tests.providers.raw_upstream import chat_client, upstream
from tests.providers.stand_in import served, stand_in
from tests.providers.till import official, shop, till

__all__ = ["chat_client", "official", "served", "shop", "stand_in", "till", "upstream"]


@pytest.fixture
def set_clock() -> Iterator[Callable[[datetime], None]]:
    """Stop TokenBoard's clock at an instant until the test ends."""
    with ExitStack() as stack:

        def stop(instant: datetime) -> None:
            stack.enter_context(time_machine.travel(instant, tick=False))

        yield stop
