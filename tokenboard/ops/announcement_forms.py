"""What administrators send about announcements."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from tokenboard.core.clock import now
from tokenboard.core.errors import ValidationFailed
from tokenboard.core.parsing import parse_id
from tokenboard.notices.announcement_service import AnnouncementWish
from tokenboard.web.forms import fields, line, one_of
from tokenboard.web.security import local_path

LONGEST_TEXT, LONGEST_LINK = 280, 300
FIELDS = ("text", "kind", "link", "starts_at", "ends_at")
_FARTHEST = timedelta(days=731)


@dataclass(frozen=True, slots=True)
class AnnouncementForm:
    """The form, read; `form_key` is the announcement's id."""

    wish: AnnouncementWish
    form_key: str


def read_announcement(given: Mapping[str, str]) -> AnnouncementForm:
    """Raises: ValidationFailed, naming each field."""
    read = fields(
        given,
        form_key=parse_id,
        text=line(LONGEST_TEXT, 3),
        kind=one_of("info", "warning"),
        link=_link,
        starts_at=_instant,
        ends_at=_instant,
    )
    starts_at = read["starts_at"] or now()
    if read["ends_at"] is not None and read["ends_at"] <= max(starts_at, now()):
        raise ValidationFailed({"ends_at": ["It ends after it begins, and not in the past."]})
    wish = AnnouncementWish(read["text"], read["kind"], read["link"], starts_at, read["ends_at"])
    return AnnouncementForm(wish, read["form_key"])


def _link(text: str) -> str:
    typed = line(LONGEST_LINK)(text)
    if not typed or local_path(typed, "") == typed:
        return str(typed)
    is_address = typed.startswith("https://") and " " not in typed and '"' not in typed
    if not is_address:
        raise ValueError("A path of this site, such as /pricing, or an https address.")
    return str(typed)


def _instant(text: str) -> datetime | None:
    """What a `datetime-local` field sends, taken as UTC; nothing: now, or no end."""
    typed = text.strip()
    if not typed:
        return None
    try:
        at = datetime.fromisoformat(typed[:40])
    except ValueError as error:
        raise ValueError("A day and a time (UTC), such as 2026-12-01T08:00.") from error
    at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    if abs(at - now()) > _FARTHEST:
        raise ValueError("At most two years from now.")
    return at
