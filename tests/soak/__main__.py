"""Runs the soak: `python -m tests.soak --minutes N`.

Exits with 1 if mail was lost, duplicated or stuck, or if no alarm reported a fault.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import time

from tests.soak.alarms import Alarms
from tests.soak.count import Outcome, count
from tests.soak.faults import Fault, faults
from tests.soak.ledger import Ledger
from tests.soak.traffic import Traffic, ways
from tests.soak.world import World


def main() -> int:
    options = _options()
    ledger = Ledger()
    with World() as world:
        traffic, alarms = Traffic(ledger, ways(world), options.pause), Alarms(world)
        outcome = Outcome()
        traffic.start()
        try:
            _cause_faults(world, alarms, outcome, options)
        finally:
            traffic.stop(patience=options.settle)
        count(world, ledger, outcome, patience=options.settle)
    print(outcome.in_words(), flush=True)
    return 0 if outcome.is_good else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--hold", type=float, default=20, help="seconds of each fault")
    parser.add_argument(
        "--pause", type=float, default=0.5, help="seconds between a sender's messages"
    )
    parser.add_argument("--rest", type=float, default=10, help="seconds between two")
    parser.add_argument(
        "--settle",
        type=float,
        default=300,
        help="seconds for what still waits at the end",
    )
    return parser.parse_args()


def _cause_faults(
    world: World, alarms: Alarms, outcome: Outcome, options: argparse.Namespace
) -> None:
    """Causes one fault after another until the time is over."""
    until = time.monotonic() + 60 * options.minutes
    for fault in itertools.cycle(list(faults(world))):
        if time.monotonic() > until:
            return
        _cause(fault, alarms, outcome, options)
        time.sleep(options.rest)


def _cause(
    fault: Fault, alarms: Alarms, outcome: Outcome, options: argparse.Namespace
) -> None:
    print(f"{time.strftime('%H:%M:%S')} {fault.name}", flush=True)
    watch = alarms.watch(fault)
    fault.begin()
    try:
        # A fault that no alarm reports lasts until the alarm would be overdue.
        watch.wait(at_least=options.hold)
    finally:
        fault.end()
    outcome.add(watch)


if __name__ == "__main__":
    sys.exit(main())
