"""`/v1`: what the gateway adds to a request and to a chunk, beside asking the provider directly and beside LiteLLM.

Programs with a virtual key stream answers of 50 chunks and of one (a request with hardly an answer), eight at a time:
one key may ask 600 times a minute. Limit: the bare relay of `bench/limits.py`. Peer: the LiteLLM proxy that
BENCH_LITELLM_URL names (see the stream suite). Added times are beside the provider itself in the same run.
"""

from __future__ import annotations

from bench import processes, stream_site
from bench.measuring import Result
from bench.suites.stream import CHUNKS, GAP_SECONDS, Heard, Stand, bounded, cpu_sample, peer, peer_header, upstream

PATH, UPSTREAM_PATH = "/v1/chat/completions", "/chat/completions"
STREAMS = 8
SHAPES = (("chunk", CHUNKS), ("request", 1))
ROUNDS, SECONDS, QUICK_SECONDS = 3, 6, 3
MOST_ADDED_MS = 20  # S2 of the reference "Performance"


def measure(quick: bool) -> list[Result]:
    """Both shapes of an answer."""
    return [result for what, chunks in SHAPES for result in _measured(what, chunks, quick)]


def _measured(what: str, chunks: int, quick: bool) -> list[Result]:
    cores = dict(processes.two_cores())
    with upstream(chunks, cores) as provider, stream_site.house(f"http://{provider.address}", 1) as home:
        stand = Stand(provider, cores, chunks, QUICK_SECONDS if quick else SECONDS)
        key = f"Authorization: Bearer {stream_site.virtual_key(home)}"
        relay = processes.server("bench.limits", "--upstream", provider.address, core=cores["ours"])
        with stream_site.web(home, cores["ours"]) as web, relay as limit, peer() as other:
            turns = []
            for _ in range(1 if quick else ROUNDS):
                turn = {
                    "direct": _hear(stand, None, UPSTREAM_PATH, chunks),
                    "ours": _hear(stand, web, PATH, chunks, "--header", key),
                    "limit": _hear(stand, limit, UPSTREAM_PATH, chunks),
                }
                if other is not None and chunks == CHUNKS:  # what its own upstream gives
                    turn["peer"] = _hear(stand, other, UPSTREAM_PATH, chunks, "--header", peer_header())
                turns.append(turn)
    return _lines(what, turns)


def _hear(stand: Stand, server: processes.Served | None, path: str, chunks: int, *more: str) -> Heard:
    """Short answers begin less often than they could: a key's rate is bounded."""
    pace = () if chunks > 1 else ("--rest", str(1 - GAP_SECONDS))
    return stand.hear(server, path, STREAMS, *more, *pace)


def _lines(what: str, turns: list[dict[str, Heard]]) -> list[Result]:
    notes: dict[str, object] = {name: turns[-1][name].spoken(turns[-1]["direct"]) for name in turns[-1]}
    cpu = Result(
        f"gateway/{what}/cpu",
        f"CPU a {what}, ours / bare asyncio relay; peer: LiteLLM",
        "none stated",
        [cpu_sample(turn["ours"]) for turn in turns],
        [cpu_sample(turn["limit"]) for turn in turns],
        [cpu_sample(turn["peer"]) for turn in turns if "peer" in turn],
        notes=notes,
    )
    return [cpu, *(_added(what, turns, share) for share in ("p50", "p95"))]


def _added(what: str, turns: list[dict[str, Heard]], share: str) -> Result:
    added = [turn["ours"].ms("first_token", share) - turn["direct"].ms("first_token", share) for turn in turns]
    return bounded(f"gateway/{what}/first-{share}", f"added time to the first token, {share}", added, MOST_ADDED_MS)
