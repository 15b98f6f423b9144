"""What was refused as infected: about each message, never what is in it."""

from __future__ import annotations

from django import forms
from django.conf import settings
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from engine.antivirus import actions
from engine.antivirus.models import QuarantinedMessage
from engine.registry.models import Organisation
from engine.registry.permissions import Permission
from portal.console.access import staff
from portal.console.confirmation import ReasonForm, Words, act, person_of, typed
from portal.console.organisations.frame import url
from portal.console.sheet import Button, Cell, Section, Sheet, Table, draw
from portal.ui.filters import FilterForm
from portal.ui.pagination import paged

ICON = "warning"
ABOVE = (("console:quarantine", "Quarantine"),)
HEADINGS = ("What was found", "Sender", "Organisation", "Size", "When", "Reference")


class QuarantineFilter(FilterForm):
    q = forms.CharField(
        label="Signature, sender, reference or SHA-256",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )


@staff(Permission.VIEW_QUARANTINE)
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """The newest first."""
    search = QuarantineFilter(request)
    page = paged(request, _found(search.criteria["q"]), descending=True)
    owners = Organisation.objects.in_bulk({row.organisation_id for row in page.rows})
    rows = [_row(row, owners) for row in page.rows]
    empty = (
        "Nothing in quarantine fits. Try a part of the sender's address."
        if search.is_search
        else "No infected message has been refused."
    )
    sheet = Sheet(
        "Quarantine",
        ICON,
        [Section(table=Table(HEADINGS, rows, empty))],
        filters=search,
        links=page.links,
    )
    return draw(request, sheet)


def _found(sought: str) -> QuerySet[QuarantinedMessage]:
    rows = QuarantinedMessage.objects.all()
    if not sought:
        return rows
    return rows.filter(
        Q(signature__icontains=sought)
        | Q(sender__icontains=sought)
        | Q(reference__iexact=sought)
        | Q(digest__iexact=sought)
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
    row = get_object_or_404(QuarantinedMessage, pk=pk)
    owner = Organisation.objects.filter(pk=row.organisation_id or 0).first()
    place = Cell(owner.name, url("organisation", owner.pk)) if owner else Cell("—")
    facts = [
        ("What was found", Cell(row.signature)),
        ("By the scanner", Cell(row.scanner)),
        ("When", Cell(at=row.at)),
        ("Sender", Cell(row.sender or "(notice)")),
        ("Organisation", place),
        ("Recipients", Cell(", ".join(row.recipients) or "None yet")),
        ("Size", Cell(filesizeformat(row.size))),
        ("SHA-256", Cell(row.digest)),
        (
            "Reference",
            Cell(row.reference, reverse("console:story", args=[row.reference])),
        ),
    ]
    delete_url = reverse("console:quarantine_delete", args=[pk])
    button = Button("Delete", delete_url, Permission.MANAGE_QUARANTINE, True)
    text = (
        "It was delivered to nobody. Nobody can open or download it here. It is "
        f"destroyed after {settings.POSTERN.quarantine_days} days."
    )
    section = Section(facts=facts, text=text, buttons=[button])
    return draw(request, Sheet(row.signature, ICON, [section], above=ABOVE))


@staff(Permission.MANAGE_QUARANTINE)
@require_http_methods(["GET", "POST"])
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    row = get_object_or_404(QuarantinedMessage, pk=pk)
    form = ReasonForm(typed(request))
    words = Words(
        title=f"Delete {row.reference} from quarantine",
        button="Delete",
        done="The copy is gone for good.",
        back=reverse("console:quarantine"),
        text="The copy is destroyed. What it was stays in the audit trail.",
        icon=ICON,
        above=ABOVE,
        is_grave=True,
    )

    def verb() -> None:
        actions.delete(row, reason=form.cleaned_data["reason"], by=person_of(request))

    return act(request, form, verb, words)
