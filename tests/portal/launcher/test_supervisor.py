from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

import pytest

from portal.launcher import supervisor as supervisor_module
from portal.launcher.supervisor import Supervisor
from tests.peers.process import PATIENCE, PeerError, is_running, wait_until

pytestmark = pytest.mark.slow

# From linux/prctl.h.
PR_SET_CHILD_SUBREAPER = 36


def python(code: str, *arguments: str) -> Callable[[], subprocess.Popen[bytes]]:
    """Returns what starts a program."""
    command = [sys.executable, "-c", code, *arguments]
    return partial(subprocess.Popen, command, start_new_session=True)


WAITS = python("import time; time.sleep(600)")
ENDS = python("")
WRITES_WHEN_ASKED_TO_END = (
    "import pathlib, signal, sys, time;"
    "end = lambda *_: (pathlib.Path(sys.argv[1]).open('a').write(sys.argv[2]), sys.exit());"
    "signal.signal(signal.SIGTERM, end); pathlib.Path(sys.argv[1]).open('a').write('.');"
    "time.sleep(600)"
)
STARTS_ANOTHER = (
    "import subprocess, sys, time, pathlib;"
    "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']);"
    "pathlib.Path(sys.argv[1]).write_text(str(child.pid)); time.sleep(600)"
)
# Its child writes first that it has started, and half a second after SIGTERM that it ends.
CHILD = """
import pathlib, signal, sys, time
note = pathlib.Path(sys.argv[1]).open("ab", buffering=0)
def end(*_):
    time.sleep(0.5)
    note.write(b"ended,")
    sys.exit()
signal.signal(signal.SIGTERM, end)
note.write(b"started,")
time.sleep(600)
"""
STARTS_ONE_THAT_ENDS_SLOWLY = (
    "import subprocess, sys, time;"
    f"subprocess.Popen([sys.executable, '-c', {CHILD!r}, sys.argv[1]]); time.sleep(600)"
)


@pytest.fixture(autouse=True)
def signals_as_before() -> Iterator[None]:
    before = {n: signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def ask_ourselves_to_stop() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


def test_all_stop_when_asked_to() -> None:
    supervisor = Supervisor(
        {"one": WAITS, "two": WAITS},
        is_ready=lambda: True,
        on_ready=ask_ourselves_to_stop,
    )

    assert supervisor.run() == ""
    assert not any(one.is_running() for one in supervisor.kept.values())


def test_all_stop_when_one_cannot_start() -> None:
    supervisor = Supervisor(
        {"one": WAITS, "two": ENDS}, is_ready=lambda: False, on_ready=lambda: None
    )

    assert supervisor.run() == "two"
    assert not any(one.is_running() for one in supervisor.kept.values())


def test_what_others_need_ends_after_them(tmp_path: Path) -> None:
    note = tmp_path / "ends"
    supervisor = Supervisor(
        {
            name: python(WRITES_WHEN_ASKED_TO_END, str(note), name)
            for name in ("one", "two")
        },
        needed={"first": python(WRITES_WHEN_ASKED_TO_END, str(note), "first")},
        is_ready=lambda: note.exists() and note.read_text() == "...",
        on_ready=ask_ourselves_to_stop,
    )

    assert supervisor.run() == ""

    assert next(iter(supervisor.kept)) == "first"
    assert note.read_text().endswith("first")


def test_one_that_is_killed_is_replaced_and_the_others_go_on() -> None:
    supervisor = Supervisor(
        {"one": WAITS, "two": WAITS}, is_ready=lambda: True, on_ready=lambda: kill_one()
    )
    before: list[int] = []

    def kill_one() -> None:
        before.extend(one.process.pid for one in supervisor.kept.values())
        os.kill(before[0], signal.SIGKILL)
        threading.Thread(target=stop_when_replaced).start()

    def stop_when_replaced() -> None:
        one = supervisor.kept["one"]
        wait_until(
            lambda: one.is_running() and one.process.pid != before[0], "another process"
        )
        before.append(supervisor.kept["two"].process.pid)
        ask_ourselves_to_stop()

    assert supervisor.run() == ""
    assert before[2] == before[1]


def test_what_a_killed_program_had_started_is_asked_to_end(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    supervisor = Supervisor(
        {"one": python(STARTS_ANOTHER, str(note))},
        is_ready=lambda: note.exists() and note.read_text() != "",
        on_ready=lambda: kill_one(),
    )

    def kill_one() -> None:
        child = int(note.read_text())
        os.kill(supervisor.kept["one"].process.pid, signal.SIGKILL)
        threading.Thread(target=stop_when_gone, args=[child]).start()

    def stop_when_gone(child: int) -> None:
        wait_until(lambda: not is_running(child), "the end of the child")
        ask_ourselves_to_stop()

    assert supervisor.run() == ""


def test_one_is_replaced_once_what_it_had_started_has_ended(tmp_path: Path) -> None:
    note = tmp_path / "note"
    supervisor = Supervisor(
        {"one": python(STARTS_ONE_THAT_ENDS_SLOWLY, str(note))},
        is_ready=lambda: note.exists() and note.read_text() == "started,",
        on_ready=lambda: os.kill(supervisor.kept["one"].process.pid, signal.SIGKILL),
    )

    def stop_when_replaced() -> None:
        wait_until(lambda: note.read_text().count("started") == 2, "another process")
        ask_ourselves_to_stop()

    note.touch()
    threading.Thread(target=stop_when_replaced).start()

    assert supervisor.run() == ""
    assert note.read_text().startswith("started,ended,started,")


class SeenLate:
    """A process whose end is seen at the second look only."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process, self._looks = process, 0
        self.pid = process.pid
        self.terminate, self.kill = process.terminate, process.kill

    def poll(self) -> int | None:
        status = self._process.poll()
        self._looks += status is not None
        return status if self._looks > 1 else None


def test_one_that_dies_between_two_looks_is_replaced_after_what_it_had_started(
    tmp_path: Path,
) -> None:
    note = tmp_path / "note"
    start = python(STARTS_ONE_THAT_ENDS_SLOWLY, str(note))
    supervisor = Supervisor(
        {"one": lambda: SeenLate(start())},
        is_ready=lambda: note.exists() and note.read_text() == "started,",
        on_ready=lambda: os.kill(supervisor.kept["one"].process.pid, signal.SIGKILL),
    )
    note.touch()
    threading.Thread(target=stop_once_started_twice, args=[note]).start()

    assert supervisor.run() == ""
    assert note.read_text().startswith("started,ended,started,")


def test_what_has_ended_but_is_waited_for_by_nobody_holds_up_no_replacement(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(supervisor_module, "GRACE", 60.0)
    note = tmp_path / "note"
    supervisor = Supervisor(
        {"one": python(STARTS_ONE_THAT_ENDS_SLOWLY, str(note))},
        is_ready=lambda: note.exists() and note.read_text() == "started,",
        on_ready=lambda: os.kill(supervisor.kept["one"].process.pid, signal.SIGKILL),
    )
    note.touch()
    threading.Thread(target=stop_once_started_twice, args=[note, 20.0]).start()

    with as_first_process():
        assert supervisor.run() == ""

    assert note.read_text().startswith("started,ended,started,")


@contextmanager
def as_first_process() -> Iterator[None]:
    """Makes processes that lose their parent ours, as they are process 1's."""
    prctl = ctypes.CDLL(None).prctl
    prctl(PR_SET_CHILD_SUBREAPER, 1)
    try:
        yield
    finally:
        prctl(PR_SET_CHILD_SUBREAPER, 0)


def stop_once_started_twice(note: Path, patience: float = PATIENCE) -> None:
    with suppress(PeerError):
        wait_until(lambda: note.read_text().count("started") == 2, "another", patience)
    ask_ourselves_to_stop()


def test_one_whose_children_do_not_end_is_replaced_all_the_same(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(supervisor_module, "GRACE", 1.0)
    note = tmp_path / "note"
    deaf = STARTS_ONE_THAT_ENDS_SLOWLY.replace("time.sleep(0.5)", "time.sleep(600)")
    supervisor = Supervisor(
        {"one": python(deaf, str(note))},
        is_ready=lambda: note.exists() and note.read_text() == "started,",
        on_ready=lambda: os.kill(supervisor.kept["one"].process.pid, signal.SIGKILL),
    )

    def stop_when_replaced() -> None:
        wait_until(lambda: note.read_text().count("started") == 2, "another process")
        ask_ourselves_to_stop()

    note.touch()
    threading.Thread(target=stop_when_replaced).start()

    assert supervisor.run() == ""


def test_what_a_program_started_ends_with_it(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    supervisor = Supervisor(
        {"one": python(STARTS_ANOTHER, str(note))},
        is_ready=lambda: note.exists() and note.read_text() != "",
        on_ready=ask_ourselves_to_stop,
    )

    supervisor.run()

    pid = int(note.read_text())
    wait_until(lambda: not is_running(pid), "the end of the child")
