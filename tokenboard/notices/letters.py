"""E-mails of two bodies: `templates/mail/NAME.txt` and the same as `.html`, filled with the same facts.

Laws: the text alone says everything; a link's token stands in neither, but SECRET_PLACE, and is sealed until the
message is out (service.py); the HTML asks for nothing from anywhere.
"""

from __future__ import annotations

from collections.abc import Mapping

from flask import current_app

from tokenboard.core.settings import settings
from tokenboard.notices.service import SECRET_PLACE, send_email


def send_letter(
    name: str,
    *,
    kind: str,
    address: str,
    subject: str,
    idempotency_key: str,
    path: str = "",
    secret: str = "",
    workspace_id: str | None = None,
    facts: Mapping[str, object],
) -> None:
    """Put a letter into the outbox. `path` leads to a page of ours; with a `secret` the link ends with it.

    Idempotent: the same key again does nothing.
    """
    site = settings().base_url
    filled = {**facts, "site": site, "subject": subject, "link": f"{site}{path}{SECRET_PLACE if secret else ''}"}
    templates = (current_app.jinja_env.get_template(f"mail/{name}.{suffix}") for suffix in ("txt", "html"))
    text, html = (template.render(filled) for template in templates)
    send_email(
        kind=kind,
        address=address,
        subject=subject,
        text=text,
        html=html,
        secret=secret,
        idempotency_key=idempotency_key,
        workspace_id=workspace_id,
    )
