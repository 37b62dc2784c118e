"""What one pastes to use a key: the address, and a few lines for each tool. Pure texts."""

from __future__ import annotations

from dataclasses import dataclass

PLACEHOLDER = "sk-tb-…"
_ANY_MODEL = "MODEL"  # where none is offered yet


@dataclass(frozen=True, slots=True)
class Snippet:
    """One tool's lines; `note` is what stands beside them."""

    key: str
    label: str
    code: str
    note: str = ""


def snippets(*, base_url: str, secret: str, model: str, litellm_url: str = "") -> tuple[Snippet, ...]:
    """curl, Python, Open WebUI, and LiteLLM where a proxy is configured."""
    address, model = f"{base_url}/v1", model or _ANY_MODEL
    found = (_curl(address, secret, model), _python(address, secret, model), _open_webui(address, secret))
    return (*found, _litellm(litellm_url, secret, model)) if litellm_url else found


def _curl(address: str, secret: str, model: str) -> Snippet:
    code = (
        f"curl {address}/chat/completions \\\n"
        f'  -H "Authorization: Bearer {secret}" \\\n'
        f'  -H "Content-Type: application/json" \\\n'
        f'  -d \'{{"model": "{model}", "messages": [{{"role": "user", "content": "Hello"}}]}}\''
    )
    return Snippet("curl", "curl", code)


def _python(address: str, secret: str, model: str) -> Snippet:
    code = (
        "from openai import OpenAI  # pip install openai\n\n"
        f'client = OpenAI(base_url="{address}", api_key="{secret}")\n'
        "answer = client.chat.completions.create(\n"
        f'    model="{model}",\n'
        '    messages=[{"role": "user", "content": "Hello"}],\n'
        ")\n"
        "print(answer.choices[0].message.content)"
    )
    return Snippet("python", "Python", code)


def _open_webui(address: str, secret: str) -> Snippet:
    code = f"URL   {address}\nKey   {secret}"
    note = "In Open WebUI: Admin Panel, Settings, Connections, OpenAI API. Whoever chats there then uses this key."
    return Snippet("openwebui", "Open WebUI", code, note)


def _litellm(litellm_url: str, secret: str, model: str) -> Snippet:
    code = (
        f"curl {litellm_url}/v1/chat/completions \\\n"
        f'  -H "Authorization: Bearer {secret}" \\\n'
        f'  -H "Content-Type: application/json" \\\n'
        f'  -d \'{{"model": "{model}", "messages": [{{"role": "user", "content": "Hello"}}]}}\''
    )
    note = "The same key at the proxy itself. What it uses there is paid from credits as soon as the proxy reports it."
    return Snippet("litellm", "LiteLLM", code, note)
