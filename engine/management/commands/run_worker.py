"""`manage.py run_worker`: one process for each lane of jobs, replaced if it dies."""

from __future__ import annotations

import os
import signal
import time
from argparse import ArgumentParser
from functools import partial
from types import FrameType
from typing import Any

from django.core.management.base import BaseCommand
from django.db import connection

from engine.health.monitor import monitored
from engine.jobs.worker import Worker
from engine.lanes import Lane
from engine.management import startup_checks
from engine.processes import process_group, resource_limits
from engine.processes.supervision import (
    ENDING,
    ForkedProcess,
    SupervisedProcess,
    stop_all,
)
from engine.routing import routes

POLL_SECONDS = 0.2


class Command(BaseCommand):
    """Supervises the worker processes of all lanes until SIGTERM."""

    help = "Run background jobs: letters, notices, webhooks, checks and imports."
    # The checks load every page of the site.
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        process_group.add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        startup_checks.check(scans=False)
        resource_limits.keep_what_is_imported()
        # The workers are forked. This process runs no job itself, so that it has neither
        # threads nor connections, which a fork would copy in an unusable state.
        connection.close()
        kept = [
            SupervisedProcess(f"worker {lane.name.lower()}", partial(_start, lane))
            for lane in Lane
        ]
        stopping: list[int] = []

        def stop(number: int, frame: FrameType | None) -> None:
            stopping.append(number)

        for number in ENDING:
            signal.signal(number, stop)
        while not stopping and not process_group.has_lost_parent(options["child_of"]):
            for one in kept:
                one.check()
            time.sleep(POLL_SECONDS)
        stop_all(kept, grace=process_group.GRACE_SECONDS)


def _start(lane: Lane) -> ForkedProcess:
    return ForkedProcess(partial(_work, Worker(lane, parent=os.getpid())))


def _work(worker: Worker) -> None:
    # Routes are loaded when a job first needs them: most lanes send no mail.
    routes.follow_in_background(at_once=False)
    with monitored("worker"):
        worker.run()
