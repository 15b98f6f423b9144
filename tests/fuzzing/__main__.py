"""Runs one target for some seconds, and says what was executed and covered."""

from __future__ import annotations

import argparse
import os
import sys

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
django.setup()

from tests.fuzzing import runs  # noqa: E402
from tests.fuzzing.targets import TARGETS  # noqa: E402


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzzing")
    parser.add_argument("name", nargs="?", help="a target; without one, all are listed")
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--planted", action="store_true", help="a fault must be found")
    asked = parser.parse_args()
    if asked.name not in TARGETS:
        print(*TARGETS, sep="\n")
        return 2 if asked.name else 0
    found = runs.run(asked.name, seconds=asked.seconds, is_planted=asked.planted)
    print(found.text)
    return 0 if found.has_failed == asked.planted else 1


if __name__ == "__main__":
    sys.exit(main())
