"""Docs: every relative link of every Markdown file leads to a file that is there, and to a heading that is there."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote

from scripts.house import here

_FENCE = re.compile(r"^(```|~~~).*?^\1", re.DOTALL | re.MULTILINE)
_CODE = re.compile(r"`[^`\n]*`")
_LINK = re.compile(r"!?\[(?:[^\]\[]|\[[^\]]*\])*\]\(\s*<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\s*\)")
_REFERENCE = re.compile(r"^\[[^\]]+\]:\s*(\S+)", re.MULTILINE)
_HEADING = re.compile(r"^#{1,6}\s+(.+?)\s*#*$", re.MULTILINE)
_ELSEWHERE = ("http:", "https:", "mailto:", "tel:", "data:")


def links(text: str) -> list[str]:
    """The targets of a page's links, those in code left out."""
    prose = _CODE.sub("", _FENCE.sub("", text))
    return [*_LINK.findall(prose), *_REFERENCE.findall(prose)]


def anchors(text: str) -> set[str]:
    """The `#…` names a page's headings have, as forges make them: lower case, no punctuation, hyphens for spaces."""
    found: set[str] = set()
    for heading in _HEADING.findall(_FENCE.sub("", text)):
        plain = re.sub(r"[^\w\- ]", "", re.sub(r"\]\([^)]*\)", "]", heading).lower()).strip().replace(" ", "-")
        copies = (f"{plain}-{number}" for number in range(1, 1000))
        found.add(plain if plain not in found else next(name for name in copies if name not in found))
    return found


def faults_of(page: Path, root: Path) -> list[str]:
    """The broken links of one page."""
    text = page.read_text(encoding="utf-8")
    found = [(link, _fault(link, page, root)) for link in links(text) if not link.startswith(_ELSEWHERE)]
    return [f"{page.relative_to(root)}: {link} {fault}" for link, fault in found if fault]


def _fault(link: str, page: Path, root: Path) -> str:
    path, _, anchor = unquote(link).partition("#")
    target = page if not path else (root / path.lstrip("/") if path.startswith("/") else page.parent / path).resolve()
    if not target.exists():
        return "leads nowhere"
    if not target.is_relative_to(root):
        return "leads out of the project"
    if anchor and target.suffix == ".md" and anchor not in anchors(target.read_text(encoding="utf-8")):
        return "names a heading that is not there"
    return ""


def pages(root: Path) -> list[Path]:
    """The Markdown files that are or will be committed."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z", "*.md"]
    listed = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    names = [name for name in listed.stdout.split("\0") if name] if listed.returncode == 0 else []
    found = [root / name for name in names] or [path for path in root.rglob("*.md") if ".venv" not in path.parts]
    return [path for path in found if path.is_file()]


def main() -> int:
    root = here().root
    faults = [fault for page in sorted(pages(root)) for fault in faults_of(page, root)]
    for fault in faults:
        print(fault)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
