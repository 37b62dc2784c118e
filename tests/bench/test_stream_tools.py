"""The tools of the stream benchmark measure what they say, and lose nothing themselves."""

from __future__ import annotations

import math
import os

from hypothesis import given, strategies as st

from bench import processes
from bench.histogram import Histogram


@given(st.lists(st.integers(0, 60_000_000), min_size=1, max_size=200), st.sampled_from([0.5, 0.95, 0.99, 1.0]))
def test_a_percentile_is_right_to_a_thirtieth(values: list[int], share: float):
    exact = sorted(values)[math.ceil(share * len(values)) - 1]
    told = Histogram.of(values).percentile_ms(share) * 1_000

    assert exact <= told + 0.5
    assert told <= exact * (1 + 1 / 32) + 1


def test_an_empty_histogram_tells_nothing():
    assert Histogram().summary() == {"p50_ms": 0, "p95_ms": 0, "p99_ms": 0, "max_ms": 0, "count": 0}


def test_streams_through_the_relay_arrive_whole():
    counted = ("--streams", "4", "--seconds", "0.6", "--warmup", "0.2", "--stream-seconds", "0.1", "--expect", "10")
    with (
        processes.server("bench.upstream", "--chunks", "10", "--gap", "0.01") as upstream,
        processes.server("bench.limits", "--upstream", upstream.address) as relay,
        processes.watching(relay.pid, upstream.pid) as used,
    ):
        report = processes.load(f"http://{relay.address}/v1/chat/completions", *counted)

    assert report["whole"] > 0
    assert (report["lost"], report["refused"], report["failed"]) == (0, 0, 0)
    assert report["first_token"]["count"] > 0
    assert used.memory_mb > 1
    assert used.cpu_us_per(report["chunks"]) >= 0


def test_a_process_is_counted_with_its_children():
    assert os.getpid() in processes.family(os.getpid())
    assert processes.cpu_seconds(os.getpid()) > 0
    assert processes.family(2**22 + 1) == []
