"""`./run wapiti`: how it reads wapiti's report, what it counts as explained, and what it never lets wapiti press."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.wapiti import findings
from tests.wapiti.findings import EXPLAINED, Explained, Finding, read, sorted_out
from tests.wapiti.walks import LEAVES, WALKS

ROOT = Path(__file__).resolve().parents[2]
KEY = "0b0e4e2c-6a5c-4f1c-9d0b-1f2a3b4c5d6e"
XSS = {"method": "GET", "path": f"/keys/{KEY}", "parameter": "q", "info": "XSS in\n q", "level": 3}


def test_every_kind_of_a_report_is_read_and_an_address_loses_its_ids():
    listed = {
        "vulnerabilities": {"XSS": [XSS], "SQL": []},
        "anomalies": {"Error": [XSS]},
        "additionals": {"Rem": [XSS]},
    }

    found = read(listed)

    assert [one.category for one in found] == ["XSS", "Error", "Rem"]
    assert str(found[0]) == "XSS: GET /keys/:id (q): XSS in q"


def test_a_module_that_had_no_time_for_everything_is_named(tmp_path: Path):
    log = tmp_path / "walk.log"
    assert findings.cut_short(log) == []
    log.write_text("[*] Launching module xss\n… Max attack time was reached for module xss, stopping.\n", "utf-8")
    assert findings.cut_short(log) == ["xss"]


def test_only_what_an_explanation_fits_in_every_part_is_explained(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(findings, "EXPLAINED", (Explained("by design", "SSRF", "^POST /hooks", "outgoing HTTP POST"),))
    wanted = Finding("SSRF", "POST", "/hooks", "url", "an outgoing HTTP POST")
    others = [
        Finding("XSS", "POST", "/hooks", "url", "an outgoing HTTP POST"),
        Finding("SSRF", "POST", "/keys", "url", "an outgoing HTTP POST"),
        Finding("SSRF", "POST", "/hooks", "url", "an outgoing HTTP GET"),
    ]

    left, explained = sorted_out([wanted, wanted, *others, others[0]])

    assert left == others
    assert explained == {"by design": 2}


def test_every_explanation_stands_in_the_docs_and_names_no_category_as_a_whole():
    told = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")

    assert [one.name for one in EXPLAINED if one.name not in told] == []
    assert [one.name for one in EXPLAINED if not (one.where or one.info)] == []


def test_no_walk_may_sign_itself_out():
    for walk in WALKS:
        words = walk.words(
            Path("wapiti"), "https://localhost:1", cookie="__Host-tb=x", ear="http://e/", folder=Path("/f")
        )

        shut = [re.escape(words[i + 1]).replace(r"\*", ".*") for i, word in enumerate(words) if word == "--exclude"]
        for path in ("/logout", "/settings/data/delete", f"/account/sessions/{KEY}/end"):
            assert any(re.fullmatch(one, f"https://localhost:1{path}") for one in shut), path
        assert len(shut) == len(LEAVES)
        assert words[words.index("--cookie-value") + 1] == "__Host-tb=x"
        assert words[words.index("--url") + 1] == f"https://localhost:1{walk.starts[0]}"
