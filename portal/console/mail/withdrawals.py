"""Withdrawals of delivered mail: asked for, approved by two others, carried out, undone."""

from __future__ import annotations

from urllib.parse import urlencode

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from engine.incidents import search, withdrawals
from engine.incidents.message_keys import Kind
from engine.incidents.models import Withdrawal, WithdrawalState
from engine.registry.errors import PolicyError
from engine.registry.models import Person
from engine.registry.permissions import Permission
from portal.console.access import staff
from portal.console.confirmation import confirmed_view, form_page
from portal.console.mail import delivered_search
from portal.console.page import Button, Cell, Fact, Page, Section, Table, render_page
from portal.ui.confirmation import Confirmation, ConfirmedAction
from portal.ui.forms import ActionForm, ConfirmForm, ReasonForm, post_data
from portal.ui.pagination import paginate
from portal.ui.visitor import signed_in_person

ICON = "no-view"
TITLE = "Withdrawals"
ABOVE = (("console:withdrawals", TITLE),)
MANAGE = Permission.MANAGE_QUARANTINE
NOT_COUNTED = " (could not approve it now, so this does not count)"
HEADINGS = ("What", "Asked", "By", "Reason", "State", "Copies")
TYPED = {
    Kind.FILE: "SHA-256 of a file",
    Kind.SENDER: "Sender",
    Kind.SUBJECT: "Subject",
    Kind.MESSAGE_ID: "Message-ID",
}
EFFECT = (
    "Once two other operators approve, every copy in a mailbox here is taken out, and what "
    "waits in the queue is held. Readers see that something was withdrawn, and your reason; "
    "those who opened it get a notice. Copies on other servers stay there, and so do the "
    "author’s own in Sent, tickets that were made of it, and exports that were written. It "
    "can be put back in the same way."
)
PUT_BACK = (
    "Once two other operators approve, every copy comes back into its folder, and what was "
    "held in the queue is delivered. What was withdrawn for longer than its time is gone. "
    "Forwards and automatic replies that had not left yet are not sent."
)


class RecipientsReasonForm(ActionForm):
    """Why mail is withdrawn or put back; the people concerned read it."""

    reason = forms.CharField(
        label="Reason",
        help_text="Recorded with your name, and shown to the readers of the mailboxes.",
        max_length=300,
        error_messages={"required": "Enter a reason"},
    )


@staff(Permission.VIEW_QUARANTINE)
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """Every withdrawal, the newest first."""
    found = paginate(request, Withdrawal.objects.all(), descending=True)
    rows = [
        [
            Cell(_name(row), _url(row)),
            Cell(at=row.asked_at),
            Cell(row.asked_by),
            Cell(row.reason),
            Cell(
                row.get_state_display(),
                is_alarming=row.state == WithdrawalState.ASKED,
            ),
            Cell(f"{row.copies:,}"),
        ]
        for row in found.rows
    ]
    section = Section(
        text="Search first for what is to be withdrawn.",
        table=Table(HEADINGS, rows, "Nothing has been withdrawn."),
        buttons=[Button("Search delivered mail", reverse("console:delivered"), MANAGE)],
    )
    return render_page(request, Page(TITLE, ICON, [section], links=found.links))


@staff(Permission.VIEW_QUARANTINE)
@require_safe
def show(request: HttpRequest, pk: int) -> HttpResponse:
    """One withdrawal: what was asked, who approved it, and how far it is."""
    row = _find(pk)
    given = list(row.agreements.all())
    counted = given if row.started_at else withdrawals.counted(row)
    agreements = [
        [Cell(one.name + ("" if one in counted else NOT_COUNTED)), Cell(at=one.at)]
        for one in given
    ]
    sections = [
        Section(facts=_facts(row), buttons=_buttons(row, signed_in_person(request))),
        Section(
            f"Approvals: {len(counted)} of {withdrawals.NEEDED}",
            table=Table(("Who", "When"), agreements, "No other operator has approved."),
        ),
    ]
    if row.started_at:
        sections.append(Section("Progress", facts=_progress(row)))
    return render_page(request, Page(_name(row), ICON, sections, above=ABOVE))


def _facts(row: Withdrawal) -> list[Fact]:
    facts = [
        ("State", Cell(row.get_state_display())),
        *((TYPED[Kind(name)], Cell(text)) for name, text in row.criteria.items()),
        ("Accepted from", Cell(at=row.since)),
        ("Accepted before", Cell(at=row.until)),
        ("Messages found", Cell(f"{row.found:,}", _search_url(row))),
        ("Reason", Cell(row.reason)),
        ("Asked by", Cell(row.asked_by)),
        ("Asked", Cell(at=row.asked_at)),
    ]
    if row.refused_by:
        facts.append(("Refused by", Cell(row.refused_by)))
    elif row.state == WithdrawalState.REFUSED:
        facts.append(("Not approved within", Cell(f"{withdrawals.LIFETIME.days} days")))
    if row.rescan is not None:
        url = reverse("console:rescan", args=[row.rescan_id])
        facts.append(("Puts back", Cell(str(row.rescan), url)))
    if row.undoes is not None:
        facts.append(("Puts back", Cell(_name(row.undoes), _url(row.undoes))))
    other = Withdrawal.objects.filter(undoes=row).first()
    if other is not None:
        facts.append(("Put back by", Cell(_name(other), _url(other))))
    return facts


def _progress(row: Withdrawal) -> list[Fact]:
    is_back = row.is_put_back
    facts = [
        ("Started", Cell(at=row.started_at)),
        ("Messages looked at", Cell(f"{row.messages:,} of {row.found:,}")),
        (
            "Copies put back" if is_back else "Copies withdrawn",
            Cell(f"{row.copies:,}"),
        ),
        (
            "Released in the queue" if is_back else "Held in the queue",
            Cell(f"{row.stopped:,}"),
        ),
    ]
    if not is_back:
        facts.append(("Opened before, readers notified", Cell(f"{row.used:,}")))
    if row.finished_at:
        facts.append(("Finished", Cell(at=row.finished_at)))
    return facts


def _buttons(row: Withdrawal, by: Person) -> list[Button]:
    keys = [row.pk]
    buttons = []
    if withdrawals.can_agree(row, by=by):
        approve = reverse("console:withdrawal_agree", args=keys)
        buttons.append(Button("Approve", approve, MANAGE))
    if row.state == WithdrawalState.ASKED:
        refuse = reverse("console:withdrawal_refuse", args=keys)
        buttons.append(Button("Refuse", refuse, MANAGE, True))
    if row.state == WithdrawalState.DONE and not row.is_put_back:
        back = reverse("console:withdrawal_back", args=keys)
        buttons.append(Button("Ask to put it back", back, MANAGE))
    return buttons


@staff(MANAGE)
@require_http_methods(["GET", "POST"])
def ask(request: HttpRequest) -> HttpResponse:
    """Asks to withdraw what a search found."""
    form = RecipientsReasonForm(post_data(request))
    made: list[Withdrawal] = []

    def run() -> None:
        criteria = delivered_search.criteria_of(request)
        by = signed_in_person(request)
        reason = form.cleaned_data["reason"]
        made.append(withdrawals.ask(criteria, reason=reason, by=by))

    page = Confirmation(
        title="Withdraw what was found",
        button="Ask two operators to approve",
        done="The other operators have been notified. Two of them must approve it.",
        text=f"{_found(request)} {EFFECT}",
        is_warning=True,
    )
    search_page = f"{reverse('console:delivered')}?{request.GET.urlencode()}"
    return form_page(
        request,
        form,
        run,
        page,
        back=lambda: _url(made[0]) if made else search_page,
        icon=ICON,
        above=ABOVE,
    )


def _found(request: HttpRequest) -> str:
    try:
        criteria = delivered_search.criteria_of(request)
    except PolicyError as refusal:
        return str(refusal)
    rows = search.find(criteria.keys, criteria.since, criteria.until)
    count = search.count(rows)
    return f"Found: {count:,} message{'' if count == 1 else 's'}."


def _find(pk: int) -> Withdrawal:
    return get_object_or_404(
        Withdrawal.objects.select_related("undoes", "rescan"), pk=pk
    )


def _name(row: Withdrawal) -> str:
    what = "Put back" if row.is_put_back else "Withdrawal"
    return f"{what} (number {row.pk})"


def _search_url(row: Withdrawal) -> str:
    """The search that finds the same, in whole days; empty after a re-scan."""
    if not row.criteria:
        return ""
    days = {
        "since": timezone.localdate(row.since).isoformat(),
        "until": timezone.localdate(row.until).isoformat(),
    }
    return f"{reverse('console:delivered')}?{urlencode(row.criteria | days)}"


def _url(row: Withdrawal) -> str:
    return reverse("console:withdrawal", args=[row.pk])


def _describe_agreement(row: Withdrawal, by: Person) -> Confirmation:
    return Confirmation(
        title=f"Approve: {_name(row)}",
        button="Approve",
        done="You have approved it. It begins with the second approval.",
        text=f"{row.asked_by} asked for it: {row.reason} "
        f"{PUT_BACK if row.is_put_back else EFFECT}",
        is_warning=True,
    )


def _describe_refusal(row: Withdrawal, by: Person) -> Confirmation:
    return Confirmation(
        title=f"Refuse: {_name(row)}",
        button="Refuse",
        done="It will not be carried out.",
        text="Nothing has been moved, and nothing will be.",
    )


def _describe_back(row: Withdrawal, by: Person) -> Confirmation:
    return Confirmation(
        title=f"Put back: {_name(row)}",
        button="Ask two operators to approve",
        done="The other operators have been notified. Two of them must approve it.",
        text=PUT_BACK,
    )


agree = confirmed_view(
    MANAGE,
    _find,
    ConfirmedAction(_describe_agreement, withdrawals.agree, ConfirmForm),
    back=_url,
    icon=ICON,
    above=ABOVE,
)
refuse = confirmed_view(
    MANAGE,
    _find,
    ConfirmedAction(_describe_refusal, withdrawals.refuse, ReasonForm),
    back=_url,
    icon=ICON,
    above=ABOVE,
)
put_back = confirmed_view(
    MANAGE,
    _find,
    ConfirmedAction(_describe_back, withdrawals.ask_to_put_back, RecipientsReasonForm),
    back=lambda row: _url(Withdrawal.objects.filter(undoes=row).first() or row),
    icon=ICON,
    above=ABOVE,
)
