"""Shapes of the operator's answers, for the OpenAPI document."""

from __future__ import annotations

from typing import Any

from tokenboard.web.shapes import OpenShape, Sentence, Shape


class Part(Shape):
    """One part of the house and how it fares."""

    ok: bool
    detail: Sentence


class OpenApi(OpenShape):
    """An OpenAPI 3.1 document."""

    openapi: str
    info: dict[str, Any]
    paths: dict[str, Any]
