"""Anthropic's admin API: cost report, message usage, workspace and key names, in the same shapes as OpenAI's.

Laws: amounts are decimal strings in cents; input tokens are counted without cached ones (the opposite of OpenAI) and
are added up to the total here; reads are sequential, because the organization's limit is low
(constructorfabric/insight#1902 drew 492 refusals in one run by reading four streams at once). A workspace stands
where OpenAI has a project; None is the default workspace. Source: platform.claude.com, get-cost-report and
get-messages-usage-report, November 2026.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from functools import partial

from tokenboard.core import clock
from tokenboard.providers import anthropic_answers, paging
from tokenboard.providers.costs import CostDay, KeyCheck, KeyName, ProjectName, UsageDay
from tokenboard.providers.errors import KeyProblem, NotAvailable, Upstream
from tokenboard.providers.http import Call, Http, clean_base_url

ANTHROPIC_ADMIN = Upstream(
    slug="anthropic",
    name="Anthropic",
    key_kind="an admin key (it begins with sk-ant-admin)",
    key_url="https://console.anthropic.com/settings/admin-keys",
    permission="access to the whole organization (individual accounts have no admin keys)",
    wrong_key_prefixes=("sk-ant-api", "sk-ant-oat"),
)
API_VERSION = "2023-06-01"
_DAYS_PER_PAGE = 31  # the API's maximum for whole days
_NAMES_PER_PAGE = 100
MESSAGES = "messages"


class AnthropicClient:
    """Reads one organization's bill with its admin key. Holds the key; never shows it."""

    provider = "anthropic"
    usage_kinds = (MESSAGES,)

    def __init__(self, api_key: str, base_url: str, http: Http) -> None:
        self._api_key = api_key
        self._base_url = clean_base_url(base_url)
        self._http = http

    def __repr__(self) -> str:
        return f"AnthropicClient({self._base_url})"

    def check_key(self) -> KeyCheck:
        """Try the key on costs (must work) and on workspace names (may be refused). Raises: ProviderError."""
        hurried = AnthropicClient(self._api_key, self._base_url, self._http.hurried())
        today = clock.today()
        next(hurried.costs(today, today + timedelta(days=1)), None)
        return KeyCheck(can_read_costs=True, can_read_names=hurried._can_read_names())

    def _can_read_names(self) -> bool:
        try:
            self._get("/workspaces", [("limit", "1")])
        except (KeyProblem, NotAvailable):
            return False
        return True

    def costs(self, start: date, end: date) -> Iterator[CostDay]:
        """The bill from `start` up to but not including `end`. Raises: ProviderError, after the days of whole pages."""
        pages = self._bucket_pages("/cost_report", start, end, ("workspace_id", "description"))
        return paging.days_of(ANTHROPIC_ADMIN, pages, anthropic_answers.cost_days)

    def usage(self, kind: str, start: date, end: date) -> Iterator[UsageDay]:
        """Message usage in the same range, by workspace, model and key. Raises: ProviderError."""
        if kind != MESSAGES:
            raise ValueError(f"Anthropic reports {MESSAGES} only")
        pages = self._bucket_pages(
            "/usage_report/messages",
            start,
            end,
            ("workspace_id", "model", "api_key_id"),
        )
        return paging.days_of(ANTHROPIC_ADMIN, pages, anthropic_answers.usage_days)

    def projects(self) -> Iterator[ProjectName]:
        """All workspaces but the default one, which has no id; archived ones too."""
        pages = self._name_pages("/workspaces", [("include_archived", "true")])
        return paging.rows_of(ANTHROPIC_ADMIN, pages, anthropic_answers.workspace_names)

    def api_keys(self, project_id: str) -> Iterator[KeyName]:
        """One workspace's keys."""
        pages = self._name_pages("/api_keys", [("workspace_id", project_id)])
        return paging.rows_of(ANTHROPIC_ADMIN, pages, anthropic_answers.key_names)

    def _bucket_pages(self, path: str, start: date, end: date, group_by: tuple[str, ...]) -> Iterator[paging.Page]:
        if end <= start:
            return iter(())
        params = [
            ("starting_at", clock.iso(clock.midnight(start))),
            ("ending_at", clock.iso(clock.midnight(end))),
            ("bucket_width", "1d"),
            ("limit", str(min(_DAYS_PER_PAGE, (end - start).days))),
            # The brackets are needed: the bare form is refused.
            *(("group_by[]", name) for name in group_by),
        ]
        return paging.follow(
            ANTHROPIC_ADMIN,
            partial(self._get, path),
            params,
            sent_as="page",
            found_in="next_page",
        )

    def _name_pages(self, path: str, params: paging.Params) -> Iterator[paging.Page]:
        params = [("limit", str(_NAMES_PER_PAGE)), *params]
        return paging.follow(
            ANTHROPIC_ADMIN,
            partial(self._get, path),
            params,
            sent_as="after_id",
            found_in="last_id",
        )

    def _get(self, path: str, params: paging.Params) -> paging.Page:
        headers = {"x-api-key": self._api_key, "anthropic-version": API_VERSION}
        url = f"{self._base_url}/v1/organizations{path}"
        return self._http.get_json(Call(ANTHROPIC_ADMIN, url, headers, self._api_key, tuple(params)))
