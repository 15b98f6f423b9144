"""Supervised processes: replaced when they die, with a back-off."""

from __future__ import annotations

import io
import logging
import os
import signal
import sys
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from pathlib import Path

import pytest

from engine.processes import supervision
from engine.processes.supervision import (
    ForkedProcess,
    SupervisedProcess,
    describe_status,
    stop_all,
)
from tests.peers.process import is_running, wait_until


@dataclass
class FakeProcess:
    """A process that ends when the test sets its exit code."""

    pid: int
    status: int | None = None
    heard: list[str] = field(default_factory=list)

    def poll(self) -> int | None:
        return self.status

    def terminate(self) -> None:
        self.status = -15

    def kill(self) -> None:
        self.status = -9


@dataclass
class Clock:
    now: float = 1_000.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(supervision, "time", made)
    return made


def kept_of(started: list[FakeProcess]) -> SupervisedProcess:
    def start() -> FakeProcess:
        started.append(FakeProcess(pid=100 + len(started)))
        return started[-1]

    return SupervisedProcess("worker", start)


def test_one_that_dies_is_replaced_at_the_next_look(clock: Clock) -> None:
    started: list[FakeProcess] = []
    kept = kept_of(started)
    kept.check()
    clock.now += 3600

    started[0].status = -9

    assert kept.check() == 100
    assert len(started) == 2
    assert kept.is_running()
    assert kept.check() is None


def test_one_that_dies_again_and_again_is_started_less_and_less_often(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    started: list[FakeProcess] = []
    kept = kept_of(started)
    begun = clock.now
    moments = []

    while len(started) < 12:
        before = len(started)
        kept.check()
        if len(started) > before:
            moments.append(clock.now - begun)
            started[-1].status = 1
        clock.now += 0.5

    pauses = [b - a for a, b in pairwise(moments)]
    assert pauses[0] <= 0.5
    assert pauses == sorted(pauses)
    assert max(pauses) <= supervision.MAX_PAUSE_SECONDS + 0.5
    assert "it has failed to start 5 times in a row" in caplog.text


def test_one_that_has_run_for_a_while_begins_afresh(clock: Clock) -> None:
    started: list[FakeProcess] = []
    kept = kept_of(started)
    for _ in range(4):
        clock.now += 100
        kept.check()
        started[-1].status = 1
        kept.check()
    clock.now += 100
    kept.check()
    clock.now += 100

    started[-1].status = -9
    before = len(started)
    kept.check()

    assert len(started) == before + 1
    assert kept.failures == 0


def test_the_log_says_which_process_ended_and_how(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    started: list[FakeProcess] = []
    kept = kept_of(started)
    kept.check()
    clock.now += 100
    started[0].status = -9

    with caplog.at_level(logging.ERROR):
        kept.check()

    [line] = caplog.messages
    assert line == ("worker (process 100) was killed by SIGKILL; restarting now")
    assert describe_status(3) == "exited with status 3"


def test_those_that_do_not_end_when_asked_are_ended(clock: Clock) -> None:
    class Stubborn(FakeProcess):
        def terminate(self) -> None:
            self.heard.append("terminate")

    deaf = Stubborn(1)
    kept = SupervisedProcess("deaf", lambda: deaf)
    kept.check()

    stop_all([kept], grace=2)

    assert deaf.heard == ["terminate"]
    assert deaf.status == -9


# Other tests may have left threads, which a forked child does not inherit.
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_copy_of_this_process_is_ended_and_its_end_is_seen() -> None:
    def wait() -> None:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.pause()

    copy = ForkedProcess(wait)
    assert copy.poll() is None

    os.kill(copy.pid, signal.SIGKILL)

    wait_until(lambda: copy.poll() is not None, "the end of the copy")
    assert copy.poll() == -signal.SIGKILL


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_copy_that_fails_says_so_by_its_status() -> None:
    def fail() -> None:
        raise RuntimeError("as intended")

    copy = ForkedProcess(fail)

    wait_until(lambda: copy.poll() is not None, "the end of the copy")
    assert copy.poll() == 1


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_copy_exits_as_a_program_does(capfd: pytest.CaptureFixture[str]) -> None:
    assert ForkedProcess(lambda: sys.exit(3)).wait() == 3
    assert ForkedProcess(sys.exit).wait() == 0
    assert ForkedProcess(lambda: sys.exit("What is missing.")).wait() == 1
    assert capfd.readouterr().err == "What is missing.\n"


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_copy_ends_when_asked_before_it_has_handlers() -> None:
    before = signal.signal(signal.SIGTERM, lambda *_: None)
    try:
        copy = ForkedProcess(signal.pause, leads_session=True)
        assert signal.pthread_sigmask(signal.SIG_BLOCK, []) == set()
        copy.terminate()
        assert copy.wait() == -signal.SIGTERM
    finally:
        signal.signal(signal.SIGTERM, before)


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_copy_exits_where_its_output_cannot_be_written() -> None:
    class FullDisk(io.StringIO):
        def flush(self) -> None:
            raise OSError(28, "No space left on device")

    def work() -> None:
        sys.stdout = sys.stderr = FullDisk()

    parent = os.getpid()
    try:
        copy = ForkedProcess(work)
    finally:
        if os.getpid() != parent:
            os._exit(77)

    assert copy.wait() == 0


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_copy_whose_end_others_waited_for_has_ended() -> None:
    copy = ForkedProcess(lambda: None)

    os.waitpid(copy.pid, 0)

    assert copy.poll() == copy.wait() == 1


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_copy_can_lead_a_session(tmp_path: Path) -> None:
    note = tmp_path / "session"

    def write() -> None:
        note.write_text(str(os.getsid(0)))

    copy = ForkedProcess(write, leads_session=True)
    assert copy.wait() == 0
    assert note.read_text() == str(copy.pid)
    assert ForkedProcess(write).wait() == 0
    assert note.read_text() == str(os.getsid(0))


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_one_that_ends_with_its_parent_does_so_when_that_is_killed(
    tmp_path: Path,
) -> None:
    note = tmp_path / "pid"

    def stay(parent: int) -> None:
        supervision.end_with_parent(parent)
        note.write_text(str(os.getpid()))
        signal.pause()

    def start_another() -> None:
        ForkedProcess(partial(stay, os.getpid()))
        signal.pause()

    parent = ForkedProcess(start_another)
    wait_until(lambda: note.exists() and note.read_text() != "", "the child")
    parent.kill()
    assert parent.wait() == -signal.SIGKILL
    wait_until(lambda: not is_running(int(note.read_text())), "the end of the child")

    late = ForkedProcess(partial(stay, parent.pid))
    assert late.wait() == 1


def test_a_start_that_fails_is_tried_again(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    faults = [OSError(12, "Cannot allocate memory")] * 3
    started: list[FakeProcess] = []

    def start() -> FakeProcess:
        if faults:
            raise faults.pop()
        started.append(FakeProcess(pid=1))
        return started[-1]

    kept = SupervisedProcess("worker", start)
    kept.check()
    assert not kept.is_running()
    assert kept.failures == 1
    assert "Cannot allocate memory" in caplog.text

    for _ in range(10):
        clock.now += 1
        kept.check()

    assert kept.is_running()
    assert len(started) == 1


def test_one_that_never_starts_is_tried_for_ever(clock: Clock) -> None:
    def start() -> FakeProcess:
        raise OSError(11, "Resource temporarily unavailable")

    kept = SupervisedProcess("worker", start)
    for _ in range(1_200):
        clock.now += supervision.MAX_PAUSE_SECONDS
        kept.check()

    assert kept.failures == 1_200
