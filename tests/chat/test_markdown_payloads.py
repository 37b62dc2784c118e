"""No active element comes out of a model's Markdown, whatever goes in: read back by an HTML parser."""

from __future__ import annotations

import time
from html.parser import HTMLParser
from urllib.parse import urlsplit

import pytest

from tests.chat.payloads import LARGE, all_payloads
from tokenboard.chat.markdown import LONGEST_RENDERED, render

PLAIN_TAGS = set(
    "p br hr h1 h2 h3 h4 h5 h6 em strong s code pre blockquote ul ol li a span table thead tbody tr th td".split()
)
ATTRIBUTES = {
    "a": {"href", "title", "target", "rel"},
    "ol": {"start"},
    "span": {"class"},
    "code": {"class"},
    "th": {"class"},
    "td": {"class"},
    "pre": {"class"},
}
CLASSES = ("hl-", "language-", "align-", "plain")


class Inspector(HTMLParser):
    """Collects what should not be there."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.faults: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in PLAIN_TAGS:
            self.faults.append(f"<{tag}>")
        for name, value in attrs:
            if name not in ATTRIBUTES.get(tag, set()):
                self.faults.append(f"{tag} {name}={value}")
            if name == "class" and not all(one.startswith(CLASSES) for one in (value or "").split()):
                self.faults.append(f"{tag} class={value}")
        if tag == "a":
            self._check_link(dict(attrs))

    def _check_link(self, attributes: dict[str, str | None]) -> None:
        href = attributes.get("href")
        if href is not None and urlsplit(href).scheme not in {"http", "https"}:
            self.faults.append(f"link to {href!r}")
        if attributes.get("rel") != "noopener noreferrer nofollow ugc":
            self.faults.append("a link without its rel")

    def handle_comment(self, data: str) -> None:
        self.faults.append(f"comment {data[:20]}")

    def handle_decl(self, decl: str) -> None:
        self.faults.append(f"declaration {decl[:20]}")

    def handle_pi(self, data: str) -> None:
        self.faults.append(f"instruction {data[:20]}")


def faults(html: str) -> list[str]:
    inspector = Inspector()
    inspector.feed(html)
    inspector.close()
    return inspector.faults


def test_there_are_at_least_three_hundred_of_them():
    assert len(set(all_payloads())) >= 300


def test_no_active_element_comes_out_of_any():
    assert {payload[:80]: found for payload in all_payloads() if (found := faults(render(payload)))} == {}


def test_the_inspector_finds_what_it_is_there_for():
    for html in ("<script>x</script>", "<p onclick=x>", "<a href='javascript:x'>", "<img src=x>", "<!--x-->"):
        assert faults(html), html


@pytest.mark.parametrize("payload", LARGE, ids=lambda text: text[:12].replace("\n", " "))
def test_the_worst_is_drawn_in_bounded_time(payload: str):
    render.cache_clear()
    began = time.thread_time()
    render(payload)
    assert time.thread_time() - began < 5


def test_text_past_the_cap_is_plain_and_complete():
    html = render("word\n" * (LONGEST_RENDERED // 5 + 100) + "**not bold**")
    assert '<pre class="plain">' in html
    assert "**not bold**" in html


def test_what_people_need_is_drawn():
    html = render("# A\n\n**b** ~~c~~ [d](https://ok.example)\n\n| x |\n|--:|\n| 1 |\n\n```py\nx = 1\n```\n\n3. three")
    for part in (
        "<h1>A</h1>",
        "<strong>b</strong>",
        "<s>c</s>",
        'href="https://ok.example"',
        '<td class="align-right">1</td>',
        '<code class="language-py">',
        '<span class="hl-n">x</span>',
        '<ol start="3">',
    ):
        assert part in html, part


def test_code_is_kept_to_the_letter():
    html = render("```\n  <b> & 'x'\n\n\n```")
    assert "  &lt;b&gt; &amp; 'x'" in html.replace("&#39;", "'")
