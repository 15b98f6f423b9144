"""Sending rates: the senders that send most or were deferred, and bulk allowances."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from django import forms
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.timezone import localtime
from django.views.decorators.http import require_http_methods, require_safe

from engine.database import clock
from engine.queue.models import SendingCount
from engine.queue.sending_rates.rate_limits import SPANS
from engine.registry import senders
from engine.registry.actions import allowances
from engine.registry.errors import PolicyError
from engine.registry.models import Allowance, Person, SenderKind
from engine.registry.permissions import Permission
from portal.console.access import staff
from portal.console.confirmation import confirmed_view, form_page
from portal.console.page import Button, Cell, Page, Section, Table, render_page
from portal.ui.confirmation import Confirmation, ConfirmedAction
from portal.ui.forms import ReasonForm, post_data
from portal.ui.visitor import signed_in_person

ICON = "tasks"
TITLE = "Sending rates"
ABOVE = (("console:rates", TITLE),)
LISTED = 20  # senders in a table
MANAGE = Permission.MANAGE_QUEUE
Names = dict[tuple[str, int], str]


class AllowanceForm(ReasonForm):
    """A bulk allowance: a multiple of the usual rates for one sender."""

    who = forms.CharField(
        label="Who",
        help_text=(
            "The address of a person or list, the domain of an organisation, the user "
            "name of a connection, or the client id of an API key."
        ),
        max_length=254,
        error_messages={"required": "Enter the sender"},
    )
    factor = forms.IntegerField(
        label="How many times the usual rates",
        min_value=2,
        max_value=allowances.MAX_FACTOR,
        initial=10,
        error_messages={"required": "Enter a number"},
    )
    until = forms.DateTimeField(
        label="Until",
        required=False,
        help_text="Leave empty for no end.",
        widget=forms.DateTimeInput({"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )
    field_order = ("who", "factor", "until", "reason")


@staff(Permission.VIEW_QUEUE)
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """Deferred and large senders of today, allowances, and the usual rates."""
    day = int(clock.now().timestamp() // SPANS["day"] * SPANS["day"])
    today = SendingCount.objects.filter(span="day", starts=day)
    waited = SendingCount.objects.filter(deferred__gt=0, starts__gte=day)
    most = list(today.order_by("-messages")[:LISTED])
    deferred = list(waited.order_by("-starts", "-deferred")[:LISTED])
    allowed = list(Allowance.objects.all())
    names = _names(
        [
            *(_subject(row.sender) for row in (*most, *deferred)),
            *((row.kind, row.subject_id) for row in allowed),
        ]
    )
    give = Button("Give an allowance", reverse("console:rates_give"), MANAGE)
    sections = [
        Section("Deferred today", table=_deferred_table(deferred, names)),
        Section(
            "Bulk allowances", table=_allowances_table(allowed, names), buttons=[give]
        ),
        Section("Largest senders today", table=_most_table(most, names)),
        Section(
            "The usual rates",
            text=(
                "Mail of a sender that exceeds one of them is deferred, and not lost. "
                "They are set by POSTERN_PERSON_MESSAGES, POSTERN_PERSON_RECIPIENTS and "
                "so on."
            ),
            table=_usual_rates(),
        ),
    ]
    return render_page(request, Page(TITLE, ICON, sections))


@staff(MANAGE)
@require_http_methods(["GET", "POST"])
def give(request: HttpRequest) -> HttpResponse:
    """Gives a sender a multiple of the usual rates."""
    who = request.GET.get("who", "")
    form = AllowanceForm(post_data(request), initial={"who": who})

    def run() -> None:
        data = form.cleaned_data
        found = senders.named(data["who"])
        if found is None:
            raise PolicyError(f"No sender is called “{data['who']}”.")
        kind, subject_id = found
        allowances.give(
            kind,
            subject_id,
            factor=data["factor"],
            until=data["until"],
            reason=data["reason"],
            by=signed_in_person(request),
        )

    page = Confirmation(
        title="Give a bulk allowance",
        text="They may send this many times each of the usual rates. An organisation's "
        "allowance applies to each of its people, connections, keys and lists.",
        button="Give it",
        done="The allowance is given. It takes effect within two seconds.",
    )
    return form_page(request, form, run, page, back=_rates_url, icon=ICON, above=ABOVE)


def _rates_url() -> str:
    return reverse("console:rates")


def _describe_end(allowance: Allowance, by: Person) -> Confirmation:
    subject = (allowance.kind, allowance.subject_id)
    return Confirmation(
        title="End this allowance",
        text=f"The usual rates apply to {_names([subject])[subject]} again.",
        button="End it",
        done="The allowance has ended.",
        is_warning=True,
    )


end = confirmed_view(
    MANAGE,
    lambda pk: get_object_or_404(Allowance, pk=pk),
    ConfirmedAction(_describe_end, allowances.end),
    back=lambda allowance: _rates_url(),
    icon=ICON,
    above=ABOVE,
)


def _subject(sender: str) -> tuple[str, int]:
    kind, _, row_id = sender.partition(":")
    return kind, int(row_id)


def _names(subjects: Iterable[tuple[str, int]]) -> Names:
    """Returns the name of each sender. One query for each kind."""
    ids: defaultdict[str, set[int]] = defaultdict(set)
    for kind, row_id in subjects:
        ids[kind].add(row_id)
    return {
        (kind, row_id): str(found.get(row_id, "deleted"))
        for kind, wanted in ids.items()
        for found in [senders.rows(SenderKind(kind)).in_bulk(wanted)]
        for row_id in wanted
    }


def _who(row: SendingCount, names: Names) -> list[Cell]:
    subject = _subject(row.sender)
    return [Cell(names[subject]), Cell(str(SenderKind(subject[0]).label))]


def _deferred_table(rows: Iterable[SendingCount], names: Names) -> Table:
    return Table(
        ["Who", "What it is", "In one", "Sent", "To", "Deferred"],
        [
            [
                *_who(row, names),
                Cell(row.span),
                Cell(f"{row.messages:,}"),
                Cell(f"{row.recipients:,}"),
                Cell(f"{row.deferred:,} times", is_alarming=True),
            ]
            for row in rows
        ],
        "No sender was deferred today.",
    )


def _most_table(rows: Iterable[SendingCount], names: Names) -> Table:
    return Table(
        ["Who", "What it is", "Messages", "Recipients"],
        [
            [
                *_who(row, names),
                Cell(f"{row.messages:,}"),
                Cell(f"{row.recipients:,}"),
            ]
            for row in rows
        ],
        "No mail was sent today.",
    )


def _allowances_table(rows: Iterable[Allowance], names: Names) -> Table:
    return Table(
        ["Who", "What it is", "Times the usual", "Until", "Reason", ""],
        [
            [
                Cell(names[row.kind, row.subject_id]),
                Cell(row.get_kind_display()),
                Cell(str(row.factor)),
                Cell(at=localtime(row.until)) if row.until else Cell("No end"),
                Cell(row.reason),
                Cell("End", reverse("console:rates_end", args=[row.pk])),
            ]
            for row in rows
        ],
        "All senders have the usual rates.",
    )


def _usual_rates() -> Table:
    rows = []
    for kind in (k for k in SenderKind if k != SenderKind.ORGANISATION):
        for what in ("messages", "recipients"):
            rates = getattr(settings.POSTERN, f"{kind}_{what}")
            numbers = [Cell(f"{getattr(rates, span):,}") for span in SPANS]
            rows.append([Cell(str(kind.label)), Cell(what.title()), *numbers])
    return Table(["Each", "", *(f"In one {span}" for span in SPANS)], rows, "")
