"""What happens to the hosts, and to PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from tests.cluster.network import Namespace
from tests.cluster.world import Cluster
from tests.soak.faults import Fault, moved_clock, nothing
from tests.soak.world import Host
from tests.upgrade import versions


def host_faults(world: Cluster) -> Iterator[Fault]:
    """Yields each fault of each host."""
    pairs = list(zip(world.hosts, world.machines, strict=False))
    for (killed, _), (cut, machine) in zip(pairs, reversed(pairs), strict=True):
        yield _killed(killed)
        yield _cut_off(cut, machine)
        yield moved_clock(killed)


def behind_in_version(host: Host, commit: str) -> Fault:
    """A host runs an earlier version, on the schema of this one.

    Unpacks that version now, and installs its packages where they differ.
    """
    home = versions.extract(commit, host.folder / commit)
    python = versions.prepared_python(home)

    def replace(home: Path, python: str) -> None:
        host.stop()
        host.home, host.python = home, python
        host.start()

    return Fault(
        f"the {host.name} host on version {commit}",
        (),
        partial(replace, home, python),
        partial(replace, host.home, host.python),
        True,
    )


def fail_over(world: Cluster, how: str, *, behind: float = 0) -> Fault:
    """The host of the primary PostgreSQL is lost, and the replica promoted.

    The replica is so many seconds `behind` then.
    """
    begin = partial(world.fail_over, behind)
    return Fault(f"PostgreSQL failed over, {how}", (), begin, nothing, True)


def _killed(host: Host) -> Fault:
    name = f"everything on the {host.name} host killed"
    return Fault(name, (), host.kill, host.start, True)


def _cut_off(host: Host, machine: Namespace) -> Fault:
    name = f"the {host.name} host cut off from the network"
    return Fault(name, (), machine.cut_off, machine.reconnect, True)
