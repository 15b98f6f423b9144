"""Staff do their work in the console, and the audit trail records it (S17)."""

from __future__ import annotations

import pytest

from tests.journeys.firm import NAME, Letter
from tests.journeys.visitor import Visits
from tests.peers.postern import Postern

pytestmark = pytest.mark.journey


def test_what_staff_decided_is_on_a_trail_that_verifies(
    visit: Visits, postern: Postern, letter: Letter
) -> None:
    auditor = visit(postern.person("auditor"))
    auditor.open("/admin/audit/?q=application.approved")
    assert auditor.sees("vera@secure.example")
    auditor.press("Verify the whole trail")
    assert auditor.sees("entries follow from one another")

    auditor.open("/admin/applications/")
    auditor.follow(NAME)
    assert auditor.page.get_by_role("link", name="Approve").count() == 0


def test_staff_come_no_further_than_their_role(visit: Visits, postern: Postern) -> None:
    editor = visit(postern.person("guide_editor"))
    for path in ("queue", "trace", "quarantine", "audit", "tickets", "applications"):
        answer = editor.page.goto(f"{postern.web}/admin/{path}/")
        assert answer is not None
        assert answer.status == 403 or "do not have permission" in answer.text()
