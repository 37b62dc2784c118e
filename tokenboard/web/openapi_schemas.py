"""Bodies, queries and shapes as JSON schemas of the OpenAPI document, and an example of each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter, create_model

from tokenboard.web.shapes import Shape

Json = dict[str, Any]

REF = "#/components/schemas/"
DEEPEST_EXAMPLE = 6
_ENTRY = "validation"  # a field with a default may be left out, in answers too


def shape_of(answer: Any, name: str) -> Any:
    """The type of an answer: a shape as it is, an object of fields as one made for it."""
    if not isinstance(answer, Mapping):
        return answer
    fields: dict[str, Any] = {field: (kind, ...) for field, kind in answer.items()}
    return create_model(name, __base__=Shape, **fields)


class Schemas:
    """Every schema of the document, each named once."""

    def __init__(self, types: Mapping[str, Any]) -> None:
        """`types` by the key they are asked for again with."""
        asked = [(key, _ENTRY, TypeAdapter(kind)) for key, kind in types.items()]
        found, definitions = TypeAdapter.json_schemas(asked, ref_template=REF + "{model}")  # type: ignore[arg-type]
        self._by_key: Json = {key: plain(schema) for (key, _), schema in found.items()}
        self.components: Json = plain(definitions.get("$defs", {}))

    def schema(self, key: str) -> Json:
        """Of a body or an answer: a reference where it has a name."""
        found: Json = self._by_key[key]
        return found

    def parameters(self, key: str) -> list[Json]:
        """Of a query: each field by itself."""
        whole = self.resolved(self.schema(key))
        required = whole.get("required", [])
        return [
            {"name": name, "in": "query", "required": name in required, **_described(_never_null(schema))}
            for name, schema in whole.get("properties", {}).items()
        ]

    def resolved(self, schema: Json) -> Json:
        """What a reference leads to."""
        reference = schema.get("$ref", "")
        return self.components[reference.removeprefix(REF)] if reference else schema

    def used_in(self, paths: Json) -> Json:
        """The named schemas that something refers to; a query's fields stand in the calls themselves."""
        found: Json = {}
        asked = _references(paths)
        while asked:
            name = asked.pop()
            if name not in found:
                found[name] = self.components[name]
                asked |= _references(found[name])
        return dict(sorted(found.items()))

    def example(self, schema: Json, depth: int = 0) -> Any:
        """A value that fits, made of the fields' own examples."""
        schema = self.resolved(schema)
        for name in ("examples", "enum"):
            if schema.get(name):
                return schema[name][0]
        if "const" in schema:
            return schema["const"]
        choices = [one for one in schema.get("anyOf", []) if one.get("type") != "null"]
        if choices:
            return self.example(choices[0], depth)
        return self._example_of_type(schema, depth)

    def _example_of_type(self, schema: Json, depth: int) -> Any:
        if "default" in schema and schema["default"] is not None:
            return schema["default"]
        kind = schema.get("type")
        if kind == "object":
            return self._example_of_object(schema, depth)
        if kind == "array":
            return [] if depth > DEEPEST_EXAMPLE else [self.example(schema.get("items", {}), depth + 1)]
        if kind in ("integer", "number"):
            return schema.get("minimum", 1)
        return {"boolean": True, "string": "text", "null": None}.get(kind or "", {})

    def _example_of_object(self, schema: Json, depth: int) -> Json:
        properties = schema.get("properties")
        if properties:
            return {name: self.example(one, depth + 1) for name, one in properties.items()}
        more = schema.get("additionalProperties")
        return {"name": self.example(more, depth + 1)} if isinstance(more, dict) and more else {}


def plain(schema: Any) -> Any:
    """Without pydantic's titles, which say nothing that the names do not."""
    if isinstance(schema, list):
        return [plain(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    return {name: plain(one) for name, one in schema.items() if name != "title" or not isinstance(one, str)}


def _references(told: Any) -> set[str]:
    """The names of the schemas that are referred to."""
    if isinstance(told, list):
        return {name for one in told for name in _references(one)}
    if not isinstance(told, dict):
        return set()
    reference = told.get("$ref", "")
    own = {reference.removeprefix(REF)} if isinstance(reference, str) and reference.startswith(REF) else set()
    return own.union(*(_references(one) for one in told.values()))


def _never_null(schema: Json) -> Json:
    """A parameter that is not given is left out."""
    choices = [one for one in schema.get("anyOf", []) if one.get("type") != "null"]
    more = {name: one for name, one in schema.items() if name not in ("anyOf", "default") or one is None}
    found = {**choices[0], **more} if len(choices) == 1 else {**schema}
    found.pop("anyOf" if len(choices) == 1 else "", None)
    if schema.get("default") is not None:
        found["default"] = schema["default"]
    else:
        found.pop("default", None)
    return found


def _described(schema: Json) -> Json:
    """A parameter's schema, its description beside it."""
    description = schema.pop("description", "")
    return {"schema": schema, **({"description": description} if description else {})}
