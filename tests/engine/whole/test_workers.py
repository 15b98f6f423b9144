"""The worker's processes, killed with -9 one after another while jobs arrive."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django_q.models import OrmQ
from django_q.tasks import async_task

from engine.database import clock
from engine.jobs.models import JobRun
from engine.lanes import Lane
from tests.engine.jobs import sample_jobs
from tests.peers.engine import database_url
from tests.peers.process import Daemon, wait_until

pytestmark = pytest.mark.slow

MARK = "tests.engine.jobs.sample_jobs.mark"


class Workers(Daemon):
    """`manage.py run_worker` on the database of the running test."""

    def children(self) -> set[int]:
        """Returns the pids of the lanes' processes."""
        numbers = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text()
        return set(map(int, numbers.split()))


@pytest.fixture
def marks(tmp_path: Path) -> Path:
    path = tmp_path / "marks"
    path.touch()
    return path


@pytest.fixture
def workers(transactional_db: None, tmp_path: Path, marks: Path) -> Iterator[Workers]:
    running = Workers(
        [sys.executable, "manage.py", "run_worker"],
        tmp_path / "worker.log",
        env={
            "POSTERN_ENV": "test",
            "POSTERN_VAR": str(tmp_path / "var"),
            "POSTERN_DATABASE_URL": database_url(),
            "DJANGO_SETTINGS_MODULE": "portal.settings",
            sample_jobs.MARKS: str(marks),
        },
    )
    running.wait_for(lambda: running.log.read_text().count("is ready") == len(Lane))
    yield running
    running.stop()


def test_each_process_is_replaced_and_every_lane_goes_on(
    workers: Workers, marks: Path
) -> None:
    for lane in Lane:
        async_task(MARK, f"first-{lane}", cluster=lane)
    wait_until(lambda: len(marks.read_text().split()) == len(Lane), "the first jobs")

    # All of them idle: with django-q2's own cluster, killing one stopped all jobs.
    before = workers.children()
    for pid in before:
        os.kill(pid, signal.SIGKILL)

    for lane in Lane:
        async_task(MARK, f"second-{lane}", cluster=lane)
    wait_until(lambda: len(marks.read_text().split()) == 2 * len(Lane), "the others")
    after = workers.children()
    assert len(before) == len(after) == len(Lane)
    assert not before & after
    assert workers.log.read_text().count("was killed by SIGKILL") == len(Lane)


def test_a_job_whose_process_is_killed_is_done_by_the_next(
    workers: Workers, marks: Path
) -> None:
    async_task("tests.engine.jobs.sample_jobs.sleep", 600)
    wait_until(lambda: marks.read_text() == "asleep\n", "the job")
    run = JobRun.objects.get(func="tests.engine.jobs.sample_jobs.sleep")
    os.kill(int(run.worker.partition(":")[2]), signal.SIGKILL)
    OrmQ.objects.update(lock=clock.now())  # as if a minute had passed

    wait_until(lambda: marks.read_text() == "asleep\n" * 2, "the job's second start")

    run.refresh_from_db()
    assert run.attempts == 2
    assert "ended during the run" in run.error


def test_workers_end_when_the_process_that_started_them_is_gone(
    workers: Workers,
) -> None:
    children = workers.children()

    os.kill(workers.pid, signal.SIGKILL)

    wait_until(lambda: not any(map(_is_running, children)), "the end of the workers")


def _is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"
