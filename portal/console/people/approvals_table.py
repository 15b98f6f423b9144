"""Pending approvals as a table of the console."""

from __future__ import annotations

from collections.abc import Iterable

from django.urls import reverse

from portal.account_admin.approval_texts import Answer, Kind
from portal.account_admin.approvals import Approval
from portal.console.page import Cell, Table
from portal.console.people.frame import person_url

HEADINGS = ("Account", "What", "Requested by", "When", "Reason", "Until", "", "")


def approvals_table(approvals: Iterable[Approval]) -> Table:
    """Builds the table, with links to agree and to stop."""
    return Table(
        HEADINGS,
        [_row(approval) for approval in approvals],
        "No change waits for a second person.",
    )


def _row(approval: Approval) -> list[Cell]:
    agree = "Unlock it" if approval.kind is Kind.MAIL else "Agree"
    return [
        _account(approval),
        Cell(approval.what),
        Cell(approval.asked_by),
        Cell(at=approval.asked_at),
        Cell(approval.reason),
        Cell(at=approval.until) if approval.until else Cell("No end date"),
        _answer(approval, Answer.AGREE, agree),
        _answer(approval, Answer.STOP, "Stop"),
    ]


def _account(approval: Approval) -> Cell:
    person = approval.person
    if person is None:
        return Cell(approval.name)
    return Cell(approval.name, person_url(person), note=person.address)


def _answer(approval: Approval, answer: Answer, label: str) -> Cell:
    if answer not in approval.answers:
        return Cell()
    parts = [approval.kind, approval.pk, answer]
    return Cell(label, reverse("members:recovery_settle", args=parts))
