"""The settings of the front door: who runs this site, its terms, and whom to tell of a hole in it."""

from __future__ import annotations

from dataclasses import dataclass

from tokenboard.core import settings_fields as read
from tokenboard.core.settings_fields import setting


@dataclass(frozen=True)
class FrontSettings:
    """What visitors are told about the operator."""

    operator_name: str = setting(
        "OPERATOR_NAME",
        read.text,
        "Who runs this site, as /terms and /privacy name them.",
        group="Front door",
        default="",
        example="Example Ltd, 1 Example Street, Exampleton",
    )
    operator_email: str = setting(
        "OPERATOR_EMAIL",
        read.email,
        "Where people write to about terms and their data.",
        group="Front door",
        default="",
        example="privacy@example.com",
    )
    terms_url: str = setting(
        "TERMS_URL",
        read.http_url,
        "Your terms of use; /terms leads there. Unset: a page that says what the software does.",
        group="Front door",
        default="",
        example="https://example.com/terms",
    )
    privacy_url: str = setting(
        "PRIVACY_URL",
        read.http_url,
        "Your privacy notice; /privacy leads there. Unset: a page that says what is kept.",
        group="Front door",
        default="",
        example="https://example.com/privacy",
    )
    security_contact: tuple[str, ...] = setting(
        "SECURITY_CONTACT",
        read.contacts,
        "Whom to tell of a hole: addresses or https pages, comma-separated. Unset: no /.well-known/security.txt.",
        group="Front door",
        default=(),
        example="security@example.com",
    )
    security_policy_url: str = setting(
        "SECURITY_POLICY_URL",
        read.http_url,
        "How you handle reports, named in security.txt.",
        group="Front door",
        default="",
        example="https://example.com/security",
    )
