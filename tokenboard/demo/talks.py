"""What was asked and answered in the demo's chats. Pure text; what it cost is settled as any answer is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Turn:
    """A question and its answer. `is_stopped`: its reader had read enough."""

    question: str
    answer: str
    seconds: int
    is_stopped: bool = False


@dataclass(frozen=True, slots=True)
class Talk:
    """One conversation, so long before the demo is loaded."""

    ago: timedelta
    title: str
    turns: tuple[Turn, ...]
    is_pinned: bool = False
    # Which of the models that are offered here, the dearest first.
    model: int = 0


_METHODS = """\
A short methods paragraph in three sentences:

> We searched PubMed and Scopus for trials published from 2015 to 2025 (last search: 3 November). Two reviewers screened
> titles and abstracts independently; a third settled disagreements. Risk of bias was rated with RoB 2.

Two things a reviewer will ask for:

1. **The full search string** of each database, as a supplement.
2. **Agreement between the reviewers**, for instance Cohen's κ, before disagreements were settled.
"""

_SHORTER = """\
> We searched PubMed and Scopus (2015–2025). Two reviewers screened independently, a third settled disagreements, and
> risk of bias was rated with RoB 2.

What was lost is the date of the last search; it fits into the caption of the flow chart.
"""

_GROUPED = '''\
`itertools.groupby` needs sorted input, so sort first:

```python
from datetime import date
from itertools import groupby


def by_month(days: list[date]) -> dict[str, list[date]]:
    """Dates grouped by month, both in order."""
    ordered = sorted(days)
    return {month: list(found) for month, found in groupby(ordered, key=lambda day: f"{day:%Y-%m}")}


def test_dates_are_grouped_by_month():
    days = [date(2026, 3, 2), date(2026, 2, 27), date(2026, 3, 1)]

    assert by_month(days) == {"2026-02": [days[1]], "2026-03": [days[2], days[0]]}
```

With a few million dates a `defaultdict(list)` is quicker: it needs no sorting.
'''

_COSTS = """\
| step | tokens | price per 1 M | cost |
| --- | --- | --- | --- |
| reading 400 papers | 2.4 M in | $1.75 | $4.20 |
| of which cached | 1.1 M | $0.175 | $0.19 instead of $1.93 |
| summaries | 160 k out | $14 | $2.24 |

So about **$4.70** for the whole batch, once the instructions are cached. Without caching it would be $6.44.
"""

_BATCH = """\
Run it at night: nobody waits for it, and a slower model costs a fifth. Three things to set:

- a **virtual key of its own** with a monthly limit, so that a loop that runs away stops there;
- `max_completion_tokens` of 600, since summaries never need more;
- a retry only for 429 and 5xx, with growing waits. A 400 stays
"""

TALKS = (
    Talk(
        timedelta(days=23, hours=3),
        "Methods paragraph for the review",
        (
            Turn("Write a short methods paragraph for a systematic review: PubMed, Scopus, 2015 to 2025.", _METHODS, 9),
            Turn("Make it shorter, please.", _SHORTER, 4),
        ),
        is_pinned=True,
    ),
    Talk(
        timedelta(days=8, hours=5),
        "Group dates by month",
        (Turn("Write a Python function that groups a list of dates by month, with a test.", _GROUPED, 8),),
        model=1,
    ),
    Talk(
        timedelta(days=1, hours=4),
        "What would 400 papers cost?",
        (
            Turn("What does it cost to summarise 400 papers of 6,000 tokens each, with 400 tokens each?", _COSTS, 7),
            Turn("How would you run that every week?", _BATCH, 5, is_stopped=True),
        ),
    ),
)
