"""The doors to metering: models and usage as JSON, prices and roll-ups from the terminal, the hourly sync."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from click.testing import Result
from sqlalchemy import text

from tests.metering.calling import Told, begin, price, record, settle
from tests.people import People
from tokenboard.audit.alerts import open_alerts
from tokenboard.core.db import db
from tokenboard.metering import price_queries, tasks
from tokenboard.providers.chat_errors import ChatUnavailable
from tokenboard.providers.chat_shapes import ModelInfo
from tokenboard.web.clients import clients


class Upstream:
    """A chat client that lists what it is told to, or fails."""

    def __init__(self, *models: ModelInfo, error: Exception | None = None) -> None:
        self.listed, self.error = list(models), error

    def models(self) -> list[ModelInfo]:
        if self.error:
            raise self.error
        return self.listed


@pytest.fixture
def upstream(shop: People, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """`upstream(models…)`: what the application's chat client answers."""

    def wire(*models: ModelInfo, error: Exception | None = None) -> None:
        wired: Any = clients()
        monkeypatch.setitem(shop.app.extensions, "clients", Wired(wired, Upstream(*models, error=error)))

    return wire


class Wired:
    """The application's clients, with another chat client."""

    def __init__(self, others: Any, chat: Upstream) -> None:
        self._others, self._chat = others, chat

    def __getattr__(self, name: str) -> Any:
        return getattr(self._others, name)

    def chat(self) -> Upstream:
        return self._chat


@pytest.fixture
def run(shop: People) -> Callable[..., Result]:
    """A command, as at the terminal."""
    return lambda *words: shop.app.test_cli_runner().invoke(args=["metering", *words])


def model(name: str = "claude", into: int | None = 3 * 10**9, out: int | None = 15 * 10**9) -> ModelInfo:
    return ModelInfo(name, "chat", into, None, out, 200_000, 8_192, "anthropic")


def test_models_are_told_in_credits_for_a_million_tokens_with_the_markup(shop: People):
    price(markup=Decimal("1.2"), max_output_tokens=16_384)
    price("off", is_offered=False)
    answer = shop.bearer(shop.bob).get("/api/models")
    assert answer.json == {
        "models": [
            {
                "id": "gpt-4o",
                "provider": "",
                "inputCreditsPerMTok": 300,
                "cachedInputCreditsPerMTok": 150,
                "outputCreditsPerMTok": 1_200,
                "maxInputTokens": None,
                "maxOutputTokens": 16_384,
            }
        ]
    }


def test_usage_is_told_newest_first_with_the_fields_of_the_older_clients(shop: People):
    for tokens in (1, 2):
        call = begin(shop)
        record(call, "Yes.")
        settle(call, usage=Told(9, tokens))
    told = shop.bearer(shop.vera).get(f"/api/billing/usage?workspaceId={shop.team_id}&limit=1").json
    line = told["usage"][0]
    assert line | {"id": "", "createdAt": "", "latencyMs": 0} == {
        "id": "",
        "userId": shop.bob.id,
        "conversationId": None,
        "model": "gpt-4o",
        "tokensUsed": 11,
        "promptTokens": 9,
        "completionTokens": 2,
        "credits": 0.00425,
        "balanceAfter": 100 - 0.00325 - 0.00425,
        "type": "chat",
        "latencyMs": 0,
        "createdAt": "",
    }
    rest = shop.bearer(shop.vera).get(
        f"/api/billing/usage?workspaceId={shop.team_id}&limit=1&cursor={told['nextCursor']}"
    )
    assert [one["completionTokens"] for one in rest.json["usage"]] == [1]
    assert rest.json["nextCursor"] is None


def test_usage_of_another_workspace_does_not_exist(shop: People):
    assert shop.bearer(shop.charlie).get(f"/api/billing/usage?workspaceId={shop.team_id}").status_code == 404


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "limit=x", "cursor=x"])
def test_a_bad_question_of_usage_is_refused(shop: People, query: str):
    assert shop.bearer(shop.bob).get(f"/api/billing/usage?{query}").status_code == 422


def test_the_hourly_sync_takes_prices_over_and_says_when_it_cannot(shop: People, upstream):
    upstream(model())
    tasks.sync_prices()
    assert price_queries.offered("claude").output_nano_per_mtok == 15 * 10**9
    upstream(error=ChatUnavailable("refused"))
    tasks.sync_prices()
    assert price_queries.offered("claude").version == 1
    assert [alert.kind for alert in open_alerts()] == ["metering.prices_not_read"]
    upstream(model())
    tasks.sync_prices()
    assert open_alerts() == []


def test_the_sandboxs_models_are_offered_after_the_first_sync(shop: People):
    tasks.sync_prices()
    told = shop.bearer(shop.bob).get("/api/models").json["models"]
    assert len(told) >= 3
    assert all(one["inputCreditsPerMTok"] > 0 and one["outputCreditsPerMTok"] > 0 for one in told)


def test_the_commands_rehearse_before_they_change(shop: People, upstream, run):
    upstream(model(), model("gpt-4o", 5 * 10**9))
    said = run("sync-prices").output
    assert "claude: new → $3.00 in, $15.00 out by litellm, offered." in said
    assert "Nothing was changed" in said
    assert [row.model for row in price_queries.current()] == ["gpt-4o"]
    run("sync-prices", "--now")
    said = run("prices").output
    assert "gpt-4o: $2.50 in, $10.00 out by admin, offered. litellm says $5.00 in, $15.00 out. (version 2)" in said


def test_a_price_is_set_taken_off_and_given_up_at_the_terminal(shop: People, upstream, run):
    assert (
        "$1.50 in, $6.00 out by admin, markup 1.1, offered."
        in run("set-price", "gpt-4o", "--input", "1.50", "--output", "6", "--markup", "1.1").output
    )
    assert run("set-price", "gpt-4o").exit_code == 1  # without a price it is not offered
    assert "not offered" in run("set-price", "gpt-4o", "--off").output
    assert "free on purpose" in run("set-price", "at-home", "--free").output
    assert "the sources decide again" in run("set-price", "gpt-4o", "--give-up").output
    assert run("set-price", "gpt-4o", "--give-up").exit_code == 1
    assert run("set-price", "gpt-4o", "--input", "1e5").exit_code == 2


def test_roll_ups_are_compared_and_mended_and_the_laws_are_asked(shop: People, run):
    call = begin(shop)
    record(call, "Yes.")
    settle(call, usage=Told(9, 4))
    assert run("rebuild-rollups").output == "The sums are those of the records.\n"
    db.session.execute(text("UPDATE usage_day SET credits_micros = 1"))
    db.session.execute(text("UPDATE cap_window SET held_micros = 1"))
    db.session.commit()
    assert "1 requests for 1 micro-credits, records say 1 for 6250" in run("rebuild-rollups").output
    assert run("check").exit_code == 1
    assert "3 differences, mended." in run("rebuild-rollups", "--now").output
    assert "3 differences" not in run("rebuild-rollups").output
    assert run("check").output == "All 5 laws hold.\n"
