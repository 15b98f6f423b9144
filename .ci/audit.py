"""Asks an advisory source for known vulnerabilities of everything that the locks pin.

The source speaks OSV's interface, https://google.github.io/osv.dev/post-v1-querybatch/.
POSTERN_AUDIT_SOURCE names another one, such as a mirror inside a network. Where none can
be reached this ends quietly and within PATIENCE: a build without a network is no fault.
Exits with 1 where a locked version is known to be vulnerable, or the source answers
nonsense. Needs nothing but Python, so that it can judge what it would stand on.
"""

from __future__ import annotations

import json
import os
import re
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
SOURCE = "https://api.osv.dev"
PATIENCE = 1.5  # seconds until a source that does not answer counts as out of reach
ANSWER_WITHIN = 60.0  # seconds, once it has answered
BATCH = 500  # the interface takes 1,000 queries at once
PAGES = 20  # more than any package has advisories for
PYTHON_LOCKS = ("requirements.lock", "requirements-test.lock", ".ci/*.lock")
_PINNED = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^]]*\])?==([^\s;\\]+)", re.MULTILINE)

Query = dict[str, Any]


def queries(root: Path) -> list[Query]:
    """One for each package and version that a lock pins, each once."""
    found = {
        ("PyPI", name.lower(), version)
        for pattern in PYTHON_LOCKS
        for lock in root.glob(pattern)
        for name, version in _PINNED.findall(lock.read_text())
    }
    found |= {("npm", *pinned) for pinned in _npm(root / "package-lock.json")}
    return [
        {"package": {"ecosystem": ecosystem, "name": name}, "version": version}
        for ecosystem, name, version in sorted(found)
    ]


def _npm(lock: Path) -> Iterator[tuple[str, str]]:
    packages = json.loads(lock.read_text())["packages"] if lock.exists() else {}
    for path, package in packages.items():
        name = path.rpartition("node_modules/")[2]
        if name and "version" in package:
            yield name, package["version"]


def vulnerable(asked: list[Query], source: str) -> Iterator[str]:
    """A line for each query with advisories. Raises OSError, ValueError."""
    for start in range(0, len(asked), BATCH):
        left = asked[start : start + BATCH]
        for _ in range(PAGES):
            results = _post(source, left)
            yield from _lines(left, results)
            # A page that was cut is asked on with the token that came with it.
            left = [
                query | {"page_token": result["next_page_token"]}
                for query, result in zip(left, results, strict=True)
                if result.get("next_page_token")
            ]
            if not left:
                break


def _lines(asked: list[Query], results: list[dict[str, Any]]) -> Iterator[str]:
    for query, result in zip(asked, results, strict=True):
        ids = [str(advisory["id"]) for advisory in result.get("vulns", [])]
        if ids:
            package = query["package"]
            name = f"{package['ecosystem']} {package['name']} {query['version']}"
            yield f"{name}: {', '.join(ids)}"


def _post(source: str, asked: list[Query]) -> list[dict[str, Any]]:
    request = urllib.request.Request(  # noqa: S310
        f"{source}/v1/querybatch",
        json.dumps({"queries": asked}).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=ANSWER_WITHIN) as answer:  # noqa: S310
        said = json.load(answer)
    results = said.get("results") if isinstance(said, dict) else None
    if not isinstance(results, list):
        raise ValueError("it gave no list of results")
    return results


def is_reachable(source: str) -> bool:
    """True where anything speaks HTTP there. Looking up a name has no time limit of its
    own, so that this waits for a thread and no longer than PATIENCE."""
    answered = threading.Event()

    def knock() -> None:
        try:
            with urllib.request.urlopen(source, timeout=PATIENCE):  # noqa: S310
                answered.set()
        except urllib.error.HTTPError:
            answered.set()
        except (OSError, ValueError):
            return

    threading.Thread(target=knock, daemon=True).start()
    return answered.wait(PATIENCE)


def main() -> int:
    source = os.environ.get("POSTERN_AUDIT_SOURCE", SOURCE).rstrip("/")
    if not is_reachable(source):
        return 0
    try:
        found = list(vulnerable(queries(ROOT), source))
    except OSError:
        return 0  # it, or a proxy before it, is out of order
    except (ValueError, KeyError) as error:
        found = [f"{source} answered nonsense: {error}"]
    for line in found:
        sys.stderr.write(f"{line}\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
