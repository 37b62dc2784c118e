"""The settings of how people come in: sign-in at a provider, what its groups give, second factors."""

from __future__ import annotations

from dataclasses import dataclass

from tokenboard.core import settings_fields as read
from tokenboard.core.settings_fields import setting


@dataclass(frozen=True)
class PeopleSettings:
    """Who lets people in, and what they need for it."""

    oidc_discovery_url: str = setting(
        "OIDC_DISCOVERY_URL",
        read.http_url,
        "The sign-in provider's discovery document. Unset: e-mail and password only.",
        group="People",
        default="",
        example="https://api.descope.com/P2abcdef/.well-known/openid-configuration",
    )
    oidc_client_id: str = setting(
        "OIDC_CLIENT_ID",
        read.text,
        "The client's id at that provider (Descope: the project id).",
        group="People",
        default="",
        example="P2abcdef",
    )
    oidc_client_secret: str = setting(
        "OIDC_CLIENT_SECRET",
        read.text,
        "The client's secret (Descope: an access key). Unset: a public client, with PKCE alone.",
        group="People",
        default="",
        is_secret=True,
    )
    oidc_name: str = setting(
        "OIDC_NAME", read.text, "What the sign-in button calls the provider.", group="People", default="single sign-on"
    )
    oidc_only: bool = setting(
        "OIDC_ONLY",
        read.flag,
        "`true` closes passwords, registration and reset: people come in through the provider alone.",
        group="People",
        default=False,
    )
    oidc_groups_claim: str = setting(
        "OIDC_GROUPS_CLAIM",
        read.text,
        "The claim that lists a person's groups (Descope: `roles`).",
        group="People",
        default="groups",
    )
    oidc_admin_groups: tuple[str, ...] = setting(
        "OIDC_ADMIN_GROUPS",
        read.names,
        "Groups whose members run this site, comma-separated; looked at with each sign-in.",
        group="People",
        default=(),
        example="tokenboard-admins",
    )
    oidc_group_budgets: tuple[tuple[str, int], ...] = setting(
        "OIDC_GROUP_BUDGETS",
        read.budgets,
        "Monthly allowance in US cents by group, as `group:cents,…`; of several groups the largest counts.",
        group="People",
        default=(),
        example="staff:5000,research:20000",
    )
    require_admin_mfa: bool = setting(
        "REQUIRE_ADMIN_MFA",
        read.flag,
        "`true`: the control room opens only after a second factor.",
        group="People",
        default=False,
    )

    @property
    def has_oidc(self) -> bool:
        """Whether people may come in through a provider."""
        return bool(self.oidc_discovery_url)
