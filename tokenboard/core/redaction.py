"""Takes secrets and addresses out of text that is written down: log lines, stored errors, alerts."""

from __future__ import annotations

import re

_HIDDEN = "[hidden]"
# Each pattern keeps what tells the kind of secret and hides the rest. What stands before a mark is bounded: unbounded,
# 120 KB of "a.a.a." took 17 s.
_PATTERNS = (
    (re.compile(r"\b(sk-(?:ant-|admin-|proj-|svcacct-|tb-)?)[A-Za-z0-9_-]{6,}"), rf"\1{_HIDDEN}"),
    (re.compile(r"\b((?:sk|rk|pk)_(?:live|test)_)[A-Za-z0-9]{6,}"), rf"\1{_HIDDEN}"),
    (re.compile(r"\b(tbp_)[A-Za-z0-9_-]{6,}"), rf"\1{_HIDDEN}"),
    (re.compile(r"\b(whsec_)[A-Za-z0-9+/=_-]{6,}"), rf"\1{_HIDDEN}"),
    (re.compile(r"\b(Bearer|Basic)\s+[A-Za-z0-9._~+/=-]{6,}", re.IGNORECASE), rf"\1 {_HIDDEN}"),
    (re.compile(r"\beyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]*"), _HIDDEN),
    (re.compile(r"((?:__Host-)?tb(?:_session|[-_]device)?=)[^;\s\"']{8,}"), rf"\1{_HIDDEN}"),
    (re.compile(r"\b([a-z][a-z0-9+.-]{0,20}://[^:/@\s]*):[^@\s/]+@"), rf"\1:{_HIDDEN}@"),
    (re.compile(r"\b([A-Za-z0-9])[A-Za-z0-9._%+-]{0,63}@([A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+)"), r"\1…@\2"),
)
_SECRET_NAMES = re.compile(
    r"password|passwd|secret|token|api_?key|authorization|cookie|admin_?key|pepper|sealed", re.IGNORECASE
)
_LONGEST_TEXT = 4_000


def redact(text: str) -> str:
    """`text` with keys, tokens, cookies and passwords hidden and e-mail addresses masked."""
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    return text if len(text) <= _LONGEST_TEXT else text[:_LONGEST_TEXT] + "…"


def redact_value(name: str, value: object) -> object:
    """A log field's value: hidden when its name says it is secret, cleaned when it is text or holds text."""
    if _SECRET_NAMES.search(name) and value is not None and not isinstance(value, (bool, int)):
        return _HIDDEN
    if isinstance(value, dict):
        return {str(key): redact_value(str(key), inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [redact_value(name, inner) for inner in value]
    if isinstance(value, (bool, int, float)) or value is None:
        return value
    return redact(str(value))
