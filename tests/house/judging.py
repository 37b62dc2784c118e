"""Holds an answer against the OpenAPI document: is its status told, its media, its shape."""

from __future__ import annotations

import json
from functools import cached_property
from typing import Any

from jsonschema import Draft202012Validator
from werkzeug.test import TestResponse

Json = dict[str, Any]


class Judge:
    """Knows the document; says what of an answer it does not tell."""

    def __init__(self, document: Json) -> None:
        self.document = document
        self._validators: dict[str, Any] = {}

    @cached_property
    def calls(self) -> dict[str, Json]:
        """By `POST /api/keys/{keyId}/rotate`."""
        paths = self.document["paths"].items()
        return {f"{method.upper()} {path}": call for path, methods in paths for method, call in methods.items()}

    def faults(self, route: str, answer: TestResponse) -> list[str]:
        """Empty for an answer that is as the document says."""
        told = self.calls[route]["responses"].get(str(answer.status_code))
        if told is None:
            return [f"status {answer.status_code} is not told"]
        told = self._resolved(told)
        if "content" not in told:
            return [] if not answer.data or answer.status_code == 303 else ["a body where none is told"]
        media = told["content"].get(answer.mimetype)
        if media is None:
            return [f"{answer.mimetype} is not told for {answer.status_code}"]
        return self.misfits(media["schema"], json.loads(answer.text)) if answer.is_json else []

    def misfits(self, schema: Json, value: Any) -> list[str]:
        """Where a value does not fit a schema."""
        key = json.dumps(schema, sort_keys=True)
        if key not in self._validators:
            whole = schema | {"components": self.document["components"]}
            self._validators[key] = Draft202012Validator(whole)
        found = self._validators[key].iter_errors(value)
        return [f"{'/'.join(map(str, one.absolute_path))}: {one.message[:160]}" for one in found]

    def _resolved(self, told: Json) -> Json:
        reference = told.get("$ref", "")
        if not reference:
            return told
        _, _, kind, name = reference.split("/")
        found: Json = self.document["components"][kind][name]
        return found
