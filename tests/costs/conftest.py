"""What the tests of costs share."""

from tests.costs.counting import count_queries as count_queries
from tests.costs.syncing import outside as outside, syncing as syncing
