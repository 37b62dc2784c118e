"""OpenAI's admin API: costs, usage, names; and the credit balance where an address offers it.

Laws: always UTC midnights (usage clips an unaligned first day, costs snap it: seen on live data, 2025); one page at a
time; a half-read page gives no day. Source: https://developers.openai.com/api/reference, openai-openapi@f85dbe2.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from functools import partial
from urllib.parse import quote

from tokenboard.core import clock
from tokenboard.providers import openai_answers, paging
from tokenboard.providers.costs import (
    CostDay,
    CreditGrants,
    KeyCheck,
    KeyName,
    ProjectName,
    UsageDay,
)
from tokenboard.providers.errors import BadAnswer, KeyProblem, NotAvailable, Upstream
from tokenboard.providers.http import Call, Http, clean_base_url
from tokenboard.providers.reading import Unreadable

OPENAI_ADMIN = Upstream(
    slug="openai",
    name="OpenAI",
    key_kind="an admin key (it begins with sk-admin-)",
    key_url="https://platform.openai.com/settings/organization/admin-keys",
    permission="the restricted permission Usage: Read",
    wrong_key_prefixes=("sk-proj-", "sk-svcacct-"),
)
OPENAI_PERSONAL = Upstream(
    slug="openai",
    name="OpenAI",
    key_kind="a secret key",
    key_url="https://platform.openai.com/api-keys",
    permission="all permissions",
)

# The API allows 180 days a page; 31 keep a page of a large organization well under the size cap and show progress.
COST_DAYS_PER_PAGE = 31
USAGE_DAYS_PER_PAGE = 31  # the API's own maximum for whole days
_NAMES_PER_PAGE = 100
GROUP_BY = ("project_id", "line_item", "api_key_id")


class OpenAIClient:
    """Reads one organization's bill with its admin key. Holds the key; never shows it."""

    provider = "openai"
    usage_kinds = tuple(openai_answers.USAGE_KINDS)

    def __init__(self, api_key: str, base_url: str, http: Http) -> None:
        self._api_key = api_key
        self._base_url = clean_base_url(base_url)
        self._http = http

    def __repr__(self) -> str:
        return f"OpenAIClient({self._base_url})"

    def check_key(self) -> KeyCheck:
        """Try the key on costs (must work) and on project names (may be refused: restricted keys gate them apart).

        Raises: ProviderError.
        """
        hurried = self._hurried()
        today = clock.today()
        next(hurried.costs(today, today + timedelta(days=1)), None)
        return KeyCheck(can_read_costs=True, can_read_names=hurried._can_read_names())

    def _hurried(self) -> OpenAIClient:
        return OpenAIClient(self._api_key, self._base_url, self._http.hurried())

    def _can_read_names(self) -> bool:
        try:
            self._get("/organization/projects", [("limit", "1")])
        except (KeyProblem, NotAvailable):
            return False
        return True

    def costs(self, start: date, end: date, group_by: tuple[str, ...] = GROUP_BY) -> Iterator[CostDay]:
        """The bill from `start` up to but not including `end`. Raises: ProviderError, after the days of whole pages."""
        pages = self._bucket_pages("/organization/costs", start, end, group_by, COST_DAYS_PER_PAGE)
        return paging.days_of(OPENAI_ADMIN, pages, openai_answers.cost_days)

    def usage(self, kind: str, start: date, end: date) -> Iterator[UsageDay]:
        """One kind of usage in the same range, by project, model and key as far as that kind knows them."""
        shape = openai_answers.USAGE_KINDS[kind]
        pages = self._bucket_pages(
            f"/organization/usage/{kind}",
            start,
            end,
            shape.group_by,
            USAGE_DAYS_PER_PAGE,
        )
        return paging.days_of(OPENAI_ADMIN, pages, partial(openai_answers.usage_days, kind))

    def projects(self) -> Iterator[ProjectName]:
        """All projects. Archived ones are asked for too, or their old costs would stay nameless."""
        pages = self._name_pages("/organization/projects", [("include_archived", "true")])
        return paging.rows_of(OPENAI_ADMIN, pages, openai_answers.project_names)

    def api_keys(self, project_id: str) -> Iterator[KeyName]:
        """One project's keys."""
        pages = self._name_pages(f"/organization/projects/{quote(project_id, safe='')}/api_keys", [])
        return paging.rows_of(OPENAI_ADMIN, pages, partial(openai_answers.key_names, project_id))

    def check_balance(self) -> CreditGrants:
        """Try a personal key on the balance, quickly. Raises: ProviderError."""
        return self._hurried().credit_grants()

    def credit_grants(self) -> CreditGrants:
        """The prepaid balance. Undocumented; OpenAI itself answers secret keys with BalanceRefused, resellers do not.

        Raises: ProviderError.
        """
        answer = self._get("/dashboard/billing/credit_grants", [], upstream=OPENAI_PERSONAL)
        try:
            return openai_answers.credit_grants(answer, clock.now())
        except Unreadable as error:
            raise BadAnswer(OPENAI_PERSONAL, status=200, detail=str(error)) from error

    def _bucket_pages(
        self, path: str, start: date, end: date, group_by: tuple[str, ...], limit: int
    ) -> Iterator[paging.Page]:
        if end <= start:
            return iter(())
        params = [
            ("start_time", str(clock.unix_seconds(start))),
            ("end_time", str(clock.unix_seconds(end))),
            ("bucket_width", "1d"),
            ("limit", str(min(limit, (end - start).days))),
            *(("group_by", name) for name in group_by),
        ]
        return paging.follow(
            OPENAI_ADMIN,
            partial(self._get, path),
            params,
            sent_as="page",
            found_in="next_page",
        )

    def _name_pages(self, path: str, params: paging.Params) -> Iterator[paging.Page]:
        params = [("limit", str(_NAMES_PER_PAGE)), *params]
        return paging.follow(
            OPENAI_ADMIN,
            partial(self._get, path),
            params,
            sent_as="after",
            found_in="last_id",
        )

    def _get(self, path: str, params: paging.Params, upstream: Upstream = OPENAI_ADMIN) -> paging.Page:
        headers = {"Authorization": f"Bearer {self._api_key}"}
        return self._http.get_json(Call(upstream, self._base_url + path, headers, self._api_key, tuple(params)))
