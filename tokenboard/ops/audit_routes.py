"""The control room's audit log: who did what, to what, from where; before and after; CSV."""

from __future__ import annotations

from flask import Blueprint, Response, request

from tokenboard.core.parsing import or_none, parse_id
from tokenboard.ops import audit_page, control_room
from tokenboard.web.fragments import page
from tokenboard.web.spreadsheets import csv_answer

blueprint = Blueprint("admin_audit", __name__, url_prefix="/admin/audit")

control_room.furnish(blueprint)


@blueprint.get("")
def audit_log() -> Response:
    question = audit_page.read_question(request.args)
    cursor = or_none(parse_id, request.args.get("cursor", "")) or ""
    return page("ops/audit.html", fragments=("audit",), view=audit_page.build(question, cursor=cursor))


@blueprint.get("/list.csv")
def audit_csv() -> Response:
    return csv_answer("tokenboard-audit.csv", audit_page.csv_rows(audit_page.read_question(request.args)))
