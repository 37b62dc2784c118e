"""`python -m tokenboard.sandbox --port 8401 --database instance/sandbox.db`: the stand-ins, on loopback."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
from pathlib import Path

from tokenboard.sandbox.app import create_sandbox
from tokenboard.sandbox.litellm_admin_spend import DELAY
from tokenboard.sandbox.memory import EXTENSION
from tokenboard.sandbox.serving import LOOPBACK, server, stop

# As a real LiteLLM: deliveries every five seconds, rows in its log some seconds after the call.
CALLBACK_SECONDS, LOG_DELAY_SECONDS = 5.0, "7"


def main() -> int:
    """Serve until told to stop."""
    arguments = _arguments()
    # Its own process, without settings; this one question keeps invented bills out of a real house.
    if os.environ.get("TOKENBOARD_ENV") == "production":
        sys.stderr.write("The sandbox invents money and is refused in production.\n")
        return 2
    app = create_sandbox(arguments.database, webhooks_to=arguments.webhooks_to, callback_seconds=CALLBACK_SECONDS)
    app.extensions[EXTENSION].store.settle(DELAY, LOG_DELAY_SECONDS)
    try:
        running = server(app, arguments.port)
    except OSError as error:
        sys.stderr.write(f"The sandbox cannot listen on port {arguments.port}: {os.strerror(error.errno or 0)}.\n")
        return 1
    for number in (signal.SIGTERM, signal.SIGINT):
        # serve_forever runs in this thread, and shutdown waits for it: so it is told from another.
        signal.signal(number, lambda *_: threading.Thread(target=stop, args=(app, running)).start())
    sys.stdout.write(f"Sandbox providers at http://{LOOPBACK}:{running.port}\n")
    sys.stdout.flush()
    running.serve_forever(poll_interval=0.2)
    running.server_close()
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tokenboard.sandbox", description=__doc__)
    parser.add_argument("--port", type=int, default=8401)
    parser.add_argument("--database", type=Path, default=Path("instance/sandbox.db"))
    parser.add_argument("--webhooks-to", default="", help="base URL of the house, for the payment providers' webhooks")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
