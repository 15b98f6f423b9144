"""Re-scans of what arrived lately: started, followed and stopped."""

from __future__ import annotations

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from engine.antivirus.scanners import coverage_proof
from engine.incidents import rescans, withdrawals
from engine.incidents.models import Rescan, RescanState, Withdrawal
from engine.registry.models import Person
from engine.registry.permissions import Permission
from portal.console.access import staff
from portal.console.confirmation import confirmed_view, form_page
from portal.console.mail.withdrawals import PUT_BACK, RecipientsReasonForm
from portal.console.page import Button, Cell, Fact, Page, Section, Table, render_page
from portal.ui.confirmation import Confirmation, ConfirmedAction
from portal.ui.forms import ActionForm, ConfirmForm, post_data
from portal.ui.pagination import paginate
from portal.ui.visitor import signed_in_person

ICON = "rotate"
TITLE = "Re-scans"
ABOVE = (("console:rescans", TITLE),)
MANAGE = Permission.MANAGE_QUARANTINE
HEADINGS = ("What arrived since", "Started", "By", "State", "Scanned", "Infected")
EFFECT = (
    "What arrived in these days is scanned again, the newest first, with the signatures "
    "that the scanner has now. Infected copies are withdrawn from all mailboxes, what "
    "waits in the queue is held, and the operators and the holders are notified. Tickets that "
    "were made of one, and exports that were written, stay. Arriving mail comes first: a "
    "large service takes hours."
)


class RescanForm(ActionForm):
    """How far back to scan again."""

    days = forms.IntegerField(
        label="Days",
        help_text=f"How many days back, at most {rescans.MOST_DAYS}.",
        min_value=1,
        max_value=rescans.MOST_DAYS,
        initial=7,
        error_messages={"required": "Enter a number of days"},
    )


@staff(Permission.VIEW_QUARANTINE)
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """Every re-scan, the newest first."""
    found = paginate(request, Rescan.objects.all(), descending=True)
    rows = [
        [
            Cell(at=row.since),
            Cell(at=row.started_at),
            Cell(row.started_by),
            Cell(row.get_state_display(), is_alarming=bool(row.fault)),
            Cell(f"{row.scanned:,}"),
            Cell(f"{row.infected:,}", is_alarming=row.infected > 0),
            Cell("Open", _url(row)),
        ]
        for row in found.rows
    ]
    section = Section(
        text=_offer(),
        table=Table((*HEADINGS, ""), rows, "Nothing has been scanned again."),
        buttons=[Button("Scan again", reverse("console:rescan_start"), MANAGE)],
    )
    return render_page(request, Page(TITLE, ICON, [section], links=found.links))


def _offer() -> str:
    if not coverage_proof.signatures():
        return "The virus scanner does not tell how new its signatures are."
    newer = rescans.newer_signatures()
    if not newer:
        return "The last re-scan had the signatures that the scanner has now."
    return (
        f"The scanner has signatures that no re-scan has used: {newer}. Scan again what "
        "arrived before them, if they find what was unknown until now."
    )


@staff(Permission.VIEW_QUARANTINE)
@require_safe
def show(request: HttpRequest, pk: int) -> HttpResponse:
    """One re-scan, and how far it is."""
    row = _find(pk)
    stop = reverse("console:rescan_stop", args=[pk])
    is_running = row.state == RescanState.RUNNING
    buttons = [Button("Stop", stop, MANAGE, True)] if is_running else []
    if not is_running and (row.copies or row.stopped):
        back = reverse("console:rescan_back", args=[pk])
        buttons.append(Button("Ask to put it back", back, MANAGE))
    sections = [Section(facts=_facts(row), buttons=buttons)]
    return render_page(request, Page(str(row), ICON, sections, above=ABOVE))


def _facts(row: Rescan) -> list[Fact]:
    facts = [
        ("State", Cell(row.get_state_display())),
        ("What arrived since", Cell(at=row.since)),
        ("Signatures when it began", Cell(row.signatures or "Not known")),
        ("Started", Cell(at=row.started_at)),
        ("Started by", Cell(row.started_by)),
        ("Messages scanned", Cell(f"{row.scanned:,}")),
        ("Could not be read or scanned", Cell(f"{row.unreadable:,}")),
        ("Infected", Cell(f"{row.infected:,}", is_alarming=row.infected > 0)),
        ("Copies withdrawn", Cell(f"{row.copies:,}")),
        ("Recipients held in the queue", Cell(f"{row.stopped:,}")),
    ]
    if row.fault:
        facts.insert(1, ("Waits", Cell(row.fault, is_alarming=True)))
    if row.at and row.state == RescanState.RUNNING:
        facts.insert(1, ("Has come back to what arrived", Cell(at=row.at)))
    if row.finished_at:
        facts.append(("Finished", Cell(at=row.finished_at)))
    return facts


@staff(MANAGE)
@require_http_methods(["GET", "POST"])
def start(request: HttpRequest) -> HttpResponse:
    """Starts a re-scan."""
    form = RescanForm(post_data(request))
    made: list[Rescan] = []

    def run() -> None:
        by = signed_in_person(request)
        made.append(rescans.start(days=form.cleaned_data["days"], by=by))

    page = Confirmation(
        title="Scan again what arrived lately",
        button="Scan again",
        done="The re-scan has begun. This page shows how far it is.",
        text=EFFECT,
    )
    return form_page(
        request,
        form,
        run,
        page,
        back=lambda: _url(made[0]) if made else reverse("console:rescans"),
        icon=ICON,
        above=ABOVE,
    )


def _find(pk: int) -> Rescan:
    return get_object_or_404(Rescan, pk=pk)


def _url(row: Rescan) -> str:
    return reverse("console:rescan", args=[row.pk])


def _describe_stop(row: Rescan, by: Person) -> Confirmation:
    return Confirmation(
        title=f"Stop {row}",
        button="Stop",
        done="The re-scan has been stopped.",
        text="What it has withdrawn stays withdrawn. What it has not reached stays as it "
        "is.",
        is_warning=True,
    )


def _describe_back(row: Rescan, by: Person) -> Confirmation:
    return Confirmation(
        title=f"Put back what {row} withdrew",
        button="Ask two operators to approve",
        done="The other operators have been notified. Two of them must approve it.",
        text=f"Only if the signatures were wrong about it. {PUT_BACK}",
        is_warning=True,
    )


def _undone_url(row: Rescan) -> str:
    undone = Withdrawal.objects.filter(rescan=row).first()
    return reverse("console:withdrawal", args=[undone.pk]) if undone else _url(row)


put_back = confirmed_view(
    MANAGE,
    _find,
    ConfirmedAction(
        _describe_back, withdrawals.ask_to_put_back_rescan, RecipientsReasonForm
    ),
    back=_undone_url,
    icon=ICON,
    above=ABOVE,
)
stop = confirmed_view(
    MANAGE,
    _find,
    ConfirmedAction(_describe_stop, rescans.stop, ConfirmForm),
    back=_url,
    icon=ICON,
    above=ABOVE,
)
