"""Static files: the vendored ones are what they say, addresses name their content, headers are complete."""

from __future__ import annotations

import gzip
import os
import re
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from scripts.build_icons import ICONS
from tokenboard.web import assets
from tokenboard.web.assets import ONE_YEAR_IMMUTABLE, REVALIDATE, STATIC_ROOT, UnknownAsset, compress, static_url

README = (STATIC_ROOT / "vendor" / "README.md").read_text("utf-8")
TEMPLATES = STATIC_ROOT.parent / "templates"
FILES_WE_WROTE = {"app.css", "app.js", "chat.css", "chat.js", "favicon.svg", "front.css", "terminal.js"}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A static folder of our own, so that tests may write into it."""
    (tmp_path / "app.css").write_text("body { margin: 0 }\n" * 200, "utf-8")
    (tmp_path / "vendor").mkdir()
    (tmp_path / "vendor" / "inter-latin-5.3.0.woff2").write_bytes(b"font")
    monkeypatch.setattr(assets, "STATIC_ROOT", tmp_path)
    return tmp_path


def client_of(**options: bool) -> FlaskClient:
    app = Flask(__name__, static_folder=None)
    assets.init_app(app, **options)
    return app.test_client()


@pytest.fixture
def client(folder: Path) -> Iterator[FlaskClient]:
    with client_of() as client:
        yield client


def rows() -> list[tuple[str, str]]:
    return re.findall(r"^\| `([^`]+)` \|.*\| `([0-9a-f]{64})` \|$", README, re.MULTILINE)


@pytest.mark.parametrize(("name", "expected"), rows())
def test_a_vendored_file_is_the_one_that_was_checked(name: str, expected: str) -> None:
    assert sha256((STATIC_ROOT / name).read_bytes()).hexdigest() == expected


def test_every_file_of_others_is_listed_with_its_licence() -> None:
    files = {
        path.relative_to(STATIC_ROOT).as_posix()
        for path in STATIC_ROOT.rglob("*")
        if path.is_file() and path.suffix not in {".gz", ".md"} and not path.name.startswith("LICENSE-")
    }
    assert files - FILES_WE_WROTE == {name for name, _ in rows()}
    for licence in set(re.findall(r"LICENSE-[a-z]+\.txt", README)):
        assert (STATIC_ROOT / "vendor" / licence).stat().st_size > 400


def test_every_icon_of_the_templates_is_in_the_sprite() -> None:
    sprite = set(re.findall(r'<symbol id="([a-z0-9-]+)"', (STATIC_ROOT / "icons.svg").read_text("utf-8")))
    assert sprite == set(ICONS)
    for template in TEMPLATES.rglob("*.html"):
        used = re.findall(r'(?:icon\(|icon=|_icon\()"([a-z0-9-]+)"', template.read_text("utf-8"))
        assert set(used) <= sprite, f"{template.name}: {set(used) - sprite}"


def test_an_address_changes_with_the_content(folder: Path) -> None:
    before = static_url("app.css")
    assert re.fullmatch(r"/static/app\.css\?v=[0-9a-f]{10}", before)
    (folder / "app.css").write_text("body { margin: 1px }", "utf-8")
    assert static_url("app.css") != before


def test_a_vendored_address_is_its_name() -> None:
    assert static_url("vendor/inter-latin-5.3.0.woff2") == "/static/vendor/inter-latin-5.3.0.woff2"


def test_a_missing_file_is_a_mistake_in_the_template() -> None:
    with pytest.raises(UnknownAsset):
        static_url("nothing.css")


def test_the_right_address_may_be_kept_for_a_year(client: FlaskClient) -> None:
    assert client.get(static_url("app.css")).headers["Cache-Control"] == ONE_YEAR_IMMUTABLE
    assert client.get("/static/vendor/inter-latin-5.3.0.woff2").headers["Cache-Control"] == ONE_YEAR_IMMUTABLE


@pytest.mark.parametrize("query", ["", "?v=", "?v=0123456789", "?w=1", "?v=" + "0" * 500])
def test_any_other_address_is_asked_again(client: FlaskClient, query: str) -> None:
    assert client.get("/static/app.css" + query).headers["Cache-Control"] == REVALIDATE


def test_a_second_visit_costs_a_304_with_the_same_headers(client: FlaskClient) -> None:
    first = client.get("/static/app.css")
    again = client.get("/static/app.css", headers={"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304
    assert again.headers["Cache-Control"] == REVALIDATE
    assert again.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
@pytest.mark.parametrize("path", ["/static/app.css", "/static/nothing.css", "/static/", "/static/../wsgi.py"])
def test_no_static_answer_is_sniffed_framed_or_shared(client: FlaskClient, method: str, path: str) -> None:
    headers = client.open(path, method=method).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert "Access-Control-Allow-Origin" not in headers


def test_a_refusal_is_not_cached(client: FlaskClient) -> None:
    missing = client.get("/static/nothing.css?v=0123456789")
    assert missing.status_code == 404
    assert "immutable" not in missing.headers.get("Cache-Control", "")


@pytest.mark.parametrize("path", ["/static/../pyproject.toml", "/static/%2e%2e/pyproject.toml", "/static//etc/passwd"])
@pytest.mark.parametrize("watch", [False, True])
def test_nothing_outside_the_folder_is_served(folder: Path, path: str, watch: bool) -> None:
    assert client_of(watch=watch).get(path).status_code == 404


def test_transport_security_is_promised_on_https_only(folder: Path) -> None:
    assert "Strict-Transport-Security" not in client_of().get("/static/app.css").headers
    assert "Strict-Transport-Security" in client_of(is_https=True).get("/static/app.css").headers


def test_a_compressed_file_goes_to_those_who_take_it(folder: Path) -> None:
    assert [path.name for path in compress(folder)] == ["app.css.gz"]
    client = client_of()
    small = client.get("/static/app.css", headers={"Accept-Encoding": "gzip"})
    assert small.headers["Content-Encoding"] == "gzip"
    assert small.headers["Vary"] == "Accept-Encoding"
    assert gzip.decompress(small.data) == (folder / "app.css").read_bytes()
    assert client.get("/static/app.css").data == (folder / "app.css").read_bytes()
    assert client.get("/static/app.css.gz").status_code == 404


def test_compressing_again_writes_nothing(folder: Path) -> None:
    compress(folder)
    assert compress(folder) == []


@pytest.mark.parametrize("watch", [False, True])
def test_yesterdays_compression_does_not_hide_todays_edit(folder: Path, watch: bool) -> None:
    compress(folder)
    (folder / "app.css").write_text("body { margin: 2px }", "utf-8")
    later = (folder / "app.css.gz").stat().st_mtime_ns + 10**9
    os.utime(folder / "app.css", ns=(later, later))
    answer = client_of(watch=watch).get("/static/app.css", headers={"Accept-Encoding": "gzip"})
    assert answer.data == b"body { margin: 2px }"


def test_a_watched_folder_shows_an_edit_at_once(folder: Path) -> None:
    client = client_of(watch=True)
    client.get("/static/app.css")
    (folder / "app.css").write_text("body { margin: 3px }", "utf-8")
    assert client.get("/static/app.css").data == b"body { margin: 3px }"


def test_the_first_page_weighs_less_than_its_budget() -> None:
    """Style, scripts and icons; design.md allows 60 KB with the page itself, the font excluded."""
    names = ["app.css", "app.js", "icons.svg", "vendor/htmx-4.0.1.min.js", "vendor/hx-sse-4.0.1.min.js"]
    assert sum(len(gzip.compress((STATIC_ROOT / name).read_bytes(), 9)) for name in names) < 40_000
