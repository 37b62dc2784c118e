"""Two sign-in providers of other people's making, as programs of their own: a handy one in Python, a strict in Node.

Both are started once a test process, on loopback. `come_back` plays the browser there and answers where it leads.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests

BACK = "http://localhost:8000/login/oidc/callback"
CLIENT_ID, CLIENT_SECRET = "tokenboard", "a-client-secret-of-some-length-x"
PEER = Path(__file__).parent / "oidc_peer"
_FORM = re.compile(r'<form[^>]*action="([^"]+)"', re.IGNORECASE)
_HIDDEN = re.compile(r'name="([^"]+)"[^>]*value="([^"]*)"', re.IGNORECASE)


class Issuer(ABC):
    """A provider that runs. `path_of_users`: where a test sets what it tells of somebody."""

    path_of_users: str

    def __init__(self, url: str) -> None:
        self.url = url

    @property
    def discovery_url(self) -> str:
        return f"{self.url}/.well-known/openid-configuration"

    def set_user(self, subject: str, **claims: Any) -> None:
        """What is told of somebody from now on."""
        answer = requests.put(f"{self.url}/{self.path_of_users}/{subject}", json=claims, timeout=5)
        assert answer.status_code == 204, answer.text

    @abstractmethod
    def come_back(self, address: str, subject: str) -> str:
        """Sign in there as somebody; the path of ours that the browser is led back to."""


class Mock(Issuer):
    """oidc-provider-mock: any client, any claims, even those of the token itself."""

    path_of_users = "users"

    def come_back(self, address: str, subject: str) -> str:
        return _path(requests.post(address, data={"sub": subject}, allow_redirects=False, timeout=5))

    def deny(self, address: str) -> str:
        """Say no there."""
        return _path(requests.post(address, data={"action": "deny"}, allow_redirects=False, timeout=5))


class Node(Issuer):
    """npm oidc-provider: PKCE required, secret checked, forms for sign-in and consent."""

    path_of_users = "_users"

    def come_back(self, address: str, subject: str) -> str:
        with requests.Session() as browser:
            answer = browser.get(address, allow_redirects=False, timeout=5)
            for _ in range(12):  # sign-in, consent, and the redirects between them
                if answer.is_redirect:
                    onward = urljoin(answer.url, answer.headers["Location"])
                    if onward.startswith(BACK):
                        return _path(answer)
                    answer = browser.get(onward, allow_redirects=False, timeout=5)
                    continue
                form = _FORM.search(answer.text)
                assert form, answer.text
                typed = dict(_HIDDEN.findall(answer.text)) | {"login": subject, "password": "any"}
                action = urljoin(answer.url, form[1])
                answer = browser.post(action, data=typed, allow_redirects=False, timeout=5)
        raise AssertionError("the provider never led back")


def _path(answer: requests.Response) -> str:
    assert answer.is_redirect, (answer.status_code, answer.text[:500])
    parts = urlsplit(answer.headers["Location"])
    return f"{parts.path}?{parts.query}"


def why_no_node() -> str | None:
    """Why the strict provider cannot run here; None when it can."""
    if shutil.which("node") is None:
        return "node is not on this machine"
    if not (PEER / "node_modules" / "oidc-provider").is_dir():
        return f"npm ci --prefix {PEER.relative_to(Path.cwd())} installs the strict provider"
    return None


@contextlib.contextmanager
def running_mock() -> Iterator[Mock]:
    """The handy provider."""
    port = _free_port()
    command = [sys.executable, "-W", "ignore", "-m", "oidc_provider_mock", "-p", str(port)]
    with _running(command, f"http://localhost:{port}"):
        yield Mock(f"http://localhost:{port}")


@contextlib.contextmanager
def running_node() -> Iterator[Node]:
    """The strict provider."""
    port = _free_port()
    with _running(["node", str(PEER / "peer.mjs"), str(port), BACK], f"http://localhost:{port}"):
        yield Node(f"http://localhost:{port}")


@contextlib.contextmanager
def _running(command: list[str], url: str) -> Iterator[None]:
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=dict(os.environ))
    try:
        _wait(f"{url}/.well-known/openid-configuration", process)
        yield
    finally:
        process.terminate()
        process.wait(timeout=10)


def _wait(address: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        assert process.poll() is None, f"the provider ended with {process.returncode}"
        with contextlib.suppress(requests.ConnectionError):
            if requests.get(address, timeout=2).status_code == 200:
                return
        time.sleep(0.05)
    raise TimeoutError("the provider did not start")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
