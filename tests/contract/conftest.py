"""Contract tests ask a sandbox of their own."""

from __future__ import annotations

import json

import pytest
from flask import Flask
from openapi_core import OpenAPI

from tests.contract.shared import text_of
from tests.providers.stand_in import served, stand_in
from tests.providers.till import official, shop, till

__all__ = ["official", "served", "shop", "stand_in", "till"]


@pytest.fixture(scope="session")
def rules(served: tuple[Flask, str]) -> OpenAPI:
    """LiteLLM's own description, which takes seconds to read: those who want it share a test process."""
    described = json.loads(text_of("specs/litellm.openapi.json"))
    # The file names one of the two headers the proxy takes a key from; we use the other.
    described["components"]["securitySchemes"]["APIKeyHeader"]["name"] = "Authorization"
    return OpenAPI.from_dict({**described, "servers": [{"url": f"{served[1]}/litellm"}]})
