"""The worked example of a metered feature: what it does, and the code that does the same from elsewhere.

It asks no model: what matters is the order, spend first and then work, in one answer, once for each key.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from tokenboard.wallet.rules import EXAMPLE_PRICE_MICROS

PRICE_MICROS = EXAMPLE_PRICE_MICROS
WORDS_A_MINUTE = 230  # silent reading of English; Brysbaert 2019, doi 10.1016/j.jml.2019.104047
_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
_SENTENCE = re.compile(r"[^.!?…]+[.!?…]*")


@dataclass(frozen=True, slots=True)
class Reading:
    """What the feature found in a text."""

    words: int
    sentences: int
    longest_word: str
    seconds: int

    @property
    def text(self) -> str:
        """In one sentence."""
        if not self.words:
            return "There was no text to read: 0 words."
        counted = f"{self.words} {'word' if self.words == 1 else 'words'}"
        parts = f"{self.sentences} {'sentence' if self.sentences == 1 else 'sentences'}"
        return f"{counted} in {parts}, about {self.seconds} s to read; the longest word is “{self.longest_word}”."


def read(prompt: str) -> Reading:
    """Measure a text."""
    words = _WORD.findall(prompt)
    sentences = [part for part in _SENTENCE.findall(prompt) if _WORD.search(part)]
    seconds = -(-len(words) * 60 // WORDS_A_MINUTE)
    return Reading(len(words), len(sentences), max(words, key=len, default=""), seconds)


def curl_code(base_url: str) -> str:
    """The same spend from a shell."""
    return f"""curl {base_url}/api/credits/spend \\
  -H "Authorization: Bearer $TOKEN" \\
  -H "Content-Type: application/json" \\
  -d '{{"amount": 1, "reason": "Summary of report 7",
       "idempotencyKey": "report-7"}}'"""


def python_code(base_url: str) -> str:
    """The same spend from a program."""
    return f'''import os
import requests

SITE = "{base_url}"
TOKEN = os.environ["TOKEN"]

def spend(credits, reason, key):
    """Spend first, then work. A retry is safe."""
    answer = requests.post(
        f"{{SITE}}/api/credits/spend",
        headers={{
            "Authorization": f"Bearer {{TOKEN}}",
            "Idempotency-Key": key,
        }},
        json={{"amount": credits, "reason": reason}},
        timeout=10,
    )
    if answer.status_code == 402:
        raise RuntimeError(answer.json()["error"])
    answer.raise_for_status()
    return answer.json()["balance"]

spend(1, "Summary of report 7", "report-7")'''
