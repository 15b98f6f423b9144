"""Time until all members of a list have a message, beside Postfix and Dovecot.

One message of 50 kB to a list of a thousand hosted mailboxes: from the sender's first
command until the last mailbox holds it. On the other side a Postfix alias expands to
the same thousand recipients, and LMTP delivers each copy to Dovecot. Rounds alternate;
both are durable, and antivirus is off on both.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial

from tests.benchmarks import ready

# isort: split
from django.db import connection

from engine.registry.actions import lists
from engine.registry.models import (
    DistributionList,
    ListMember,
    Mailbox,
    MailboxKind,
    Organisation,
    Posting,
)
from portal.demo.certificates import Authority
from tests.benchmarks.contenders import Contender, postern, postfix_and_dovecot
from tests.benchmarks.load import SENDER
from tests.peers.process import remove_folder, wait_until

OCTETS = 50 * 1024
PATIENCE = 600.0  # seconds


def main() -> None:
    options = _options()
    print(f"one message of {OCTETS} octets to {options.members} members")
    times = _measure(options.members, options.rounds)
    theirs, ours = (statistics.median(side) for side in times.values())
    for name, median in zip(times, (theirs, ours), strict=True):
        print(f"{name:20} {median:7.3f} s until all can read it, median")
    print(f"ratio {theirs / ours:.1f} on {connection.vendor}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--members", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=5, help="of each contender")
    return parser.parse_args()


def _measure(members: int, rounds: int) -> dict[str, list[float]]:
    authority = Authority(ready.FOLDER / "tls")
    authority.issue("localhost", "127.0.0.1", kept_as="server")
    aliases = ready.FOLDER / "aliases"
    crowd = ", ".join(f"member{number}@base.example" for number in range(members))
    aliases.write_text(f"crowd@base.example {crowd}\n")
    with ExitStack() as stack:
        theirs = stack.enter_context(
            postfix_and_dovecot(
                authority,
                virtual_alias_maps=f"texthash:{aliases}",
                virtual_alias_expansion_limit=str(members + 1),
            )
        )
        ours = stack.enter_context(postern(authority, partial(_crowd, members)))
        our_crowd = DistributionList.objects.get().address
        sides = [(theirs, "crowd@base.example"), (ours, our_crowd)]
        for side, to in sides:
            _round(side, to, members)
        times: dict[str, list[float]] = {side.name: [] for side, _ in sides}
        for _ in range(rounds):
            for side, to in sides:
                times[side.name].append(_round(side, to, members))
                print(f"{side.name:20} {times[side.name][-1]:7.3f} s", flush=True)
    return times


def _crowd(members: int) -> None:
    """A list of hosted mailboxes that anyone in the community may write to."""
    court = Organisation.objects.get(account_type="webmail")
    domain = court.domains.get().community_domain
    people = [f"member{number}@{domain}" for number in range(members)]
    Mailbox.objects.bulk_create(
        Mailbox(address=a, name=a, kind=MailboxKind.GROUP, organisation=court)
        for a in people
    )
    made = lists.add(
        court,
        address=f"crowd@{domain}",
        name="Crowd",
        posting=Posting.COMMUNITY,
        by=None,
    )
    ListMember.objects.bulk_create(
        ListMember(distribution_list=made, address=a) for a in people
    )


def _round(side: Contender, to: str, members: int) -> float:
    before = side.count()
    begin = time.perf_counter()
    source = subprocess.run(
        [
            "smtp-source", "-m", "1", "-l", str(OCTETS),
            "-f", SENDER, "-t", to, f"127.0.0.1:{side.port}",
        ],
        check=False,
    )  # fmt: skip
    if source.returncode:
        raise RuntimeError("smtp-source was refused")
    _wait(side.count, before + members)
    return time.perf_counter() - begin


def _wait(count: Callable[[], int], expected: int) -> None:
    wait_until(lambda: count() >= expected, "every member's copy", PATIENCE)
    if count() != expected:
        raise RuntimeError(f"{count()} copies instead of {expected}")


if __name__ == "__main__":
    try:
        main()
    finally:
        remove_folder(ready.FOLDER)
