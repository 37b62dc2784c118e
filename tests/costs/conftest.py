"""What the tests of costs share."""

from tests.costs.syncing import syncing as syncing
