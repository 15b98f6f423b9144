"""Quarantine: facts about messages refused as infected, and never their content."""

from __future__ import annotations

from typing import cast

from django.conf import settings
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.views.decorators.http import require_safe

from engine.antivirus import quarantine
from engine.antivirus.models import QuarantinedMessage
from engine.audit import openings
from engine.registry.models import Organisation, Person
from engine.registry.permissions import Permission
from portal.console.access import staff
from portal.console.confirmation import confirmed_view
from portal.console.organisations.frame import member_url
from portal.console.page import Button, Cell, Page, Section, Table, render_page
from portal.ui.confirmation import Confirmation, ConfirmedAction
from portal.ui.filters import FilterForm, text_filter
from portal.ui.forms import ReasonForm
from portal.ui.pagination import paginate

ICON = "warning"
TITLE = "Quarantine"
ABOVE = (("console:quarantine", TITLE),)
HEADINGS = ("What was found", "Sender", "Organisation", "Size", "When", "Reference")


class QuarantineFilter(FilterForm):
    """Searches the quarantine."""

    q = text_filter("Signature, sender, reference or SHA-256")


@staff(Permission.VIEW_QUARANTINE)
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """Messages in quarantine, the newest first."""
    search = QuarantineFilter(request)
    found = paginate(request, _search(search.criteria["q"]), descending=True)
    owners = Organisation.objects.in_bulk({row.organisation_id for row in found.rows})
    rows = [_row(row, owners) for row in found.rows]
    empty = (
        "No message in quarantine matches. Try a part of the sender's address."
        if search.is_search
        else "No infected message has been refused."
    )
    page = Page(
        TITLE,
        ICON,
        [Section(table=Table(HEADINGS, rows, empty))],
        filters=search,
        links=found.links,
    )
    return render_page(request, page)


def _search(text: str) -> QuerySet[QuarantinedMessage]:
    rows = QuarantinedMessage.objects.all()
    if not text:
        return rows
    return rows.filter(
        QuarantinedMessage.found_by(text)
        | Q(reference__iexact=text)
        | Q(digest__iexact=text)
    )


def _row(row: QuarantinedMessage, owners: dict[int, Organisation]) -> list[Cell]:
    href = reverse("console:quarantined", args=[row.pk])
    owner = owners.get(row.organisation_id or 0)
    return [
        Cell(row.signature, href, note=row.scanner),
        Cell(row.sender or "(notice)"),
        Cell(owner.name if owner else ""),
        Cell(filesizeformat(row.size)),
        Cell(at=row.at),
        Cell(row.reference, reverse("console:story", args=[row.reference])),
    ]


@staff(Permission.VIEW_QUARANTINE)
@require_safe
def show(request: HttpRequest, pk: int) -> HttpResponse:
    """The facts about one message in quarantine; records who looked at them."""
    row = get_object_or_404(QuarantinedMessage, pk=pk)
    openings.note(
        "quarantine.viewed",
        row,
        by=cast(Person, request.user),
        method="console",
        organisation_key=row.organisation_id or "",
    )
    owner = Organisation.objects.filter(pk=row.organisation_id or 0).first()
    owner_cell = (
        Cell(owner.name, member_url("organisation", owner.pk)) if owner else Cell("—")
    )
    story = reverse("console:story", args=[row.reference])
    facts = [
        ("What was found", Cell(row.signature)),
        ("By the scanner", Cell(row.scanner)),
        ("When", Cell(at=row.at)),
        ("Sender", Cell(row.sender or "(notice)")),
        ("Organisation", owner_cell),
        ("Recipients", Cell(", ".join(row.recipients) or "None yet")),
        ("Size", Cell(filesizeformat(row.size))),
        ("SHA-256", Cell(row.digest)),
        ("Reference", Cell(row.reference, story)),
    ]
    delete_url = reverse("console:quarantine_delete", args=[pk])
    button = Button("Delete", delete_url, Permission.MANAGE_QUARANTINE, True)
    text = (
        "The message was not delivered to any recipient. It cannot be opened or "
        f"downloaded here, and is destroyed after {settings.POSTERN.quarantine_days} days."
    )
    section = Section(facts=facts, text=text, buttons=[button])
    return render_page(request, Page(row.signature, ICON, [section], above=ABOVE))


def _find(pk: int) -> QuarantinedMessage:
    return get_object_or_404(QuarantinedMessage, pk=pk)


def _describe_deletion(row: QuarantinedMessage, by: Person) -> Confirmation:
    return Confirmation(
        title=f"Delete {row.reference} from quarantine",
        button="Delete",
        done="The copy has been destroyed.",
        text="The copy is destroyed. The audit trail keeps the facts about it.",
        is_warning=True,
    )


delete = confirmed_view(
    Permission.MANAGE_QUARANTINE,
    _find,
    ConfirmedAction(_describe_deletion, quarantine.delete, ReasonForm),
    back=lambda row: reverse("console:quarantine"),
    icon=ICON,
    above=ABOVE,
)
