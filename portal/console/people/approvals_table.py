"""What waits for a second person, as a table of the console."""

from __future__ import annotations

from collections.abc import Iterable

from django.urls import reverse

from portal.account_admin.approval_texts import Act, Kind
from portal.account_admin.approvals import Wait
from portal.console.organisations.frame import url
from portal.console.sheet import Cell, Table

HEADINGS = ("Account", "What", "Asked for by", "When", "Reason", "Until", "", "")


def table(waits: Iterable[Wait]) -> Table:
    return Table(HEADINGS, [_row(wait) for wait in waits], "Nothing waits.")


def _row(wait: Wait) -> list[Cell]:
    return [
        _account(wait),
        Cell(wait.what),
        Cell(wait.asked_by),
        Cell(at=wait.asked_at),
        Cell(wait.reason),
        Cell(at=wait.until) if wait.until else Cell("Somebody answers"),
        _answer(wait, Act.AGREE, "Open it" if wait.kind is Kind.MAIL else "Agree"),
        _answer(wait, Act.STOP, "Stop"),
    ]


def _account(wait: Wait) -> Cell:
    if wait.person is None:
        return Cell(wait.name)
    return Cell(wait.name, url("person", wait.person.pk), note=wait.person.address)


def _answer(wait: Wait, act: Act, label: str) -> Cell:
    if act not in wait.acts:
        return Cell()
    parts = [wait.kind, wait.pk, act]
    return Cell(label, reverse("members:recovery_settle", args=parts))
