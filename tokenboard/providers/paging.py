"""Follows a provider's cursors to the end, and never further; reads whole pages or nothing.

Laws: `has_more` without a cursor, a cursor seen before, and more pages than any honest answer has are each a
BadAnswer. Without the guards a faulty provider keeps a sync running for ever (steipete/CodexBar has tests for all
three). A day that comes twice is one too: the caller replaces a day by what it gets, so the second bucket would
silently drop the first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from typing import TypeVar

from tokenboard.providers.costs import CostDay, UsageDay
from tokenboard.providers.errors import BadAnswer, Upstream
from tokenboard.providers.reading import Unreadable

# 180 days at one day a page, with room; at 100 names a page it holds 50,000 of them.
PAGES_MAX = 500

Page = dict[str, object]
Params = list[tuple[str, str]]
Row = TypeVar("Row")
Day = TypeVar("Day", CostDay, UsageDay)


def follow(
    upstream: Upstream,
    fetch: Callable[[Params], Page],
    params: Params,
    *,
    sent_as: str,
    found_in: str,
    pages_max: int = PAGES_MAX,
) -> Iterator[Page]:
    """Every page, first to last; the cursor is read from `found_in` and sent as `sent_as`.

    Raises: BadAnswer at the first broken cursor; the pages before it were already given.
    """
    cursor: str | None = None
    seen: set[str] = set()
    for _ in range(pages_max):
        page = fetch(params if cursor is None else [*params, (sent_as, cursor)])
        yield page
        if not page.get("has_more"):
            return
        cursor = _cursor(upstream, page, found_in)
        if cursor in seen:
            raise BadAnswer(upstream, status=200, detail="the same page cursor came twice")
        seen.add(cursor)
    raise BadAnswer(upstream, status=200, detail=f"more than {pages_max} pages")


def _cursor(upstream: Upstream, page: Page, found_in: str) -> str:
    cursor = page.get(found_in)
    if not isinstance(cursor, str) or not cursor:
        raise BadAnswer(
            upstream,
            status=200,
            detail="more pages are promised but no cursor to them is given",
        )
    return cursor


def rows_of(upstream: Upstream, pages: Iterator[Page], read: Callable[[Page], Iterator[Row]]) -> Iterator[Row]:
    """What `read` finds on each page, a whole page at a time. Raises: BadAnswer for a page it cannot read."""
    for page in pages:
        yield from _whole(upstream, page, read)


def _whole(upstream: Upstream, page: Page, read: Callable[[Page], Iterator[Row]]) -> tuple[Row, ...]:
    try:
        return tuple(read(page))
    except Unreadable as error:
        raise BadAnswer(upstream, status=200, detail=str(error)) from error


def days_of(upstream: Upstream, pages: Iterator[Page], read: Callable[[Page], Iterator[Day]]) -> Iterator[Day]:
    """The same for days, each of which may come once. Raises: BadAnswer, before any day of the page at fault."""
    seen: set[date] = set()
    for page in pages:
        found = _whole(upstream, page, read)
        for one in found:
            if one.day in seen:
                raise BadAnswer(upstream, status=200, detail=f"{one.day} came twice")
            seen.add(one.day)
        yield from found
