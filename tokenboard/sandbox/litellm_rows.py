"""Rows of LiteLLM's database as its answers show them, with all their fields. As seen on 1.106.2."""

from __future__ import annotations

from datetime import datetime
from typing import Any

Row = dict[str, Any]
ADMIN = "default_user_id"


def _none(names: str) -> Row:
    return dict.fromkeys(names.split())


def _stamps(at: datetime) -> Row:
    told = at.isoformat(timespec="milliseconds")
    return {"created_at": told, "created_by": ADMIN, "updated_at": told, "updated_by": ADMIN}


_KEY_NONE = (
    "key_alias expires user_id team_id agent_id project_id max_parallel_requests blocked tpm_limit rpm_limit tpd_limit"
    " max_budget budget_duration budget_reset_at organization_id object_permission_id settings_updated_at last_active"
    " rotation_interval last_rotation_at key_rotation_at budget_limits litellm_budget_table litellm_organization_table"
    " litellm_project_table object_permission jwt_key_mappings budget_id"
)
_KEY_MADE_NONE = (
    "duration model_rpm_limit model_tpm_limit mcp_rpm_limit tag_rpm_limit guardrails prompts"
    " default_estimated_output_tokens default_estimated_output_tokens_per_model end_user_budget_id tags"
    " disable_global_guardrails enable_prompt_caching throttle_on_budget_exceeded enforced_params"
    " allowed_passthrough_routes denied_passthrough_routes allowed_vector_store_indexes rpm_limit_type tpm_limit_type"
)
_KEY_MADE_OF_ROW = (
    "key_alias models spend max_budget user_id team_id agent_id max_parallel_requests metadata tpm_limit rpm_limit"
    " budget_duration budget_limits allowed_cache_controls config permissions model_max_budget budget_fallbacks"
    " policies blocked aliases object_permission tpd_limit budget_id router_settings access_group_ids key_name key_type"
    " expires allowed_routes organization_id project_id litellm_budget_table token created_by updated_by created_at"
    " updated_at"
)
# Of a key among many: what belongs to its team, its end user and its organization, all empty here.
_KEY_LISTED_NONE = (
    "org_id team_spend team_alias team_tpm_limit team_rpm_limit team_tpd_limit team_max_budget team_soft_budget"
    " team_model_max_budget soft_budget team_model_aliases team_member team_metadata team_object_permission_id"
    " team_member_spend team_member_tpm_limit team_member_rpm_limit end_user_id end_user_tpm_limit end_user_rpm_limit"
    " end_user_tpd_limit end_user_max_budget end_user_model_max_budget organization_alias organization_max_budget"
    " organization_tpm_limit organization_rpm_limit organization_metadata project_alias project_metadata"
    " last_refreshed_at api_key user_role allowed_model_region parent_otel_span rpm_limit_per_model tpm_limit_per_model"
    " user_tpm_limit user_rpm_limit user_email user_spend user_max_budget user_model_max_budget request_route user"
    " created_by_user end_user_object_permission team_object_permission jwt_claims"
)


def key_row(token: str, display: str, at: datetime) -> Row:
    """A key as it is kept."""
    return (
        _none(_KEY_NONE)
        | {"token": token, "key_name": display, "soft_budget_cooldown": False, "spend": 0.0, "total_spend": 0.0}
        | {name: [] for name in "models allowed_cache_controls allowed_routes policies access_group_ids".split()}
        | {name: {} for name in "aliases config router_settings permissions metadata model_spend".split()}
        | {"model_max_budget": {}, "budget_fallbacks": {}, "key_type": "default"}
        | {"rotation_count": 0, "auto_rotate": False}
        | _stamps(at)
    )


def key_made(row: Row, secret: str) -> Row:
    """What `/key/generate` answers; the only answer with the key itself."""
    kept = {name: row[name] for name in _KEY_MADE_OF_ROW.split()}
    return _none(_KEY_MADE_NONE) | kept | {"key": secret, "token_id": row["token"]}


def key_told(row: Row) -> Row:
    """A key inside `/key/info` and `/v2/key/info`: without its token."""
    return {name: value for name, value in row.items() if name != "token"} | {"status": "active"}


def key_bulk(row: Row) -> Row:
    return {name: value for name, value in row.items() if name != "token"}


def key_listed(row: Row) -> Row:
    """A key in `/key/list?return_full_object=true`."""
    more = {"team_models": [], "team_blocked": False, "is_session_token": False}
    return _none(_KEY_LISTED_NONE) | row | more


_USER_NONE = (
    "user_alias team_id sso_user_id organization_id object_permission_id password_reset_required last_breach_check_at"
    " user_role user_email max_parallel_requests tpm_limit rpm_limit budget_duration budget_reset_at"
    " organization_memberships object_permission max_budget"
)
_USER_TOLD_NONE = (
    "verified_subjects litellm_organization_table invitations_created invitations_updated invitations_user"
)
_USER_MADE_NONE = (
    "key_alias duration agent_id budget_limits budget_fallbacks policies blocked tpd_limit budget_id router_settings"
    " access_group_ids key_name key_type expires token_id project_id litellm_budget_table token created_by updated_by"
    " created_at updated_at teams"
)


def user_row(user_id: str, at: datetime) -> Row:
    """A user as it is kept."""
    stamps = {name: value for name, value in _stamps(at).items() if name.endswith("_at")}
    lists: Row = {name: [] for name in "teams models allowed_cache_controls policies".split()}
    return (
        _none(_USER_NONE)
        | {"user_id": user_id, "spend": 0.0, "metadata": {}, "model_spend": {}, "model_max_budget": {}}
        | lists
        | stamps
    )


def user_told(row: Row) -> Row:
    """A user inside `/user/info` and `/user/update`."""
    return _none(_USER_TOLD_NONE) | row | {"model_max_budget_usage": {}}


def user_made(row: Row) -> Row:
    """What `/user/new` answers without a key of its own."""
    kept = ("models", "spend", "max_budget", "user_id", "metadata", "budget_duration", "user_email", "user_role")
    more = {"team_id": None, "max_parallel_requests": None, "tpm_limit": None, "rpm_limit": None}
    empty = {"model_max_budget": None, "object_permission": None, "organization_id": None}
    told = {name: row[name] for name in (*kept, "user_alias")}
    lists: Row = {"allowed_cache_controls": [], "allowed_routes": [], "config": {}, "permissions": {}, "aliases": {}}
    return _none(_KEY_MADE_NONE) | _none(_USER_MADE_NONE) | more | empty | lists | told | {"key": ""}


def customer_row(user_id: str) -> Row:
    """A customer as traffic makes it: without a budget."""
    more = _none("alias allowed_model_region default_model budget_id litellm_budget_table")
    return (
        more
        | _none("object_permission_id object_permission")
        | {
            "user_id": user_id,
            "blocked": False,
            "spend": 0.0,
            "models": [],
        }
    )


def budget_row(budget_id: str, at: datetime) -> Row:
    """A budget of its own."""
    names = "max_budget soft_budget max_parallel_requests tpm_limit rpm_limit tpd_limit model_max_budget"
    more = (
        "budget_duration budget_reset_at temp_budget_increase temp_budget_expiry organization projects keys end_users"
    )
    last = "tags model_access_groups team_membership organization_membership"
    return _none(f"{names} {more} {last}") | {"budget_id": budget_id, "allowed_models": []} | _stamps(at)
