"""At the start: the books count in credits of the configured value, or the application does not start."""

from __future__ import annotations

import logging

from flask import Flask
from sqlalchemy.exc import OperationalError, ProgrammingError

from tokenboard.core.db import db
from tokenboard.core.money import nano_from_usd
from tokenboard.core.settings import settings
from tokenboard.core.settings_fields import ConfigError
from tokenboard.ledger import service as ledger
from tokenboard.ledger.errors import CreditValueFrozen

log = logging.getLogger(__name__)


def check(app: Flask) -> None:
    """A database that is not migrated yet, or away, is looked at by the next `open_account`.

    Raises: ConfigError when the ledger has entries in another value.
    """
    with app.app_context():
        try:
            ledger.adopt_credit_value(credit_value_nano_usd=nano_from_usd(settings().credit_value_usd))
            db.session.commit()
        except CreditValueFrozen as error:
            db.session.rollback()
            raise ConfigError([error.message]) from error
        except (OperationalError, ProgrammingError) as error:
            db.session.rollback()
            log.info("credit_value_not_checked", extra={"error": type(error).__name__})
        finally:
            db.engine.dispose()  # a process that forks workers now must leave them no connection
