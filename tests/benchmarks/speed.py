"""How fast mail passes, and what it costs, beside Postfix and Dovecot.

Prints for each kind of traffic the rate, from the first connection until the last
message is where it belongs, and the processor time a message: that of all processes of a
side, its database's too, but not that of the load generator, of its TLS tunnel and of
the servers at the far ends, which are alike for all. Both sides are durable, on the same
disk and without antivirus. Postern runs as one process on SQLite and as two on
PostgreSQL. Rounds alternate, because the machine's speed drifts; figures are medians.

With `--beside COMMIT` that version is measured in the same run, from its own worktree
and environment. The last line is the ratio of its processor time a message to ours, for
messages accepted on SQLite; without it, Postfix and Dovecot's.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import statistics
import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from tests.benchmarks import ready

# isort: split
from portal.demo.certificates import Authority
from tests.benchmarks import pop3_load, processor_time, signed_mail
from tests.benchmarks.load import Load, measure
from tests.benchmarks.speed_sides import (
    FarServer,
    Setting,
    Side,
    debian_side,
    postern_side,
)
from tests.benchmarks.worktrees import HOME, worktree
from tests.peers.process import remove_folder

SETTINGS = [
    Setting("SQLite, one process", is_postgresql=False, processes=1),
    Setting("PostgreSQL, two processes", is_postgresql=True, processes=2),
]
OURS = "this version"
SESSIONS = 20
LARGE = 2 * 1024 * 1024


@dataclass(frozen=True)
class Cost:
    """Messages a second, and seconds of processor time for one."""

    rate: float
    processor: float


@dataclass(frozen=True)
class Round:
    """What all kinds of traffic need to know."""

    messages: int
    far: FarServer
    signed: Path | None = None


Run = Callable[[Side, Round], None]


def main() -> None:
    options = _options()
    authority = Authority(ready.FOLDER / "tls")
    first = 0.0
    with ExitStack() as stack:
        far = FarServer(authority)
        stack.enter_context(far.postfix)
        names = stack.enter_context(signed_mail.zone())
        os.environ["POSTERN_DNS_SERVERS"] = json.dumps([names.server])
        homes = {OURS: HOME}
        if options.beside:
            before = stack.enter_context(worktree(options.beside))
            homes = {options.beside: before, **homes}
        for setting in SETTINGS:
            if setting.name.startswith(options.on):
                costs = _measure_all(setting, homes, authority, far, options)
                first = first or _first_ratio(costs)
    print(f"ratio {first:.2f}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=4000, help="accepted a round")
    parser.add_argument("--rounds", type=int, default=3, help="of each side")
    parser.add_argument("--only", default=",".join(TRAFFIC), help="kinds of traffic")
    parser.add_argument("--on", default="", help="SQLite or PostgreSQL")
    parser.add_argument("--beside", metavar="COMMIT", default="")
    return parser.parse_args()


def even(messages: float) -> int:
    """Returns at least so many messages, as many for each connection."""
    return math.ceil(messages / SESSIONS) * SESSIONS


def _first_ratio(costs: dict[str, dict[str, Cost]]) -> float:
    sides = next(iter(costs.values()))
    before = next(name for name in reversed(sides) if name != OURS)
    return sides[before].processor / sides[OURS].processor


def _measure_all(
    setting: Setting,
    homes: dict[str, Path],
    authority: Authority,
    far: FarServer,
    options: argparse.Namespace,
) -> dict[str, dict[str, Cost]]:
    """Starts all sides, measures each kind of traffic, and prints its part of the table."""
    print(f"\n{setting.name}", flush=True)
    found = {}
    signed = signed_mail.write(ready.FOLDER)
    with ExitStack() as stack:
        sides = [stack.enter_context(debian_side(authority, far))]
        for name, home in homes.items():
            started = postern_side(name, home, setting, authority, far)
            sides.append(stack.enter_context(started))
        for side in sides:
            accept(side, Round(even(options.messages / 20), far, signed))
        for kind in options.only.split(","):
            title, share, run = TRAFFIC[kind]
            given = Round(even(options.messages * share), far, signed)
            found[kind] = measure_sides(sides, given, run, options.rounds)
            _show(f"{title}, {given.messages} messages", found[kind])
    return found


def measure_sides(
    sides: Iterable[Side], given: Round, run: Run, rounds: int
) -> dict[str, Cost]:
    """Returns the median cost of each side, over rounds that alternate."""
    costs: dict[str, list[Cost]] = {}
    for _ in range(rounds):
        for side in sides:
            costs.setdefault(side.system.name, []).append(_cost(side, given, run))
    return {
        name: Cost(
            statistics.median(one.rate for one in each),
            statistics.median(one.processor for one in each),
        )
        for name, each in costs.items()
    }


def _cost(side: Side, given: Round, run: Run) -> Cost:
    if run is _retrieve:
        _fill(side, given)
    before = processor_time.seconds_of(side.system.pids)
    begin = time.perf_counter()
    run(side, given)
    seconds = time.perf_counter() - begin
    spent = processor_time.seconds_of(side.system.pids) - before
    return Cost(given.messages / seconds, spent / given.messages)


def _show(title: str, costs: dict[str, Cost]) -> None:
    print(f"  {title}")
    ours = costs[OURS]
    for name, cost in costs.items():
        line = (
            f"    {name:20} {cost.rate:7.1f} a second,"
            f" {cost.processor * 1000:7.3f} ms of processor time each"
        )
        if name != OURS:
            line += (
                f"; ours {ours.rate / cost.rate:.2f} times as fast,"
                f" {ours.processor / cost.processor:.2f} of the time"
            )
        print(line, flush=True)


def accept(side: Side, given: Round) -> None:
    _send(side, Load(given.messages, SESSIONS))


def _accept_signed(side: Side, given: Round) -> None:
    _send(side, Load(given.messages, SESSIONS, message=given.signed))


def _connect(side: Side, given: Round) -> None:
    _send(side, Load(given.messages, SESSIONS, is_kept=False))


def _send_large(side: Side, given: Round) -> None:
    _send(side, Load(given.messages, SESSIONS, octets=LARGE))


def _send(side: Side, load: Load) -> None:
    system = side.system
    measure(load, port=system.port, recipients=system.recipients, count=system.count)


def relay(side: Side, given: Round) -> None:
    recipients = [given.far.recipient] * 4
    load = Load(given.messages, SESSIONS)
    measure(load, port=side.sender.port, recipients=recipients, count=given.far.count)


def _fill(side: Side, given: Round) -> None:
    """Sends what the mailboxes still lack of the messages to retrieve."""
    missing = given.messages - side.system.count()
    if missing > 0:
        accept(side, replace(given, messages=even(missing)))


def _retrieve(side: Side, given: Round) -> None:
    pop3_load.download(side.system, given.messages, given.far.ca_file)


# Kinds of traffic: their titles, and messages in a round as a share of those accepted.
# POP3 stands before the large messages, so that all mailboxes hold messages of 5 kB.
TRAFFIC: dict[str, tuple[str, float, Run]] = {
    "accept": ("5 kB on 20 kept TLS connections", 1, accept),
    "signed": ("5 kB with a signature, on 20 kept TLS connections", 1, _accept_signed),
    "pop3": ("RETR of 5 kB over TLS", 2.5, _retrieve),
    "connect": ("5 kB, a new TLS connection for each", 0.5, _connect),
    "relay": ("5 kB from one Postfix to another", 0.25, relay),
    "large": ("2 MB on 20 kept TLS connections", 0.025, _send_large),
}


if __name__ == "__main__":
    try:
        main()
    finally:
        remove_folder(ready.FOLDER)
