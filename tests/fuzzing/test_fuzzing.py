"""That the fuzzer runs, and finds a fault: a second of it, for the whole of it is slow."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

from tests.fuzzing import runs
from tests.fuzzing.targets import TARGETS


@pytest.mark.parametrize("name", TARGETS)
def test_each_target_holds_for_the_words_of_its_language(name: str) -> None:
    target = TARGETS[name]
    module = importlib.import_module(target.module)

    for word in (b"", *target.words, b"".join(target.words)):
        target.check(module, word)

    assert Path(str(module.__file__)).read_text().count(target.right) == 1


@pytest.mark.slow
def test_a_planted_fault_is_found() -> None:
    pytest.importorskip("atheris")

    found = runs.run("bdat", seconds=10, is_planted=True)

    assert found.has_failed
    assert "AssertionError" in found.said
    assert found.executions > 10
    assert found.branches


def test_a_fuzzer_that_does_not_run_has_found_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(runs.sys, "executable", "/bin/false")

    with pytest.raises(RuntimeError, match="did not run"):
        runs.run("bdat", seconds=1, is_planted=True)
