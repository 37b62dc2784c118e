"""Where forms may lead: the pages of providers that are on, their stand-ins, and nowhere else."""

from __future__ import annotations

from pathlib import Path

import pytest

from tokenboard.core.config import load_settings
from tokenboard.web.policy import content_policy, form_targets


def targets(folder: Path, **environ: str) -> tuple[str, ...]:
    return form_targets(load_settings(environ, instance_path=folder))


@pytest.mark.parametrize(
    ("environ", "found"),
    [
        ({}, ()),
        ({"STRIPE_SECRET_KEY": "sk_test_x"}, ("https://checkout.stripe.com", "https://billing.stripe.com")),
        ({"PAYSTACK_SECRET_KEY": "sk_test_x"}, ("https://checkout.paystack.com",)),
        ({"SANDBOX_URL": "http://127.0.0.1:9000"}, ("http://127.0.0.1:9000",)),
        (
            {"STRIPE_API_BASE": "http://127.0.0.1:9000/stripe", "PAYSTACK_BASE_URL": "http://127.0.0.1:9000/paystack"},
            ("http://127.0.0.1:9000",),
        ),
    ],
)
def test_forms_may_lead_to_who_takes_the_money(tmp_path: Path, environ: dict[str, str], found: tuple[str, ...]):
    assert targets(tmp_path, **environ) == found


def test_the_policy_names_them_once(tmp_path: Path):
    settings = load_settings({"STRIPE_SECRET_KEY": "sk_test_x"}, instance_path=tmp_path)

    assert "form-action 'self' https://checkout.stripe.com https://billing.stripe.com;" in content_policy(settings)
