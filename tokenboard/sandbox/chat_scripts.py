"""What the sandbox's models say: believable answers of a few paragraphs that fit the question a little.

| the last message | the answer |
| --- | --- |
| begins with `/say ` | the rest of it, word for word |
| begins with `/words N` | N numbered words |
| asks for code, a comparison, steps, a title | code with an explanation, a table, a numbered list, one line |
| anything else | a few paragraphs about it |

The same question gets the same answer.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from tokenboard.sandbox.chat_tokens import text_in

_WORDS_MAX = 100_000
_PLAIN_WORDS = frozenset(
    "a about an and are as at be between by can code compare comparison conversation could do does"
    " example explain first for from function give have hello help hi how i in is it list make me my of on"
    " or please python show some steps table tell that the their them then there these this title to us"
    " versus vs was we what when which who why will with word words would write you your".split()
)

_CODE = """Here is a small, complete version. It does one thing for {topic} and refuses what it cannot handle:

```python
from dataclasses import dataclass


@dataclass(frozen=True)
class Entry:
    name: str
    amount: int


def total(entries: list[Entry]) -> int:
    \"\"\"The sum of all amounts; an empty list is 0.\"\"\"
    if any(entry.amount < 0 for entry in entries):
        raise ValueError("an amount below zero")
    return sum(entry.amount for entry in entries)


print(total([Entry("first", 40), Entry("second", 2)]))  # 42
```

Three things are worth a second look:

1. **The data is frozen.** Nobody changes an `Entry` behind your back, so it can be shared and compared.
2. **The check comes first.** What is wrong is said at the door, not three calls later.
3. **There is no cleverness.** `sum` over a generator reads as the sentence you would say.

For {topic} I would begin with this, write two tests (an empty list, a negative amount), and only then add more."""

_TABLE = """In short: it depends on what you need more of, speed or certainty. Side by side, for {topic}:

| | first way | second way |
| --- | --- | --- |
| Time to begin | minutes | a day |
| Cost of a mistake | small, seen at once | larger, seen late |
| Grows with you | up to a point | yes |
| Good for | trying out, small teams | what must not fail |

**My advice:** start with the first way, write down what would make you change, and change when one of those things
happens. Most people move too early and pay for certainty they do not use yet.

If {topic} already carries money or other people's data, the second way is the cheaper one from the first day."""

_STEPS = """A way through {topic} that you can follow one step at a time:

1. **Say what done looks like.** One sentence that somebody else could check.
2. **Find the smallest first piece.** It should take less than a day and be useful alone.
3. **Do it, and look at the result.** Not at the plan: at the thing itself.
4. **Write down what surprised you.** Two lines are enough; they are the map for the next step.
5. **Repeat** until the sentence from step 1 is true.

Things that usually go wrong:

- the first piece is too large, so nothing can be looked at for weeks;
- step 4 is skipped, and the same surprise comes again;
- nobody remembers the sentence from step 1.

> A plan you can check every day beats a better plan you can check every month."""

_PROSE = """There are two sides to {topic}, and they are easy to mix up.

The first is what people see: the part you can point at, measure and argue about. It changes quickly, and most advice
is about it. The second is what carries it, the habits, limits and agreements underneath. That part changes slowly, and
it decides whether the first one lasts.

**Why this matters.** When something about {topic} does not work, the visible side gets mended first, because it is
near. If the trouble returns within a month, it sat on the other side. A useful question is therefore not *"what do we
change?"* but *"what would have to be true for this to stay changed?"*

A short example: a team answered slowly, so it hired. For three weeks it was faster, then as slow as before. What was
missing was not hands; every answer waited for the same person to agree. Once two more people could agree, the backlog
went within days.

So, for {topic}: look once at what you see, and twice at what it stands on. And keep `one number` that tells you which
of the two has moved.

*This is the sandbox speaking: nothing here was thought, and nothing was paid.*"""

_HELLO = """Hello! I am the sandbox's stand-in for a model. I can't think, but I stream, stop, count tokens and cost
credits just as a real one does.

Try me: ask for **code**, for a **comparison**, or for **steps**, and watch the cost under the answer."""

_THOUGHT = """The question is about {topic}. What would a good answer need? First the plain meaning, then what it
stands on, then one example that can be checked. I should not promise more than I know. A short list may be clearer
than a long sentence here. I will begin with the main point and keep the example small."""


def answer_to(messages: Sequence[Mapping[str, Any]]) -> str:
    """The answer to the last message."""
    asked = text_in(messages[-1]) if messages else ""
    lowered = asked.lower()
    if asked.startswith("/say "):
        return asked.removeprefix("/say ")
    if words := re.match(r"/words (\d{1,6})", asked):
        return " ".join(f"word{n}" for n in range(1, min(int(words[1]), _WORDS_MAX) + 1))
    if "title" in lowered and ("conversation" in lowered or "words" in lowered):
        return topic_of(asked).capitalize()
    return _template(lowered).format(topic=topic_of(asked))


def thought_about(messages: Sequence[Mapping[str, Any]]) -> str:
    """What a reasoning model thinks before it speaks."""
    return _THOUGHT.format(topic=topic_of(text_in(messages[-1]) if messages else ""))


def _template(asked: str) -> str:
    if re.search(r"\b(code|function|python|script|program|class|sql|regex)\b", asked):
        return _CODE
    if re.search(r"\b(compare|comparison|table|versus|vs|difference|better)\b", asked):
        return _TABLE
    if re.search(r"\b(steps?|list|plan|how (?:do|can|to)|guide)\b", asked):
        return _STEPS
    return _HELLO if re.fullmatch(r"\W*(hi|hello|hey|good \w+)\b.{0,20}", asked, re.DOTALL) else _PROSE


def topic_of(asked: str) -> str:
    """The words that carry the question, three at most."""
    found = [word for word in re.findall(r"[^\W\d_][\w'-]{1,24}", asked) if word.lower() not in _PLAIN_WORDS]
    return " ".join(found[:3]) or "this"
