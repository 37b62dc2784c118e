"""One process of senders: `python -m bench.webhook_client`, with its order as JSON on standard input.

Order: port, secret, threads, seconds, starts_at (unix time). Every request is another event of 3 KB, signed as Stripe
signs. Answer on standard output: each one's milliseconds, and how many were not answered with 200.
"""

from __future__ import annotations

import hashlib
import hmac
import http.client
import itertools
import json
import sys
import threading
import time
from dataclasses import dataclass, field

from bench.webhook_event import event_body

PATH = "/api/webhooks/stripe"


@dataclass
class Sender:
    """One keep-alive connection."""

    port: int
    secret: str
    name: str
    took_ms: list[float] = field(default_factory=list)
    refused: int = 0

    def send_until(self, starts_at: float, seconds: float) -> None:
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        numbers = itertools.count()
        self._send(line, next(numbers))  # connects, and is not counted
        time.sleep(max(0.0, starts_at - time.time()))
        until = time.perf_counter() + seconds
        while time.perf_counter() < until:
            begun = time.perf_counter()
            status = self._send(line, next(numbers))
            self.took_ms.append((time.perf_counter() - begun) * 1000)
            self.refused += status != 200

    def _send(self, line: http.client.HTTPConnection, number: int) -> int:
        body = event_body(f"evt_{self.name}_{number}")
        moment = int(time.time())
        mark = hmac.new(self.secret.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
        headers = {"Stripe-Signature": f"t={moment},v1={mark}", "Content-Type": "application/json"}
        line.request("POST", PATH, body, headers)
        answer = line.getresponse()
        answer.read()
        return answer.status


def main() -> None:
    """Read the order, send, tell."""
    order = json.load(sys.stdin)
    senders = [Sender(order["port"], order["secret"], f"{order['name']}_{n}") for n in range(order["threads"])]
    threads = [
        threading.Thread(target=sender.send_until, args=(order["starts_at"], order["seconds"])) for sender in senders
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = sorted(ms for sender in senders for ms in sender.took_ms)
    json.dump({"took_ms": took, "refused": sum(sender.refused for sender in senders)}, sys.stdout)


if __name__ == "__main__":
    main()
