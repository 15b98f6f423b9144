"""The process that fuzzes one target with atheris; started by tests.fuzzing.runs."""

from __future__ import annotations

import importlib
import os
import sys
import tempfile
from pathlib import Path
from types import ModuleType

import atheris
import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
django.setup()

from tests.fuzzing.targets import TARGETS, Target  # noqa: E402


def main() -> None:
    name, how, seconds, kept = sys.argv[1:]
    target = TARGETS[name]
    with tempfile.TemporaryDirectory() as folder:
        module = instrumented(target, Path(folder), is_planted=how == "planted")
        words = Path(folder, "words")
        words.write_text("".join(f'"{_escaped(word)}"\n' for word in target.words))
        options = [
            f"-max_total_time={seconds}",
            f"-dict={words}",
            f"-artifact_prefix={kept}/faults/",
            "-print_final_stats=1",
            "-max_len=300",
            "-timeout=10",
        ]
        atheris.Setup(
            [sys.argv[0], *options, f"{kept}/corpus"],
            lambda data: target.check(module, data),
        )
        atheris.Fuzz()


def instrumented(target: Target, folder: Path, *, is_planted: bool) -> ModuleType:
    """Imports a copy of the target's module so that each of its branches is seen.

    Its neighbours import the original before it can be instrumented.
    """
    source = Path(str(importlib.import_module(target.module).__file__)).read_text()
    if is_planted:
        assert source.count(target.right) == 1
        source = source.replace(target.right, target.wrong)
    copy = f"fuzzed_{target.module.rpartition('.')[2]}"
    Path(folder, f"{copy}.py").write_text(source)
    sys.path.insert(0, str(folder))
    with atheris.instrument_imports(include=[copy]):
        return importlib.import_module(copy)


def _escaped(word: bytes) -> str:
    return "".join(f"\\x{octet:02x}" for octet in word)


if __name__ == "__main__":
    main()
