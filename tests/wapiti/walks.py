"""The walks: who goes through the product, where they begin, and what they leave alone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

# All that can find something here; left out: other products' (cms, wapp, nikto …), TLS, which is the proxy's, and what
# needs a database from the internet.
MODULES = (
    *("backup", "cookieflags", "crlf", "csp", "csrf", "exec", "file", "htaccess", "http_headers", "methods"),
    *("redirect", "shellshock", "sql", "ssrf", "timesql", "upload", "xss", "permanentxss", "xxe"),
)
# Doors after which the walker would be nobody, or somebody with nothing left to see.
LEAVES = (
    *("/logout*", "/account/sessions/*", "/settings/data/delete*", "/settings/security/second-factor/remove*"),
    *("*/make-owner*", "/settings/workspace/members/*", "/demo/remove*", "/workspaces/switch*", "/view/end*"),
    *("/admin/users/*/disable*", "/admin/users/*/administrator*", "/admin/users/*/view*"),
)
LOOK_SECONDS, ATTACK_SECONDS = 120, 90  # for the look around; for each module
ANSWER_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Walk:
    """One scan."""

    name: str
    who: str  # of the cast; empty: nobody
    starts: tuple[str, ...]
    addresses: int  # fewer than these were seen: the walk did not get in
    scope: str = "domain"
    modules: tuple[str, ...] = MODULES

    def words(
        self, program: Path, url: str, *, cookie: str, ear: str, folder: Path, seconds: int = ATTACK_SECONDS
    ) -> list[str]:
        """wapiti's command line. `url` has no path; the report goes to `folder`."""
        options = {
            "--scope": self.scope,
            "--module": ",".join(self.modules),
            "--skip": "csrf_token",  # the csrf module has its own eye on it
            "--endpoint": ear,
            "--timeout": str(ANSWER_SECONDS),
            "--tasks": "4",
            "--scan-force": "paranoid",  # an address with other values in its query is soon the same page
            "--max-scan-time": str(LOOK_SECONDS),
            "--max-attack-time": str(seconds),
            "--store-session": str(folder),
            "--store-config": str(folder),
            "--format": "json",
            "--output": str(self.report(folder)),
            "--log": str(self.log(folder)),
        }
        given = [word for pair in options.items() for word in pair]
        more = [word for path in self.starts[1:] for word in ("--start", url + path)]
        shut = [word for path in LEAVES for word in ("--exclude", url + path)]
        return [
            str(program),
            *("--url", url + self.starts[0]),
            *more,
            *shut,
            *given,
            *("--cookie-value", cookie, "--flush-session", "--no-bugreport"),
        ]

    @property
    def file(self) -> str:
        return self.name.replace(" ", "-")

    def log(self, folder: Path) -> Path:
        return folder / f"{self.file}.log"

    def report(self, folder: Path) -> Path:
        return folder / f"{self.file}.json"


WALKS = (
    Walk(
        "signed out", "", ("/", "/login", "/register", "/forgot", "/models"), 15, modules=(*MODULES, "brute_login_form")
    ),
    Walk(
        "signed in",
        "alice",
        ("/dashboard", "/credits", "/usage", "/keys", "/chat", "/account", "/settings/workspace", "/subscription"),
        60,
    ),
    Walk("administrator", "ada", ("/admin/users", "/admin/payments", "/admin/books/month"), 30, scope="folder"),
)
