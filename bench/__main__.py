"""`python -m bench [suite …] [--quick] [--json FILE] [--compare FILE]`: exit code 1 when a stated goal is missed."""

from __future__ import annotations

import argparse
import importlib
import pkgutil
import sys
from pathlib import Path

from bench import reporting, suites
from bench.measuring import Result

SUITES = sorted(module.name for module in pkgutil.iter_modules(suites.__path__))


def _arguments(given: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench", description="Measure TokenBoard beside stated limits.")
    parser.add_argument("suite", nargs="*", help=f"which suites; all of {', '.join(SUITES)} unless named")
    parser.add_argument("--quick", action="store_true", help="small data and few rounds: under a minute, SQLite only")
    parser.add_argument("--json", type=Path, help="write every repeat to this file")
    parser.add_argument("--compare", type=Path, help="show the ratios of an older JSON file beside these")
    return parser.parse_args(given)


def _measure(names: list[str], quick: bool) -> list[Result]:
    results: list[Result] = []
    for name in names:
        print(f"measuring {name} …", flush=True)
        results += importlib.import_module(f"bench.suites.{name}").measure(quick)
    return results


def main(given: list[str]) -> int:
    """Measure, print, write; 1 when a goal is missed."""
    arguments = _arguments(given)
    results = _measure(list(arguments.suite) or SUITES, arguments.quick)
    print(reporting.table(results))
    if arguments.compare:
        print(reporting.comparison(results, arguments.compare))
    if arguments.json:
        reporting.write_json(results, arguments.json)
    return 1 if any(result.is_met is False for result in results) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
