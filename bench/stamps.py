"""Time stamps inside tokens: written by the upstream, read by the load client, carried by whatever is between them.

A stamp is `T` and nanoseconds of the machine's monotonic clock and `T`: plain letters and digits, so that JSON, HTML
and every merging of pieces leave it whole. Both processes read the same clock (Linux's CLOCK_MONOTONIC).
"""

from __future__ import annotations

import re
import time

STAMP = re.compile(rb"T(\d{10,20})T")
LONGEST_STAMP = 22  # bytes; so much is kept of a read for a stamp that was cut


def stamp() -> bytes:
    return b"T%dT" % time.monotonic_ns()
