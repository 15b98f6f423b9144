from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.engine.jobs import sample_jobs


@pytest.fixture
def marks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[str]]:
    """Returns what the jobs of this test have done so far."""
    path = tmp_path / "marks"
    path.touch()
    monkeypatch.setenv(sample_jobs.MARKS, str(path))
    return lambda: path.read_text().split()
