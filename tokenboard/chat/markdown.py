"""A model's Markdown as HTML that can do nothing: what it wrote may have been written by anybody.

Laws: no raw HTML, no images (a remote one tells somebody that the answer was read), no linked bare addresses; links go
to http and https only; what comes out of the renderer passes an allow-list without `id`, `style`, `name` and `hx-*`;
the first 64 KiB are rendered, the rest is shown as plain text. Rendered once an answer is complete, never piecewise.
Source: reference/security.md 3.1 (37 payloads; 64 KiB render in 114 ms), held by tests/chat/test_markdown_payloads.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import nh3
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_core import StateCore
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict
from markupsafe import Markup, escape
from pygments import highlight
from pygments.formatters.html import HtmlFormatter
from pygments.lexer import Lexer
from pygments.lexers import get_lexer_by_name
from pygments.token import STANDARD_TYPES

LONGEST_RENDERED = 64 * 1024  # characters
LONGEST_HIGHLIGHTED = 16 * 1024  # characters of one block: lexers are regular expressions
PREFIX = "hl-"  # Pygments' own names are as short as `s1`, which a chart's colour is called too

# Names that models write after the three ticks, and the lexer each one means.
LANGUAGES = {
    "bash": "bash",
    "c": "c",
    "cpp": "cpp",
    "c++": "cpp",
    "csharp": "csharp",
    "cs": "csharp",
    "css": "css",
    "diff": "diff",
    "dockerfile": "docker",
    "go": "go",
    "graphql": "graphql",
    "html": "html",
    "http": "http",
    "ini": "ini",
    "java": "java",
    "javascript": "javascript",
    "js": "javascript",
    "json": "json",
    "jsx": "javascript",
    "kotlin": "kotlin",
    "lua": "lua",
    "makefile": "make",
    "markdown": "markdown",
    "md": "markdown",
    "php": "php",
    "powershell": "powershell",
    "py": "python",
    "python": "python",
    "r": "r",
    "rb": "ruby",
    "ruby": "ruby",
    "rs": "rust",
    "rust": "rust",
    "scala": "scala",
    "sh": "bash",
    "shell": "bash",
    "sql": "sql",
    "swift": "swift",
    "toml": "toml",
    "ts": "typescript",
    "tsx": "typescript",
    "typescript": "typescript",
    "xml": "xml",
    "yaml": "yaml",
    "yml": "yaml",
    "zsh": "bash",
}

_TAGS = set(
    "p br hr h1 h2 h3 h4 h5 h6 em strong s code pre blockquote ul ol li a span table thead tbody tr th td".split()
)
_ATTRIBUTES = {"a": {"href", "title"}, "ol": {"start"}}
_CLASSES = {
    "span": {PREFIX + short for short in STANDARD_TYPES.values() if short},
    "code": {f"language-{name}" for name in LANGUAGES},
    "th": {"align-left", "align-center", "align-right"},
    "td": {"align-left", "align-center", "align-right"},
}
_LINKS_OPEN_ELSEWHERE = {"a": {"target": "_blank"}}
_REL = "noopener noreferrer nofollow ugc"
_cleaner = nh3.Cleaner(
    tags=_TAGS,
    attributes=_ATTRIBUTES,
    allowed_classes=_CLASSES,
    url_schemes={"http", "https"},
    url_relative="deny",
    link_rel=_REL,
    set_tag_attribute_values=_LINKS_OPEN_ELSEWHERE,
    clean_content_tags={"script", "style"},
)
_formatter: HtmlFormatter = HtmlFormatter(nowrap=True, classprefix=PREFIX)


@lru_cache(maxsize=256)
def render(text: str) -> Markup:
    """HTML of an answer, safe to place in a page."""
    head, rest = _split(text)
    html = _cleaner.clean(_markdown.render(head))
    # The allow-list above is what makes this safe; nothing else in the product marks text as safe.
    rendered = Markup(html)  # noqa: S704
    return rendered + Markup('<pre class="plain">{}</pre>').format(rest) if rest else rendered


def _split(text: str) -> tuple[str, str]:
    """What is rendered and what is too much for it, cut at a line where there is one."""
    if len(text) <= LONGEST_RENDERED:
        return text, ""
    cut = text.rfind("\n", LONGEST_RENDERED // 2, LONGEST_RENDERED) + 1 or LONGEST_RENDERED
    return text[:cut], text[cut:]


def _highlight(code: str, language: str) -> str:
    """A fenced block's inside; plain when its language is not one of ours or it is long."""
    if language not in LANGUAGES or len(code) > LONGEST_HIGHLIGHTED:
        return str(escape(code))
    return str(highlight(code, _lexer(LANGUAGES[language]), _formatter))


@lru_cache(maxsize=64)
def _lexer(name: str) -> Lexer:
    found: Lexer = get_lexer_by_name(name, stripnl=False)
    return found


def _fence(_renderer: RendererHTML, tokens: Sequence[Token], index: int, _options: OptionsDict, _env: EnvType) -> str:
    """A fenced block with its language as a class, where it is one of ours."""
    token = tokens[index]
    language = token.info.split(maxsplit=1)[0].lower() if token.info.strip() else ""
    label = f' class="language-{language}"' if language in LANGUAGES else ""
    return f"<pre><code{label}>{_highlight(token.content, language)}</code></pre>\n"


def _align_by_class(state: StateCore) -> None:
    """A table cell's alignment as a class: the content policy refuses the style that is written otherwise."""
    for token in state.tokens:
        style = token.attrs.pop("style", None) if token.type in {"th_open", "td_open"} else None
        if style:
            token.attrSet("class", "align-" + str(style).removeprefix("text-align:"))


def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "linkify": False})
    parser.enable(["table", "strikethrough"]).disable("image")
    parser.core.ruler.push("align_by_class", _align_by_class)
    parser.add_render_rule("fence", _fence)
    return parser


_markdown = _parser()
