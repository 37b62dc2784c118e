"""The largest organization planned for: 180 days, 40 projects, 10 line items."""

from __future__ import annotations

import json
import time
from decimal import Decimal

from tokenboard.providers import openai_answers

DAYS, PROJECTS, LINE_ITEMS = 180, 40, 10


def _pages() -> list[str]:
    rows = ", ".join(
        f'{{"object": "organization.costs.result", "organization_id": "org-x",'
        f' "amount": {{"value": 0.{project}{item}195744715549047, "currency": "usd"}},'
        f' "line_item": "gpt-5.2-variant-{item}, input", "project_id": "proj_{project}", "api_key_id": "key_{project}",'
        f' "quantity": {project * 1000 + item}, "quantity_unit": "tokens"}}'
        for project in range(PROJECTS)
        for item in range(LINE_ITEMS)
    )
    buckets = [f'{{"start_time": {1793491200 + 86_400 * day}, "results": [{rows}]}}' for day in range(DAYS)]
    return [f'{{"data": [{", ".join(buckets[first : first + 31])}]}}' for first in range(0, DAYS, 31)]


def test_seventy_two_thousand_rows_are_read_in_seconds_not_minutes():
    pages = _pages()
    begun = time.process_time()
    rows = [
        row
        for page in pages
        for found in openai_answers.cost_days(json.loads(page, parse_float=Decimal))
        for row in found.rows
    ]
    spent_seconds = time.process_time() - begun
    assert len(rows) == DAYS * PROJECTS * LINE_ITEMS
    # 0.6 s on 2 cores on 2026-11-20; the bound leaves room for a busy machine and still catches a quadratic step.
    assert spent_seconds < 4, f"{spent_seconds:.2f} s"
