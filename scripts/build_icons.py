"""Build the icon sprite from a local copy of `lucide-static`: only the icons the pages use, in one file.

    npm pack lucide-static@1.62.0 && tar xzf lucide-static-1.62.0.tgz
    python scripts/build_icons.py package static/icons.svg

Laws: the sprite is written only by this script; a new icon is a new word in NAMES, and the sha256 in
static/vendor/README.md changes with it. `fill`, `stroke` and the caps are left out: `.icon` in app.css sets them once.
Source: https://lucide.dev, ISC licence (static/vendor/LICENSE-lucide.txt).
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from xml.etree import ElementTree

NAMES = """
activity arrow-right arrow-down-right arrow-up-right bell building-2 calendar chart-column check chevron-down
chevron-left chevron-right chevron-up circle-alert circle-check circle-help circle-x clock coins copy credit-card
database download ellipsis external-link eye file-text filter flag gauge inbox info key-round layout-dashboard link
list lock log-out mail menu message-square monitor moon pause pencil pin play plug plus receipt refresh-cw
rotate-ccw search send settings shield shield-check sparkles square sun terminal trash-2 trending-down trending-up
triangle-alert undo-2 upload user user-plus users wallet wifi-off x
"""
ICONS = NAMES.split()

SVG = "{http://www.w3.org/2000/svg}"


def symbol(source: Path) -> str:
    """One Lucide file as a `<symbol>`; its drawing untouched, its presentation attributes dropped."""
    shapes = []
    for shape in ElementTree.parse(source).getroot():
        attributes = " ".join(f'{name}="{value}"' for name, value in shape.attrib.items())
        shapes.append(f"<{shape.tag.removeprefix(SVG)} {attributes}/>")
    return f'<symbol id="{source.stem}" viewBox="0 0 24 24">{"".join(shapes)}</symbol>'


def build(package: Path, target: Path) -> int:
    """Write the sprite; answer with how many icons it holds."""
    version = re.search(r"v([\d.]+)", (package / "icons" / "x.svg").read_text("utf-8"))
    assert version, "every lucide-static file begins with its version"
    symbols = [symbol(package / "icons" / f"{name}.svg") for name in ICONS]
    head = f'<svg xmlns="http://www.w3.org/2000/svg"><!-- lucide {version[1]}, ISC; built by scripts/build_icons.py -->'
    target.write_text("\n".join([head, *symbols, "</svg>", ""]), "utf-8")
    return len(symbols)


if __name__ == "__main__":
    print(f"{build(Path(sys.argv[1]), Path(sys.argv[2]))} icons")
