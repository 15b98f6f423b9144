"""Every leaf of what other programs write is shown or offered."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.corpus import run, service
from tests.peers.postern import Postern

pytestmark = pytest.mark.journey


@pytest.fixture(scope="module")
def postern() -> Iterator[Postern]:
    with service.running() as running:
        yield running


def test_what_other_programs_write_is_read_as_it_was_written(postern: Postern) -> None:
    letters = list(run.write(few=True))

    outcome = run.read(postern, letters, service.send(postern, letters))

    print(outcome.in_words())
    assert len({letter.program for letter in letters}) >= 6
    assert not outcome.findings, "\n".join(map(str, outcome.findings))
