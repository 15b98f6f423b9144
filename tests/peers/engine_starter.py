"""Starts the mail engine repeatedly without importing its modules each time.

`python -m tests.peers.engine_starter LOG` answers each line of its input: `start` with
the id of a new process that runs `manage.py run_engine`, `wait ID` when that process
has ended.
"""

from __future__ import annotations

import os
import sys

import django
from django.core.management import execute_from_command_line, load_command_class

COMMAND = "run_engine"


def serve(log: str) -> None:
    """Answers lines until standard input ends."""
    os.umask(0o077)  # as manage.py does
    django.setup()
    load_command_class("engine", COMMAND)
    for line in sys.stdin:
        match line.split():
            case ["start"]:
                answer = _start(log)
            case ["wait", pid]:
                answer = os.waitpid(int(pid), 0)[1]
            case _:
                raise ValueError(line)
        print(answer, flush=True)


def _start(log: str) -> int:
    if pid := os.fork():
        return pid
    os.setsid()
    output = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    for ours in (sys.stdout.fileno(), sys.stderr.fileno()):
        os.dup2(output, ours)
    os.dup2(os.open(os.devnull, os.O_RDONLY), sys.stdin.fileno())
    execute_from_command_line(["manage.py", COMMAND])
    sys.exit()


if __name__ == "__main__":
    serve(sys.argv[1])
