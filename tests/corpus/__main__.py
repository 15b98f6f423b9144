"""Runs the whole corpus: `python -m tests.corpus`.

Exits with 1 if a leaf was lost or read in a wrong charset or under a wrong name.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tests.corpus import run, service


def main() -> int:
    options = _options()
    letters = [
        letter for letter in run.write(few=options.few) if options.only in letter.name
    ]
    if options.keep:
        _keep(letters, Path(options.keep))
    with service.running() as postern:
        outcome = run.read(postern, letters, service.send(postern, letters))
    for finding in outcome.findings:
        print(finding)
    print(outcome.in_words(), flush=True)
    return 1 if outcome.findings else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--few", action="store_true", help="fewer shapes, as in a test")
    parser.add_argument("--only", default="", help="messages whose name contains this")
    parser.add_argument("--keep", default="", help="a folder to write the messages to")
    return parser.parse_args()


def _keep(letters: list[run.Letter], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for number, letter in enumerate(letters):
        name = letter.name.replace("/", " of ").replace(":", ",")
        (folder / f"{number:03} {name}.eml").write_bytes(letter.raw)


if __name__ == "__main__":
    sys.exit(main())
