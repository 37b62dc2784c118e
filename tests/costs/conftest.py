"""What the tests of costs share."""

from tests.costs.counting import count_queries as count_queries
from tests.costs.syncing import (
    outside as outside,
    sqlite_outside as sqlite_outside,
    sqlite_syncing as sqlite_syncing,
    syncing as syncing,
)
