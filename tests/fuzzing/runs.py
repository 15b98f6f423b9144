"""Starts a fuzzer in a process of its own, which ends at the first fault, and reads it."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

# Where octets are kept: the corpus of each target, and those that showed a fault.
KEPT = Path(tempfile.gettempdir()) / "postern-fuzzing"
UNCAUGHT = "Uncaught Python exception"  # atheris says so above the traceback
SHOWN = 3000  # characters


@dataclass(frozen=True)
class Run:
    """What a fuzzer did: how often it ran the target, how many branches that covered."""

    name: str
    executions: int
    branches: int
    has_failed: bool
    said: str

    @property
    def text(self) -> str:
        outcome = "a fault was found" if self.has_failed else "no fault"
        facts = f"{self.executions} executions, {self.branches} branches, {outcome}"
        return f"{self.name}: {facts}" + (f"\n{self.said}" if self.has_failed else "")


def run(name: str, *, seconds: int, is_planted: bool = False) -> Run:
    """Fuzzes a target for so many seconds, or until a fault is found.

    Raises RuntimeError if nothing was executed, as where atheris is not installed: that
    is no fault of the target, and no planted one either.
    """
    with tempfile.TemporaryDirectory() as empty:
        # A planted fault has to be found from nothing; other runs go on from the last.
        folder = Path(empty) if is_planted else KEPT / name
        for part in ("corpus", "faults"):
            (folder / part).mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "tests.fuzzing.fuzzer", name]
        command += ["planted" if is_planted else "as-it-is", str(seconds), str(folder)]
        done = subprocess.run(
            command, capture_output=True, check=False, text=True, errors="replace"
        )
    said = done.stdout + done.stderr
    counted = re.findall(r"^stat::number_of_executed_units: +(\d+)", said, re.MULTILINE)
    covered = re.findall(r"\bcov: (\d+)", said)
    tried = re.findall(r"^#(\d+)", said, re.MULTILINE)
    executions = int((counted or tried or ["0"])[-1])
    if executions == 0:
        raise RuntimeError(f"The fuzzer did not run:\n{said[-SHOWN:]}")
    return Run(
        name,
        executions,
        max(map(int, covered), default=0),
        done.returncode != 0,
        _fault(said),
    )


def _fault(said: str) -> str:
    """Returns the fault's traceback; without one, the end of what the fuzzer said."""
    _, found, rest = said.partition(UNCAUGHT)
    return f"{found}{rest}"[:SHOWN] if found else said[-SHOWN:]
