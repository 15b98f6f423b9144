"""Who sends much, who was asked to wait, and who may send more than usual."""

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

from engine import clock
from engine.queue.models import SendingCount
from engine.queue.sending_rates.rate_limits import SPANS
from engine.registry import senders
from engine.registry.actions import allowances
from engine.registry.errors import PolicyError
from engine.registry.models import Allowance, SenderKind
from engine.registry.permissions import Permission
from portal.console.access import staff
from portal.console.confirmation import (
    ConfirmForm,
    ReasonForm,
    Words,
    act,
    person_of,
    typed,
)
from portal.console.sheet import Button, Cell, Section, Sheet, Table, draw

ICON = "tasks"
TITLE = "Sending rates"
ABOVE = (("console:rates", TITLE),)
MOST = 20  # senders in a table
MANAGE = Permission.MANAGE_QUEUE
Names = dict[tuple[str, int], str]


class AllowanceForm(ReasonForm):
    who = forms.CharField(
        label="Who",
        help_text=(
            "The address of a person or list, the domain of an organisation, the user "
            "name of a connection, or the client id of an API key."
        ),
        max_length=254,
        error_messages={"required": "Enter who may send more"},
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
        help_text="Empty: until somebody ends it.",
        widget=forms.DateTimeInput({"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )
    field_order = ("who", "factor", "until", "reason")


@staff(Permission.VIEW_QUEUE)
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    day = int(clock.now().timestamp() // SPANS["day"] * SPANS["day"])
    today = SendingCount.objects.filter(span="day", starts=day)
    waited = SendingCount.objects.filter(deferred__gt=0, starts__gte=day)
    most = list(today.order_by("-messages")[:MOST])
    told = list(waited.order_by("-starts", "-deferred")[:MOST])
    allowed = list(Allowance.objects.all())
    names = _names(
        [
            *(_subject(row.sender) for row in (*most, *told)),
            *((row.kind, row.subject_id) for row in allowed),
        ]
    )
    give = Button("Give an allowance", reverse("console:rates_give"), MANAGE)
    sections = [
        Section("Asked to wait today", table=_waited(told, names)),
        Section("Bulk allowances", table=_allowed(allowed, names), buttons=[give]),
        Section("Who sent most today", table=_most(most, names)),
        Section(
            "The usual rates",
            text=(
                "A sender that exceeds one of them is asked to wait, and loses nothing. "
                "They are set by POSTERN_PERSON_MESSAGES, POSTERN_PERSON_RECIPIENTS and "
                "so on."
            ),
            table=_usual(),
        ),
    ]
    return draw(request, Sheet(TITLE, ICON, sections))


@staff(MANAGE)
@require_http_methods(["GET", "POST"])
def give(request: HttpRequest) -> HttpResponse:
    form = AllowanceForm(typed(request), initial={"who": request.GET.get("who", "")})

    def verb() -> None:
        said = form.cleaned_data
        found = senders.named(said["who"])
        if found is None:
            raise PolicyError(f"Nothing here is called “{said['who']}”.")
        kind, subject_id = found
        allowances.give(
            kind,
            subject_id,
            factor=said["factor"],
            until=said["until"],
            reason=form.cleaned_data["reason"],
            by=person_of(request),
        )

    words = Words(
        title="Give a bulk allowance",
        text=(
            "They may send so many times each of the usual rates. An organisation's "
            "allowance counts for each of its people, connections, keys and lists."
        ),
        button="Give it",
        done="The allowance is given. It takes effect within two seconds.",
        back=reverse("console:rates"),
        icon=ICON,
        above=ABOVE,
    )
    return act(request, form, verb, words)


@staff(MANAGE)
@require_http_methods(["GET", "POST"])
def end(request: HttpRequest, pk: int) -> HttpResponse:
    allowance = get_object_or_404(Allowance, pk=pk)
    subject = (allowance.kind, allowance.subject_id)
    words = Words(
        title="End this allowance",
        text=f"The usual rates hold again for {_names([subject])[subject]}.",
        button="End it",
        done="The allowance has ended.",
        back=reverse("console:rates"),
        icon=ICON,
        above=ABOVE,
        is_grave=True,
    )
    form = ConfirmForm(typed(request))
    return act(
        request, form, lambda: allowances.end(allowance, by=person_of(request)), words
    )


def _subject(sender: str) -> tuple[str, int]:
    kind, _, row_id = sender.partition(":")
    return kind, int(row_id)


def _names(subjects: Iterable[tuple[str, int]]) -> Names:
    """What each is called. One query for each kind."""
    ids: defaultdict[str, set[int]] = defaultdict(set)
    for kind, row_id in subjects:
        ids[kind].add(row_id)
    return {
        (kind, row_id): str(found.get(row_id, "no longer there"))
        for kind, wanted in ids.items()
        for found in [senders.rows(SenderKind(kind)).in_bulk(wanted)]
        for row_id in wanted
    }


def _who(row: SendingCount, names: Names) -> list[Cell]:
    subject = _subject(row.sender)
    return [Cell(names[subject]), Cell(str(SenderKind(subject[0]).label))]


def _waited(rows: Iterable[SendingCount], names: Names) -> Table:
    return Table(
        ["Who", "What it is", "In one", "Sent", "To", "Asked to wait"],
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
        "Nobody was asked to wait today.",
    )


def _most(rows: Iterable[SendingCount], names: Names) -> Table:
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
        "Nothing was sent today.",
    )


def _allowed(rows: Iterable[Allowance], names: Names) -> Table:
    return Table(
        ["Who", "What it is", "Times the usual", "Until", "Reason", ""],
        [
            [
                Cell(names[row.kind, row.subject_id]),
                Cell(row.get_kind_display()),
                Cell(str(row.factor)),
                Cell(at=localtime(row.until))
                if row.until
                else Cell("Somebody ends it"),
                Cell(row.reason),
                Cell("End", reverse("console:rates_end", args=[row.pk])),
            ]
            for row in rows
        ],
        "Everybody sends at the usual rates.",
    )


def _usual() -> Table:
    rows = []
    for kind in (k for k in SenderKind if k != SenderKind.ORGANISATION):
        for what in ("messages", "recipients"):
            rates = getattr(settings.POSTERN, f"{kind}_{what}")
            numbers = [Cell(f"{getattr(rates, span):,}") for span in SPANS]
            rows.append([Cell(str(kind.label)), Cell(what.title()), *numbers])
    return Table(["Each", "", *(f"In one {span}" for span in SPANS)], rows, "")
