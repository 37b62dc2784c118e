"""What each role may do to others."""

from __future__ import annotations

import pytest

from tokenboard.workspaces import rules
from tokenboard.workspaces.models import Role

ROLES = [str(role) for role in Role]


def test_each_role_may_all_that_a_smaller_one_may():
    order = [Role.VIEWER, Role.MEMBER, Role.ADMIN, Role.OWNER]

    assert [[rules.allows(role, wanted) for wanted in order] for role in order] == [
        [True, False, False, False],
        [True, True, False, False],
        [True, True, True, False],
        [True, True, True, True],
    ]


@pytest.mark.parametrize("actor", ROLES)
@pytest.mark.parametrize("target", ROLES)
def test_only_owner_and_admin_change_others_and_nobody_the_owner(actor, target):
    may = rules.why_not_change(actor=actor, target=target, is_self=False) is None

    assert may == (actor in {"owner", "admin"} and target != "owner")


@pytest.mark.parametrize("role", ROLES)
def test_nobody_changes_their_own_role(role):
    assert rules.why_not_change(actor=role, target=role, is_self=True)


@pytest.mark.parametrize("role", ROLES)
def test_everybody_but_the_owner_may_leave(role):
    assert (rules.why_not_remove(actor=role, target=role, is_self=True) is None) == (role != "owner")


@pytest.mark.parametrize("actor", ROLES)
@pytest.mark.parametrize("target", ROLES)
def test_only_owner_and_admin_remove_others_and_nobody_the_owner(actor, target):
    may = rules.why_not_remove(actor=actor, target=target, is_self=False) is None

    assert may == (actor in {"owner", "admin"} and target != "owner")
