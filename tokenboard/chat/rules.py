"""Pure decisions of the chat: titles, which messages still fit, what a search means, how an ending is said.

Units: `*_bytes` of UTF-8. A token has at least one byte, so a text's bytes bound its tokens.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence

LONGEST_MESSAGE = 32_000  # characters: a long paste; a body may have 256 kB
LONGEST_TITLE = 60  # of a title made from a message; typed ones may have 120
LONGEST_TYPED_TITLE = 120
LONGEST_SEARCH = 100
MOST_SENT = 400  # messages of one prompt, however short they are
BYTES_PER_TOKEN = 4  # English text, for estimates only; never for what must be a bound
CAREFUL_BYTES_PER_TOKEN = 3
MESSAGE_TOKENS = 16  # role markers, with a margin
UNTITLED = "New chat"

SYSTEM = "You are a helpful assistant. Answer in the language you are asked in. Use Markdown where it helps."

Sent = Mapping[str, str]  # {"role": …, "content": …}


def title_from(message: str) -> str:
    """A conversation's first title: its first line of words, cut between words."""
    line = next((part.strip(" #>*-\t") for part in message.splitlines() if part.strip(" #>*-\t")), "")
    if len(line) <= LONGEST_TITLE:
        return line or UNTITLED
    cut = line[: LONGEST_TITLE - 1].rsplit(" ", 1)
    head = cut[0] if len(cut[0]) > LONGEST_TITLE // 3 else line[: LONGEST_TITLE - 1]
    return head.rstrip(" ,.;:–-") + "…"


def estimated_tokens(text: str) -> int:
    """About how many tokens a text is; at least one of a text that is there."""
    return -(-len(text.encode()) // BYTES_PER_TOKEN)


def careful_tokens(message: Sent) -> int:
    """How many tokens a message is, rather too many: code and most scripts have three bytes a token, English four.

    What should be denser still is the provider's to refuse, at no charge.
    """
    return -(-len(message["content"].encode("utf-8", "replace")) // CAREFUL_BYTES_PER_TOKEN) + MESSAGE_TOKENS


def fitting(
    history: Sequence[Sent],
    *,
    window_tokens: int | None,
    kept_for_answer: int,
    count: Callable[[Sent], int] = careful_tokens,
) -> tuple[list[Sent], int]:
    """What is sent: the system message, then as many of the newest messages as fit, oldest first; and how many do not.

    The last message always goes along; when it alone is too long, metering refuses the call and says so.
    """
    system = {"role": "system", "content": SYSTEM}
    chosen: list[Sent] = list(history[-1:])
    used = kept_for_answer + sum(count(message) for message in [system, *chosen])
    for message in reversed(history[:-1]):
        used += count(message)
        if len(chosen) == MOST_SENT or (window_tokens is not None and used > window_tokens):
            break
        chosen.append(message)
    chosen.reverse()
    return [system, *_from_a_question(chosen)], len(history) - len(_from_a_question(chosen))


def _from_a_question(chosen: list[Sent]) -> list[Sent]:
    """Without an answer at the head whose question was left out: some providers refuse to begin with one."""
    return chosen[1:] if len(chosen) > 1 and chosen[0]["role"] == "assistant" else chosen


def like_pattern(search: str) -> str:
    """A LIKE pattern that finds the text as it is typed; escaped with a backslash."""
    cleaned = search.strip()[:LONGEST_SEARCH].lower()
    escaped = cleaned.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"


def request_key(*, workspace_id: str, person_id: str, key: str) -> str:
    """One caller's key, apart from everybody else's."""
    return hashlib.sha256(json.dumps(["chat", workspace_id, person_id, key]).encode()).hexdigest()


def request_hash(*, message: str, conversation_id: str | None, model: str | None, max_tokens: int | None) -> str:
    """What was asked with a key: the same key with something else is a conflict."""
    asked = [message, conversation_id or "", model or "", max_tokens or 0]
    return hashlib.sha256(json.dumps(asked).encode()).hexdigest()


# What a person reads under an answer that did not end by itself. The codes are metering's and the provider's.
_ENDINGS = {
    "upstream_error": "The model's provider broke off or could not be reached. Try again in a minute.",
    "upstream_timeout": "The model's provider took too long. Try again in a minute.",
    "rate_limited": "The model's provider is busy and asks to wait. Try again in a minute.",
    "model_not_found": "The model's provider does not have this model. Choose another one.",
    "context_too_long": "This is more text than the model reads at once. Shorten it, or start a new chat.",
    "content_refused": "The model's provider refused this text because of its content rules. Word it differently.",
    "too_large": "This is larger than the model's provider accepts. Shorten it, or start a new chat.",
    "budget_exceeded": (
        "The budget this site has at the model's provider is used up. Your credits are not; "
        "the site's operator has to raise the budget."
    ),
    "key_refused": "The model's provider refused this site's key. The site's operator has to renew it.",
    "not_configured": "No model provider is set up on this site.",
    "internal_error": "Something broke on our side.",
}
_FALLBACK = "The answer could not be finished."


def ending_sentence(error_code: str) -> str:
    """Why an answer failed, as a sentence."""
    return _ENDINGS.get(error_code, _FALLBACK)
