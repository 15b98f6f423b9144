"""Runs the drill: `python -m tests.cluster`. Needs root.

Prints after each fault for how long each kind of client was refused, and at the end
acknowledged, lost, doubled and the longest refusal. Exits with 1 if mail was lost, doubled
or stuck, where PostgreSQL replicates synchronously.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.cluster.extras import Extras
from tests.cluster.faults import behind_in_version, fail_over, host_faults
from tests.cluster.probes import Probes
from tests.cluster.traffic import ByApi
from tests.cluster.world import Cluster
from tests.peers.haproxy import CHECK_SECONDS
from tests.soak.count import MailCount, Span, count_mail
from tests.soak.faults import Fault, nothing
from tests.soak.ledger import Ledger
from tests.soak.traffic import Traffic, ways
from tests.upgrade import versions

# Seconds for which the replica is behind when the primary ends, without synchronous
# replication.
BEHIND = 2.0


def main() -> int:
    options = _options()
    if not options.inside:
        # The network of the drill is one of its own, and ends with it.
        own = [sys.executable, "-m", "tests.cluster", "--inside", *sys.argv[1:]]
        return subprocess.run(["unshare", "--net", *own], check=False).returncode
    ledger = Ledger()
    with Cluster() as world:
        drill = Drill(world, ledger, options)
        return drill.run()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hold", type=float, default=60, help="seconds of each fault")
    parser.add_argument(
        "--pause", type=float, default=0.5, help="seconds between a sender's messages"
    )
    parser.add_argument("--rest", type=float, default=15, help="seconds between two")
    parser.add_argument("--faults", type=int, default=6, help="how many, of six hosts'")
    parser.add_argument(
        "--behind",
        default=versions.FIRST_SHARED,
        metavar="COMMIT",
        help="the version that a host runs for one more fault; empty for none",
    )
    parser.add_argument("--settle", type=float, default=300, help="seconds at the end")
    parser.add_argument("--without", action="store_true", help="no asynchronous part")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


@dataclass
class Drill:
    """One run: the faults, and what they did to mail and clients."""

    world: Cluster
    ledger: Ledger
    options: argparse.Namespace
    spans: list[Span] = field(default_factory=list)
    refused: float = 0.0
    # Beyond the seconds that the promotion of a replica took.
    beyond: float = 0.0

    def run(self) -> int:
        """Returns the exit status."""
        self.world.start_replica(is_synchronous=True)
        with Extras(self.world) as extras:
            mail = self._under_load(self._faults(), extras.start_import)
            say(*mail.details, *extras.summary())
        say(
            f"{mail.numbers}, refused {self.refused:.1f} s, {self.beyond:.1f} s beyond a "
            f"promotion (a check takes {CHECK_SECONDS} s); doubled in SMTP's own window "
            f"{len(mail.in_window)}"
        )
        if not self.options.without:
            self._without_synchronous_replication(mail)
        return 0 if mail.is_good and extras.is_good else 1

    def _faults(self) -> list[Fault]:
        found = list(host_faults(self.world))[: self.options.faults]
        if behind := self.options.behind:
            found.append(behind_in_version(self.world.hosts[1], behind))
        return [*found, fail_over(self.world, "synchronous")]

    def _without_synchronous_replication(self, before: MailCount) -> None:
        self.world.start_replica(is_synchronous=False)
        how = f"replica {BEHIND:g} s behind"
        mail = self._under_load([fail_over(self.world, how, behind=BEHIND)])
        say(
            f"without synchronous replication, of "
            f"{mail.acknowledged - before.acknowledged} acknowledged: "
            f"lost {len(mail.lost) - len(before.lost)}, "
            f"doubled {len(mail.doubled) - len(before.doubled)}"
        )

    def _under_load(
        self, faults: list[Fault], before_each: Callable[[], None] = nothing
    ) -> MailCount:
        """Causes the faults while mail flows, then counts it."""
        ways_in = [*ways(self.world), ByApi("API", self.world)]
        traffic, probes = (
            Traffic(self.ledger, ways_in, self.options.pause),
            Probes(self.world),
        )
        traffic.start()
        probes.start()
        try:
            time.sleep(self.options.rest)
            for fault in faults:
                before_each()
                self._cause(fault, probes)
        finally:
            traffic.stop(patience=self.options.settle)
            probes.stop()
        return count_mail(
            self.world, self.ledger, sudden=self.spans, patience=self.options.settle
        )

    def _cause(self, fault: Fault, probes: Probes) -> None:
        say(f"{time.strftime('%H:%M:%S')} {fault.name}")
        began, at = time.time(), time.monotonic()
        self.world.promotion = 0.0
        fault.begin()
        before = [host.accepted for host in self.world.hosts]
        time.sleep(self.options.hold)
        accepted = [
            f"{host.accepted - count} on the {host.name}"
            for host, count in zip(self.world.hosts, before, strict=True)
        ]
        fault.end()
        time.sleep(self.options.rest)
        if fault.is_sudden:
            self.spans.append((began, time.time()))
        refused = probes.refused(at)
        longest = max(refused.values())
        self.refused = max(self.refused, longest)
        self.beyond = max(self.beyond, longest - self.world.promotion)
        say(
            f"    accepted meanwhile: {', '.join(accepted)}; load {os.getloadavg()[0]:.1f}"
        )
        say("    refused: " + ", ".join(f"{k} {v:.1f} s" for k, v in refused.items()))
        if self.world.promotion:
            say(f"    the promotion itself took {self.world.promotion:.1f} s")
        say(*(f"    last error of {error}" for error in probes.errors(at)))


def say(*lines: str) -> None:
    for line in lines:
        print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
