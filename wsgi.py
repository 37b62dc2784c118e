"""What gunicorn and the flask command load."""

from __future__ import annotations

import sys

from tokenboard.app import create_app
from tokenboard.core.settings_fields import ConfigError

try:
    app = create_app()
except ConfigError as error:
    sys.exit(f"TokenBoard cannot start with these settings:\n{error}")
