"""Hears whom the product speaks to: wapiti sends addresses that lead here, and asks afterwards which were gone to.

It is what wapiti3.ovh is to a scan of the open internet: `/ssrf/SCAN/ADDRESS/PARAMETER/` is kept, `get_ssrf.php` tells.
"""

from __future__ import annotations

import contextlib
import json
import re
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

_VISIT = re.compile(r"^/ssrf/\w+/(\d+)/([0-9a-f]+)")
_Heard = dict[str, dict[str, list[dict[str, str]]]]


class _Ear(BaseHTTPRequestHandler):
    heard: _Heard

    def _answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        visit = _VISIT.match(self.path)
        if visit:
            seen = {"url": self.path, "date": datetime.now(UTC).isoformat(), "ip": self.client_address[0]}
            told = self.heard.setdefault(visit[1], {}).setdefault(visit[2], [])
            told.append(seen | {"method": self.command})
        body = json.dumps(self.heard if self.path.startswith("/get_ssrf.php") else {}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PUT = _answer  # noqa: N815 - the base class's names

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Nothing."""


@contextlib.contextmanager
def listening() -> Iterator[str]:
    """The ear's address, with nothing heard yet."""
    fresh = type("Ear", (_Ear,), {"heard": {}})
    with ThreadingHTTPServer(("127.0.0.1", 0), fresh) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()
