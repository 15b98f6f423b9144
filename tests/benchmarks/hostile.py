"""How long a member waits while unauthenticated clients attack the service.

The whole service as `make run` starts it. A member signs in and sends a message, each
time from a new address: from webmail, and by submission. First without attackers, then
beside clients of the site that are slow to send headers, slow to send bodies (each with
a valid form token, or it would be refused before the body) or slow to read, and beside
silent connections to submission. Each kind comes from two hundred addresses in separate
networks. The last line is the ratio of the 95th percentiles, the worse of the two ways.

With `--beside COMMIT` that version is measured in the same run, from its own worktree
and environment.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import count
from pathlib import Path

from tests import migrated
from tests.benchmarks.member import TIMEOUT, send_by_browser, send_by_program
from tests.benchmarks.worktrees import worktree
from tests.peers.postern import Postern

WARM_UP = 3
Send = Callable[[str], None]
_fresh = (f"127.{90 + n // 60_000}.{n // 240 % 250}.{n % 240 + 1}" for n in count())


def main() -> None:
    options = _options()
    if options.beside:
        with worktree(options.beside) as home:
            _measure(options.beside, home, options)
    print(f"ratio {_measure('this version', None, options):.2f}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sends", type=int, default=40, help="of each kind, each time")
    parser.add_argument("--web", type=int, default=200, help="slow clients of the site")
    parser.add_argument(
        "--silent", type=int, default=2000, help="silent, on submission"
    )
    parser.add_argument("--beside", metavar="COMMIT", default="")
    return parser.parse_args()


def _measure(name: str, home: Path | None, options: argparse.Namespace) -> float:
    """Measures one version and returns the worse ratio of its two ways to send."""
    copy = None if home else migrated.prepared(migrated.DEMO)
    with Postern(copy, home=home) as postern:
        ways = _ways(postern)
        for send in ways.values():
            for _ in range(WARM_UP):
                send(next(_fresh))
        without = {way: _times(send, options.sends) for way, send in ways.items()}
        with _strangers(postern, options):
            beside = {way: _times(send, options.sends) for way, send in ways.items()}
    for way in ways:
        print(f"{name}, {way}: alone {_format(without[way])}", flush=True)
        print(f"{name}, {way}: beside strangers {_format(beside[way])}", flush=True)
    return max(_p95(beside[way]) / _p95(without[way]) for way in ways)


def _ways(postern: Postern) -> dict[str, Send]:
    members = [
        person
        for person in postern.demo["people"]
        if person["role"] == "member" and person.get("app_password")
    ]
    by_turns = _rotate(members)
    to = postern.person("administrator", organisation="Northgate Crown Court")
    ports = postern.ports

    def by_browser(address: str) -> None:
        person = next(by_turns)
        send_by_browser(ports["web"], person, to=to["address"], address=address)

    def by_program(address: str) -> None:
        send_by_program(
            ports["submission"],
            next(by_turns),
            to=to["address"],
            address=address,
            ca_file=str(postern.ca_file),
        )

    return {"webmail": by_browser, "submission": by_program}


def _rotate(members: list[dict[str, str]]) -> Iterator[dict[str, str]]:
    while True:
        yield from members


@contextmanager
def _strangers(postern: Postern, options: argparse.Namespace) -> Iterator[None]:
    """Starts slow and silent clients in a process of their own."""
    process = subprocess.Popen(
        [
            sys.executable, "-m", "tests.benchmarks.strangers",
            "--web", str(options.web), "--web-port", str(postern.ports["web"]),
            "--silent", str(options.silent),
            "--smtp-port", str(postern.ports["submission"]),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        print(f"strangers are {process.stdout.readline().strip()}", flush=True)
        yield
    finally:
        process.communicate()


def _times(send: Send, sends: int) -> list[float]:
    return sorted(_seconds(partial(send, next(_fresh))) for _ in range(sends))


def _seconds(send: Callable[[], None]) -> float:
    """Returns how long sending took; a failure counts as the timeout."""
    began = time.perf_counter()
    try:
        send()
    except OSError as error:
        print(f"not sent: {error}", flush=True)
        return max(time.perf_counter() - began, TIMEOUT)
    return time.perf_counter() - began


def _p95(times: list[float]) -> float:
    return times[min(len(times) * 95 // 100, len(times) - 1)]


def _format(times: list[float]) -> str:
    middle = statistics.median(times)
    return f"{middle:6.3f} s median, {_p95(times):6.3f} s at the 95th percentile"


if __name__ == "__main__":
    main()
