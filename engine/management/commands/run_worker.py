"""`manage.py run_worker`: a process for each lane of jobs, replaced when it dies."""

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

from engine.health.watch import watched
from engine.jobs.worker import Worker
from engine.lanes import Lane
from engine.management import starting
from engine.processes import process_group
from engine.processes.supervision import ForkedProcess, SupervisedProcess, stop_all
from engine.routing import routes

LOOK_EVERY = 0.2


class Command(BaseCommand):
    help = "Run the jobs around mail: letters, notices, webhooks, checks, imports."
    # They load every page of the site.
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        process_group.add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """This process runs no job: it has no threads and no connections to copy."""
        starting.check(scans=False)
        connection.close()
        kept = [
            SupervisedProcess(f"worker {lane.name.lower()}", partial(_start, lane))
            for lane in Lane
        ]
        stopping: list[int] = []

        def stop(number: int, frame: FrameType | None) -> None:
            stopping.append(number)

        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, stop)
        while not stopping and not process_group.has_lost_parent(options["child_of"]):
            for one in kept:
                one.check()
            time.sleep(LOOK_EVERY)
        stop_all(kept, grace=process_group.GRACE_SECONDS)


def _start(lane: Lane) -> ForkedProcess:
    return ForkedProcess(partial(_work, Worker(lane, parent=os.getpid())))


def _work(worker: Worker) -> None:
    # Only when a job asks: most lanes send no mail.
    routes.follow_in_background(at_once=False)
    with watched("worker"):
        worker.run()
