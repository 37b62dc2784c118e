"""Streams: 1 to 1,000 at once, 50 chunks each, 20 ms apart, on the whole path with money and recording on PostgreSQL.

One web process on one core; upstream, database and load on the other. Limit: a relay that carries bytes and nothing
else (`bench/limits.py`). Peer: the LiteLLM proxy that BENCH_LITELLM_URL names (with BENCH_LITELLM_KEY, a model `bench`
that asks `bench/upstream.py`; its process id as BENCH_LITELLM_PID). `unrecorded` is ours without the recorder's writes.
Goals are S1–S6 of the reference "Performance", section 7; figures in milliseconds are beside their bound as "limit".
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from bench import processes, signing_in, stream_site
from bench.measuring import Result, Sample
from bench.processes import Served

SIZES, QUICK_SIZES = (1, 50, 200, 500, 1_000), (1, 50, 200)
CHUNKS, GAP_SECONDS = 50, 0.02
SECONDS, QUICK_SECONDS = 6, 4
ROUNDS, QUICK_ROUNDS = 3, 1
BODY = {
    "model": "bench",
    "messages": [{"role": "user", "content": "Tell me something about benchmarks."}],
    "stream": True,
    "max_completion_tokens": 8_000,
}
LONG_CHUNKS = 500  # ten seconds: what an answer of a page takes
SUSTAINED = 400


@dataclass(frozen=True, slots=True)
class Heard:
    """One measurement of one server at one size."""

    report: dict[str, Any]
    cpu_us: float  # a chunk
    memory_mb: float
    others_cores: float

    def ms(self, what: str, share: str) -> float:
        return float(self.report[what][f"{share}_ms"])

    @property
    def chunks_per_second(self) -> float:
        return float(self.report["chunks_per_second"])

    def spoken(self, direct: Heard) -> str:
        added = [self.ms("first_token", share) - direct.ms("first_token", share) for share in ("p50", "p95")]
        return (
            f"{self.chunks_per_second:,.0f} chunks/s, first token +{added[0]:.0f}/+{added[1]:.0f} ms, gap p95 "
            f"{self.ms('gap', 'p95'):.0f} p99 {self.ms('gap', 'p99'):.0f} ms, {self.cpu_us:.0f} µs CPU a chunk, "
            f"{self.memory_mb:.0f} MB, lost {self.report['lost']}, refused {self.report['refused']}, "
            f"others {self.others_cores:.1f} cores"
        )


@dataclass(frozen=True, slots=True)
class Stand:
    """Everything that runs beside what is measured."""

    upstream: Served
    cores: dict[str, int | None]
    chunks: int
    seconds: float

    def hear(self, server: Served | None, path: str, streams: int, *more: str) -> Heard:
        """Load a server; without one, the upstream itself."""
        measured = server or self.upstream
        told = ["--streams", str(streams), "--seconds", str(self.seconds), "--expect", str(self.chunks)]
        told += ["--stream-seconds", str(self.chunks * GAP_SECONDS), "--warmup", str(2.5 + self.chunks * GAP_SECONDS)]
        told += ["--body", json.dumps(BODY)]
        with processes.watching(measured.pid, self.upstream.pid) as used:
            report = processes.load(f"http://{measured.address}{path}", *told, *more, core=self.cores["load"])
        chunks = int(report["chunks_per_second"] * used.wall_seconds)  # the warm-up streams too
        if not chunks:
            raise RuntimeError(f"{path} gave nothing: {report}")
        return Heard(report, used.cpu_us_per(chunks), used.memory_mb, used.others_cores)


def measure(quick: bool) -> list[Result]:
    """The table by size, then the goals."""
    cores = dict(processes.two_cores())
    people = stream_site.QUICK_PEOPLE if quick else stream_site.PEOPLE
    seconds = QUICK_SECONDS if quick else SECONDS
    with upstream(CHUNKS, cores) as short, stream_site.house(f"http://{short.address}", people) as home:
        stand = Stand(short, cores, CHUNKS, seconds)
        results = _by_size(stand, home, QUICK_SIZES if quick else SIZES, QUICK_ROUNDS if quick else ROUNDS)
        results.append(_beside_sign_ins(stand, home))
        if not quick:
            results += _sustained(stand, home, "2 s answers", 100)
            results += _sustained(stand, home, "10 s answers", LONG_CHUNKS)
            results.append(_past_its_limit(stand, home))
    return results


def upstream(chunks: int, cores: dict[str, int | None]) -> contextlib.AbstractContextManager[Served]:
    """A provider whose answers have so many chunks."""
    return processes.server("bench.upstream", "--chunks", str(chunks), "--gap", str(GAP_SECONDS), core=cores["load"])


def _by_size(stand: Stand, home: stream_site.House, sizes: tuple[int, ...], rounds: int) -> list[Result]:
    """Ours, ours without recording, the limit and the peer, in turn, at every size."""
    ours, unrecorded = stream_site.web(home, stand.cores["ours"]), _unrecorded(home, stand)
    relay = processes.server("bench.limits", "--upstream", stand.upstream.address, core=stand.cores["ours"])
    with ours as web, unrecorded as bare, relay as limit, peer() as other:
        idle_mb = processes.memory_mb(web.pid)
        results = []
        for streams in sizes:
            turns = [_turn(stand, streams, web, bare, limit, other) for _ in range(rounds)]
            results += _lines(streams, turns, idle_mb)
    return results


def _unrecorded(home: stream_site.House, stand: Stand) -> contextlib.AbstractContextManager[Served]:
    return stream_site.web(home, stand.cores["ours"], BENCH_RECORDING="off")


@contextlib.contextmanager
def peer() -> Iterator[Served | None]:
    """The LiteLLM proxy that was named, if one was."""
    address = urlsplit(os.environ.get("BENCH_LITELLM_URL", ""))
    yield Served(int(os.environ["BENCH_LITELLM_PID"]), address.port or 80) if address.netloc else None


def peer_header() -> str:
    """How the proxy wants to be asked."""
    return f"Authorization: Bearer {os.environ.get('BENCH_LITELLM_KEY', '')}"


def _turn(
    stand: Stand, streams: int, web: Served, bare: Served, limit: Served, peer: Served | None
) -> dict[str, Heard]:
    heard = {
        "direct": stand.hear(None, "/chat/completions", streams),
        "ours": stand.hear(web, "/bench/answers", streams),
        "unrecorded": stand.hear(bare, "/bench/answers", streams),
        "limit": stand.hear(limit, "/chat/completions", streams),
    }
    if peer is not None and streams <= 200:  # it saturates at about 20
        heard["peer"] = stand.hear(peer, "/chat/completions", streams, "--header", peer_header())
    return heard


def _lines(streams: int, turns: list[dict[str, Heard]], idle_mb: float) -> list[Result]:
    notes: dict[str, object] = {name: turns[-1][name].spoken(turns[-1]["direct"]) for name in turns[-1]}
    notes["recording"] = f"{_median(turns, 'ours') - _median(turns, 'unrecorded'):.0f} µs CPU a chunk"
    notes["a stream"] = f"{(turns[-1]['ours'].memory_mb - idle_mb) / streams:.2f} MB beside {idle_mb:.0f} MB idle"
    bound = {200: 3.5, 50: 6.0}.get(streams)
    return [
        Result(
            f"stream/{streams}/cpu",
            "CPU a chunk, ours / bare asyncio relay; peer: LiteLLM",
            f"≤ {bound}" if bound else "none stated",
            [cpu_sample(turn["ours"]) for turn in turns],
            [cpu_sample(turn["limit"]) for turn in turns],
            [cpu_sample(turn["peer"]) for turn in turns if "peer" in turn],
            bound=bound,
            notes=notes,
        ),
        *(_first_tokens(streams, turns) if streams in (50, 200) else []),
    ]


def _median(turns: list[dict[str, Heard]], name: str) -> float:
    found = sorted(turn[name].cpu_us for turn in turns)
    return found[len(found) // 2]


def cpu_sample(heard: Heard) -> Sample:
    """CPU time a chunk, as a sample of milliseconds."""
    return Sample(heard.cpu_us / 1_000, heard.cpu_us / 1_000, int(heard.report["chunks"]))


def _first_tokens(streams: int, turns: list[dict[str, Heard]]) -> list[Result]:
    return [_added(f"stream/{streams}/first-{share}", turns, share, most) for share, most in (("p50", 6), ("p95", 20))]


def _added(name: str, turns: list[dict[str, Heard]], share: str, most_ms: float) -> Result:
    """A first token's added time beside its bound: the ratio is how much of the bound it takes."""
    added = [turn["ours"].ms("first_token", share) - turn["direct"].ms("first_token", share) for turn in turns]
    return bounded(name, f"added time to the first token, {share}", added, most_ms)


def bounded(name: str, what: str, figures_ms: list[float], most_ms: float, **notes: object) -> Result:
    """Milliseconds beside the most that they may be."""
    ours = [Sample(max(0.001, figure), 0.0, 1) for figure in figures_ms]
    limit = [Sample(most_ms, 0.0, 1) for _ in figures_ms]
    return Result(name, what, f"≤ {most_ms:g} ms", ours, limit, bound=1.0, notes=notes)


def _sustained(stand: Stand, home: stream_site.House, what: str, chunks: int) -> list[Result]:
    """400 streams on one core: nothing lost, no gap felt, first tokens soon."""
    with upstream(chunks, stand.cores) as provider:
        long = Stand(provider, stand.cores, chunks, max(stand.seconds, 8))
        there = stream_site.House(home.app, f"http://{provider.address}")
        with stream_site.web(there, stand.cores["ours"]) as web:
            pairs = [
                (long.hear(None, "/chat/completions", SUSTAINED), long.hear(web, "/bench/answers", SUSTAINED))
                for _ in range(ROUNDS)
            ]
    added = [ours.ms("first_token", "p95") - direct.ms("first_token", "p95") for direct, ours in pairs]
    told = {"last": pairs[-1][1].spoken(pairs[-1][0])}
    lost = sum(ours.report["lost"] + ours.report["failed"] for _, ours in pairs)
    name = f"stream/{SUSTAINED} of {what}"
    return [
        bounded(f"{name}/gap-p99", f"gap p99; lost {lost}", [ours.ms("gap", "p99") for _, ours in pairs], 100, **told),
        bounded(f"{name}/first-p95", "added time to the first token, p95", added, 250),
    ]


def _beside_sign_ins(stand: Stand, home: stream_site.House) -> Result:
    """100 streams, and somebody signs in every 0.75 s."""
    with stream_site.web(home, stand.cores["ours"]) as web:
        alone = stand.hear(web, "/bench/answers", 100)
        with signing_in.every(0.75, web.port):
            beside = stand.hear(web, "/bench/answers", 100)
    told = {"alone": f"{alone.ms('delay', 'p95'):.0f} ms", "sign-ins": "one each 0.75 s, bcrypt 12"}
    return bounded("stream/100 beside sign-ins", "age of a token, p95", [beside.ms("delay", "p95")], 45, **told)


def _past_its_limit(stand: Stand, home: stream_site.House) -> Result:
    """500 ask a process that takes 400: the others are refused at once, and the 400 notice nothing."""
    with stream_site.web(home, stand.cores["ours"], MAX_STREAMS_PER_PROCESS="400") as web:
        heard = stand.hear(web, "/bench/answers", 500)
    told = {"refused": heard.report["refused"], "lost": heard.report["lost"]}
    return bounded("stream/500 at a limit of 400", "gap p99", [heard.ms("gap", "p99")], 100, **told)
