"""The product without its limits by address: the scanner is one address, and asks a door more than 600 times a minute.

`gunicorn tests.wapiti.door:app`. Limits that are counted from rows stay.
"""

from __future__ import annotations

from tokenboard.app import create_app
from tokenboard.web.limits import limiter

app = create_app()
limiter.enabled = False
