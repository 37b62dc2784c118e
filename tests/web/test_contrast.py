"""WCAG 2.2 AA, computed from the tokens of app.css: text 4.5:1 on every surface it stands on, controls 3:1."""

from __future__ import annotations

import re
from itertools import product

import pytest

from tokenboard.web.assets import STATIC_ROOT

CSS = (STATIC_ROOT / "app.css").read_text("utf-8")
TOKENS = {
    name: (light, dark)
    for name, light, dark in re.findall(r"--([a-z0-9-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)", CSS)
}
SURFACES = ["bg", "card", "raised", "sunken", "hover"]
TEXTS = ["text", "muted", "accent", "ok", "warn", "bad"]
ON_FILLS = [
    *[
        ("accent", "accent-soft"),
        ("ok", "ok-soft"),
        ("warn", "warn-soft"),
        ("bad", "bad-soft"),
        ("text", "accent-soft"),
    ],
    *[("on-accent", "accent"), ("on-accent", "accent-hover"), ("on-bad", "bad")],
]


def luminance(colour: str) -> float:
    channels = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(first: str, second: str) -> float:
    darker, lighter = sorted((luminance(first), luminance(second)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("text", "surface"), [*product(TEXTS, SURFACES), *ON_FILLS])
def test_text_can_be_read(text: str, surface: str, theme: int) -> None:
    assert contrast(TOKENS[text][theme], TOKENS[surface][theme]) >= 4.5


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("edge", "surface"), list(product(["line-strong", "accent"], ["bg", "card"])))
def test_the_edge_of_a_field_and_the_focus_ring_can_be_seen(edge: str, surface: str, theme: int) -> None:
    assert contrast(TOKENS[edge][theme], TOKENS[surface][theme]) >= 3


def test_black_on_white_is_twenty_one() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
