"""Clients of the API that four tools generate, each with a program that uses it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from tests.peers import node
from tests.peers.process import PATIENCE, PeerError

HERE = Path(__file__).parent
PYTHON = "openapi-python-client"
# The program of each package, and its arguments, in the folder of the document.
GENERATORS = {
    "openapi-typescript/bin/cli.js": (
        *("openapi.json", "-o"),
        "generated/openapi_typescript.d.ts",
    ),
    "@hey-api/openapi-ts/bin/run.js": ("-i", "openapi.json", "-o", "generated/hey_api"),
    "orval/dist/bin/orval.mjs": ("--config", "orval.config.mjs"),
}
PROGRAMS = ("openapi_fetch", "hey_api", "orval")
# Generators say so in their own words, some of them in colour.
COMPLAINTS = ("warn", "error", "unsupported", "skipping", "⚠")


def generate(folder: Path) -> list[str]:
    """Generates clients from `openapi.json` in a folder, and compiles them.

    Returns whatever a tool complained of.
    """
    for pattern in ("*.ts", "*.mjs", "tsconfig.json", "python_day.py"):
        for source in HERE.glob(pattern):
            shutil.copy(source, folder)
    (folder / "node_modules").symlink_to(node.PACKAGES)
    said = {PYTHON: _generate_python(folder)}
    for program, arguments in GENERATORS.items():
        said[program] = node.call(Path(program), *arguments, cwd=folder)
    said["tsc"] = node.call(
        Path("typescript/bin/tsc"), "--listEmittedFiles", "-p", folder, cwd=folder
    )
    return [
        f"{tool}: {line}"
        for tool, text in said.items()
        for line in text.splitlines()
        if any(one in line.lower() for one in COMPLAINTS)
    ]


def _generate_python(folder: Path) -> str:
    program = Path(sys.executable).with_name(PYTHON)
    command = [program, "generate", "--path", "openapi.json"]
    # It formats what it writes with ruff.
    path = f"{program.parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        [
            *map(str, command),
            "--output-path=generated_python",
            "--meta=none",
            "--fail-on-warning",
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
        env={**os.environ, "PATH": path},
        cwd=folder,
    )
    if done.returncode:
        raise PeerError(done.stdout + done.stderr)
    return done.stdout + done.stderr


@dataclass
class Program:
    """A running program, with which the test exchanges lines of JSON."""

    name: str
    process: subprocess.Popen[str]

    @classmethod
    def start(cls, name: str, folder: Path, settings: Mapping[str, str]) -> Self:
        if name == PYTHON:
            command = [sys.executable, str(folder / "python_day.py")]
        else:
            command = [node.program(), str(folder / "built" / f"{name}.js")]
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=folder,
            env={**os.environ, "SETTINGS": json.dumps(settings)},
        )
        return cls(name, process)

    def hear(self) -> dict[str, Any]:
        """Returns the next line. Raises PeerError with what a failed program says."""
        assert self.process.stdout is not None and self.process.stderr is not None
        line = self.process.stdout.readline()
        if not line:
            raise PeerError(f"{self.name}: {self.process.stderr.read()}")
        heard: dict[str, Any] = json.loads(line)
        return heard

    def tell(self, data: object) -> None:
        """Sends a line."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(data) + "\n")
        self.process.stdin.flush()

    def stop(self) -> None:
        """Ends the program, if it runs."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()
