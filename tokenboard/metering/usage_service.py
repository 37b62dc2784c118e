"""The one door of usage records, also for a single one: insert what is new and add it to both roll-ups.

Laws: the roll-ups are fed by what the INSERT really inserted, so a record that comes twice counts once; records, and
then the rows of each roll-up, are written in the order of their keys, so that batches never wait in a circle.
Nothing here commits. Measured ways: reference/performance.md, 4.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter

from tokenboard.core.db import is_postgresql
from tokenboard.metering import usage_bulk, usage_writing
from tokenboard.metering.errors import TooManyRecords
from tokenboard.metering.facts import Ingested, UsageFact

LARGEST_BATCH = 5_000
# From here on COPY into a temporary table pays for itself.
_BULK_FROM = 50


def ingest(*, records: Sequence[UsageFact]) -> Ingested:
    """Keep these records and count them, each once whatever comes twice.

    Idempotent: by `dedupe_key`. Raises: TooManyRecords past 5,000 at once.
    """
    if len(records) > LARGEST_BATCH:
        raise TooManyRecords(LARGEST_BATCH)
    ordered = sorted(records, key=attrgetter("dedupe_key"))
    if is_postgresql() and len(records) >= _BULK_FROM:
        fresh = usage_bulk.write(ordered)
    else:
        new = usage_writing.insert_records(ordered)
        usage_writing.add_to_rollups(new)
        fresh = frozenset(record.dedupe_key for record in new)
    return Ingested(fresh, len(records) - len(fresh))
