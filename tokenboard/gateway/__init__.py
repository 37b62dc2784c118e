"""The OpenAI-compatible `/v1`: opened by a virtual key or Open WebUI's signed identity, paid by hold and settle."""
