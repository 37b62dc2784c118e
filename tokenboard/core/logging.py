"""Structured logs: one JSON object a line, with the request's or job's id, without secrets.

On standard output; of commands on standard error, so that their answers stand alone.
Line breaks inside a value are escaped by JSON, so no value can forge a line.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import click
import structlog

from tokenboard.core.redaction import redact_value

EventDict = MutableMapping[str, Any]


def _redacted(_logger: object, _method: str, event: EventDict) -> EventDict:
    return {name: redact_value(name, value) for name, value in event.items()}


_PROCESSORS: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.stdlib.ExtraAdder(),
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]


def configure_logging(level: str) -> None:
    """Send every logger of the process, ours and the libraries', through one JSON writer."""
    is_command = click.get_current_context(silent=True) is not None
    # What a command answers stands alone on standard output, to be read by programs.
    handler = logging.StreamHandler(sys.stderr if is_command else sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=_PROCESSORS,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                _redacted,
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    logging.getLogger("urllib3").setLevel(logging.WARNING)  # its DEBUG lines carry whole addresses


def bind(**fields: object) -> None:
    """Add fields to every following log line of this request or job."""
    structlog.contextvars.bind_contextvars(**fields)


def clear() -> None:
    """Forget the fields of the request or job before."""
    structlog.contextvars.clear_contextvars()
