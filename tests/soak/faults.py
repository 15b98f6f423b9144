"""The faults that the soak causes, and the words that their alarms contain."""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from portal.demo.certificates import Authority
from tests.peers.process import wait_until
from tests.soak.world import Host, World

# Between the two files of a renewal: for so many seconds they do not match.
BETWEEN = 3.0
AHEAD = 300.0
# A supervisor backs off for up to 15 seconds; on a slow machine a start takes 20 more.
REPLACED_WITHIN = 60.0


@dataclass(frozen=True)
class Fault:
    """One fault.

    `words` appear in the alarm's rule or subject; a fault without words must not raise
    an alarm.
    """

    name: str
    words: tuple[str, ...]
    begin: Callable[[], None]
    end: Callable[[], None]
    # Whether a process that relays mail is ended before it can record what it has sent.
    is_sudden: bool = False


def faults(world: World) -> Iterator[Fault]:
    """Yields each fault once, alternating between the two hosts."""
    first, second = world.hosts
    yield _killed(first, "run_web", "web")
    yield _stopped(
        "PostgreSQL", ("database",), world.postgres.stop, world.postgres.start
    )
    yield _killed(second, "run_engine", "engine")
    yield _stopped("clamd", ("scanner",), world.clamd.stop, world.clamd.start)
    yield _killed(first, "run_worker", "worker")
    yield _full_disk(world)
    yield _renewed(world, "certificate first", ("pem", "key"))
    yield _stopped("Redis", ("cache",), world.redis.stop, world.redis.start)
    yield moved_clock(second)
    yield _renewed(world, "key first", ("key", "pem"))
    postfix = world.firm.postfix
    yield _stopped("a member's Postfix", ("destination",), postfix.stop, postfix.start)
    yield _killed_supervisor(second)


def _stopped(
    name: str,
    words: tuple[str, ...],
    stop: Callable[[], None],
    start: Callable[[], None],
) -> Fault:
    return Fault(f"{name} stopped", words, stop, start, True)


def _killed(host: Host, command: str, kind: str) -> Fault:
    """Kills every process of that kind, each once the last one is replaced."""

    def kill() -> None:
        # Children first: they end by themselves when their parent is gone.
        for pid, _ in reversed(_of_kind(host, command)):
            before = len(_of_kind(host, command))
            os.kill(pid, signal.SIGKILL)
            wait_until(
                partial(_is_replaced, host, command, pid, before),
                f"another {kind} process on the {host.name} host",
                REPLACED_WITHIN,
            )

    return Fault(
        f"{kind} killed on the {host.name} host", (f"{kind} on",), kill, nothing, True
    )


def _is_replaced(host: Host, command: str, pid: int, count: int) -> bool:
    there = [one for one, _ in _of_kind(host, command)]
    return pid not in there and len(there) >= count


def _of_kind(host: Host, command: str) -> list[tuple[int, str]]:
    return [(pid, line) for pid, line in host.processes() if command in line]


def _killed_supervisor(host: Host) -> Fault:
    return Fault(
        f"everything on the {host.name} host killed",
        ("process",),
        host.kill,
        host.start,
        True,
    )


def _full_disk(world: World) -> Fault:
    ballast = world.disk / "ballast"

    def fill() -> None:
        with ballast.open("wb") as file:
            try:
                while True:
                    file.write(bytes(1 << 20))
                    file.flush()
            except OSError:
                return

    return Fault("disk full", ("disk",), fill, lambda: ballast.unlink(missing_ok=True))


def moved_clock(host: Host) -> Fault:
    return Fault(
        f"clock of the {host.name} host 5 minutes ahead",
        ("clock",),
        lambda: host.move_clock(AHEAD),
        lambda: host.move_clock(0),
    )


def _renewed(world: World, how: str, order: tuple[str, ...]) -> Fault:
    """Replaces the certificate and key that are served, one file after the other."""
    folder = world.disk / "tls"

    def renew() -> None:
        new = Authority(folder).issue(
            "localhost", "127.0.0.1", kept_as=f"renewed-{time.time_ns()}"
        )
        files = {"pem": new.cert_file, "key": new.key_file}
        for ending in order:
            _replace(files[ending], folder / f"server.{ending}")
            time.sleep(BETWEEN)

    return Fault(f"certificate renewed, {how}", (), renew, nothing)


def _replace(new: Path, served: Path) -> None:
    """Overwrites the existing file, as `cp` does."""
    shutil.copyfile(new, served)


def nothing() -> None:
    """Does nothing: the fault ends by itself."""
