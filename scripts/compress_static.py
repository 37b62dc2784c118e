"""Write a `.gz` beside every static file worth it (git ignores them). Run at build time; safe to run again.

python scripts/compress_static.py
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tokenboard.web.assets import compress

if __name__ == "__main__":
    for path in compress():
        print(path)
