"""Clients of other people's HTTP APIs: bytes in, frozen dataclasses out. No database, no Flask, no environment."""
