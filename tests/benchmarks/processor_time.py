"""Reads how much processor time processes have used, with all their descendants."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

TICKS = os.sysconf("SC_CLK_TCK")


class _Process(NamedTuple):
    parent: int
    ticks: int


def seconds_of(roots: Iterable[int]) -> float:
    """Returns the seconds in user and kernel mode, by the kernel's account (proc(5)).

    A process that has ended counts as soon as its parent has waited for it, which
    Postfix's master, Dovecot, PostgreSQL and the engine all do.
    """
    processes = dict(_all())
    children = defaultdict(list)
    for pid, process in processes.items():
        children[process.parent].append(pid)
    found, waiting = 0, list(roots)
    while waiting:
        pid = waiting.pop()
        found += processes[pid].ticks
        waiting += children[pid]
    return found / TICKS


def _all() -> Iterable[tuple[int, _Process]]:
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            with suppress(FileNotFoundError, ProcessLookupError):
                text = Path(entry.path, "stat").read_text(errors="replace")
                # The name, in brackets, may contain spaces and brackets itself.
                fields = text.rpartition(")")[2].split()
                # utime, stime, and cutime, cstime: those of children waited for.
                ticks = sum(map(int, fields[11:15]))
                yield int(entry.name), _Process(int(fields[1]), ticks)
