"""What a price would have made of what was used: sums priced again, without a database."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from tokenboard.metering.facts import Price
from tokenboard.metering.rehearsal_rules import Proposal, Used, Worth, rehearse, repriced

CENT = 10_000_000  # a credit's worth in nano-USD
PRICE = Price("p", "m", 1, "chat", 2_000_000_000, 500_000_000, 8_000_000_000, None, None, "", "admin", None)
# 400,000 plain and 100,000 cached tokens in, 100,000 out: $0.80 + $0.05 + $0.80
USED = Used("w", "Acme", "chat", 10, 500_000, 100_000, 100_000, 165_000_000, 1_650_000_000)


def test_a_call_through_us_costs_price_times_tokens_times_markup():
    assert repriced(USED, Proposal(PRICE, Decimal(1)), credit_value_nano=CENT) == Worth(165_000_000, 1_650_000_000)
    assert repriced(USED, Proposal(PRICE, Decimal("1.5")), credit_value_nano=CENT).credits_micros == 247_500_000
    plain = replace(PRICE, cached_input_nano_per_mtok=None)
    assert repriced(USED, Proposal(plain, Decimal(1)), credit_value_nano=CENT).cost_nano_usd == 1_800_000_000


def test_what_litellm_reported_keeps_its_cost_and_takes_the_markup():
    reported = replace(USED, source="key", cost_nano_usd=1_000_000_000)

    assert repriced(reported, Proposal(PRICE, Decimal(2)), credit_value_nano=CENT) == Worth(200_000_000, 1_000_000_000)


def test_a_model_that_is_taken_off_brings_and_costs_nothing():
    assert repriced(USED, Proposal(PRICE, Decimal(1), is_offered=False), credit_value_nano=CENT) == Worth()


def test_customers_are_summed_over_their_doors_and_the_most_affected_comes_first():
    small = replace(USED, workspace_id="v", name="Beta", requests=1, prompt_tokens=1_000, cached_tokens=0)
    small = replace(small, completion_tokens=0, credits_micros=500_000, cost_nano_usd=2_000_000)
    other_door = replace(USED, source="key")

    found = rehearse([small, USED, other_door], Proposal(PRICE, Decimal(2)), credit_value_nano=CENT)

    assert [one.name for one in found.customers] == ["Acme", "Beta"]
    assert found.customers[0].before == Worth(330_000_000, 3_300_000_000)
    assert found.customers[0].change_micros == 330_000_000
    assert (found.paying_more, found.paying_less) == (1, 1)
    assert found.requests == 21
    assert found.before.credits_micros == 330_500_000
