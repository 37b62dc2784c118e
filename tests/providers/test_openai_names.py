"""OpenAI's names, the trial of a key, and the prepaid balance."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from tests.providers.stand_in import NOW, StandIn
from tokenboard.providers import openai_answers
from tokenboard.providers.costs import BalanceProvider, CreditGrant, KeyCheck, ProjectName
from tokenboard.providers.errors import BadAnswer, KeyLacksScope, ProviderUnavailable
from tokenboard.providers.reading import Unreadable

COSTS = "/openai/v1/organization/costs"


def test_all_projects_are_named_archived_ones_too(stand_in: StandIn):
    found = list(stand_in.openai().projects())
    assert len(found) == 6
    assert ProjectName("proj_SbxLegacy", "Legacy prototype", is_archived=True) in found


def test_lists_of_names_are_followed_by_their_last_id(stand_in: StandIn):
    found = list(stand_in.openai("sk-admin-sandbox-large").projects())
    assert len({project.id for project in found}) == 40
    path = "/openai/v1/organization/projects"
    stand_in.script(
        [{"data": [{"id": "a", "object": "organization.project"}], "has_more": True, "last_id": None}], path
    )
    with pytest.raises(BadAnswer, match="no cursor"):
        list(stand_in.openai().projects())


def test_a_projects_keys_are_named_and_never_shown(stand_in: StandIn):
    found = list(stand_in.openai().api_keys("proj_SbxSupport"))
    assert [(key.name, key.redacted_value) for key in found] == [
        ("support-prod", "sk-proj-...rod"),
        ("support-staging", "sk-proj-...ing"),
    ]


def test_a_project_id_stays_inside_its_place_in_the_address(stand_in: StandIn):
    with pytest.raises(Exception, match="404"):
        list(stand_in.openai().api_keys("../users?x=1"))
    [(path, query)] = stand_in.calls()
    assert path == "/openai/v1/organization/projects/../users?x=1/api_keys"
    assert query == "limit=100"


def test_a_key_is_tried_on_costs_and_on_names(stand_in: StandIn):
    assert stand_in.openai().check_key() == KeyCheck(can_read_costs=True, can_read_names=True)
    assert [path for path, _ in stand_in.calls()] == [COSTS, "/openai/v1/organization/projects"]


def test_a_key_without_the_names_scope_is_good_enough(stand_in: StandIn):
    assert stand_in.openai("sk-admin-sandbox-nonames").check_key() == KeyCheck(True, False)


def test_a_key_that_reads_names_only_is_refused(stand_in: StandIn):
    with pytest.raises(KeyLacksScope):
        stand_in.openai("sk-admin-sandbox-nousage").check_key()


def test_trouble_while_trying_the_names_is_not_taken_for_a_missing_scope(stand_in: StandIn):
    stand_in.order("faults", {"path": "/openai/v1/organization/projects", "fault": "500", "times": 9})
    with pytest.raises(ProviderUnavailable):
        stand_in.openai().check_key()


def test_the_balance_counts_unexpired_grants_only(stand_in: StandIn, set_clock: Callable[[datetime], None]):
    set_clock(NOW)
    found = stand_in.openai("sk-sandbox").credit_grants()
    assert found.granted_nano == 120_000_000_000
    assert found.available_nano == found.granted_nano - found.used_nano
    assert found.used_ever_nano == found.used_nano + 3_180_000_000
    assert len(found.grants) == 2


def _balance(**totals: object) -> dict[str, object]:
    return {"object": "credit_summary", "total_granted": 10, "total_used": "2.5", "total_available": 7.5, **totals}


def test_a_reseller_that_lists_no_grants_gives_its_totals():
    found = openai_answers.credit_grants(_balance(total_available=Decimal("7.5")), NOW)
    assert (found.granted_nano, found.used_nano, found.available_nano) == (10 * 10**9, 25 * 10**8, 75 * 10**8)


def test_a_grant_is_read_with_its_times_as_they_come():
    row = {
        "object": "credit_grant",
        "id": "g",
        "grant_amount": Decimal("18.0"),
        "used_amount": Decimal("0.6284545"),
        "effective_at": Decimal("1673740800.0"),
        "expires_at": Decimal("1682899200.0"),
    }
    found = openai_answers.credit_grants(_balance(grants={"object": "list", "data": [row]}), NOW)
    effective_at, expires_at = datetime(2023, 1, 15, tzinfo=UTC), datetime(2023, 5, 1, tzinfo=UTC)
    assert found.grants == (CreditGrant("g", 18 * 10**9, 628_454_500, effective_at, expires_at),)
    assert found.available_nano == 0
    assert found.used_ever_nano == 628_454_500


@pytest.mark.parametrize(
    "broken", [{"total_granted": None}, {"total_used": "x"}, {"grants": []}, {"grants": {"data": [{}]}}]
)
def test_a_balance_that_cannot_be_read_is_refused(broken: dict[str, object]):
    with pytest.raises(Unreadable):
        openai_answers.credit_grants(_balance(**broken), NOW)


def test_an_unreadable_balance_is_a_bad_answer(stand_in: StandIn):
    stand_in.script([{"total_granted": "NaN"}], "/openai/v1/dashboard/billing/credit_grants")
    with pytest.raises(BadAnswer, match="total_granted"):
        stand_in.openai("sk-sandbox").credit_grants()


def test_a_personal_key_is_tried_quickly(stand_in: StandIn):
    provider: BalanceProvider = stand_in.openai("sk-sandbox")
    assert provider.check_balance().granted_nano > 0
    with pytest.raises(ProviderUnavailable):
        stand_in.openai("sk-sandbox-500").check_balance()
    assert sum(stand_in.slept_seconds) < 1


def test_a_name_is_one_line_and_turns_no_direction_around():
    [project] = openai_answers.project_names({"data": [{"id": "proj_a", "name": " Chat\n\u202etobor\x07\u2066  bot "}]})
    assert project.name == "Chat tobor bot"
