"""Counts the tests of several pytest runs from their JUnit files, in one line."""

from __future__ import annotations

import sys
from pathlib import Path
from xml.etree import ElementTree


def count(report: Path) -> tuple[int, int]:
    """Passed and failed; a run that left no report is one failure."""
    if not report.exists():
        return 0, 1
    # The reports are our own, written a moment ago.
    suites = ElementTree.parse(report).getroot().iter("testsuite")  # noqa: S314
    passed = failed = 0
    for suite in suites:
        wrong = int(suite.get("failures", 0)) + int(suite.get("errors", 0))
        passed += int(suite.get("tests", 0)) - wrong - int(suite.get("skipped", 0))
        failed += wrong
    return passed, failed


def main(paths: list[str]) -> int:
    counts = [count(Path(path)) for path in paths]
    passed, failed = (sum(column) for column in zip(*counts, strict=True))
    sys.stdout.write(f"{passed} passed, {failed} failed\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
