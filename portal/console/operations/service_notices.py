"""Notices to everybody: what does not work, and what is planned."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from engine.registry.permissions import Permission
from portal.console.access import staff
from portal.console.confirmation import ConfirmForm, Words, act, person_of, typed
from portal.console.sheet import Button, Cell, Section, Sheet, Table, draw
from portal.home import actions
from portal.home.models import NoticeKind, ServiceNotice
from portal.ui.forms import ActionForm

ICON = "info-circle"
TITLE = "Service notices"
ABOVE = (("console:notices", TITLE),)
LONGEST_LIST = 100


def _moment(label: str, **over: Any) -> forms.DateTimeField:
    picker = forms.DateTimeInput({"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
    return forms.DateTimeField(label=label, widget=picker, **over)


class NoticeForm(ActionForm):
    kind = forms.ChoiceField(label="What it is", choices=NoticeKind.choices)
    title = forms.CharField(
        label="In one line",
        max_length=120,
        error_messages={"required": "Enter what it is about"},
    )
    text = forms.CharField(
        label="More",
        help_text="What it means for people, and what they should do.",
        max_length=2000,
        required=False,
        widget=forms.Textarea({"rows": 5}),
    )
    begins_at = _moment("Shown from", initial=timezone.now)
    ends_at = _moment(
        "Until", required=False, help_text="Empty: until somebody ends it."
    )


@staff(Permission.PUBLISH_NOTICES)
@require_GET
def index(request: HttpRequest) -> HttpResponse:
    table = Table(
        ["In one line", "What it is", "State", "From", "Until", ""],
        [_row(notice) for notice in ServiceNotice.objects.all()[:LONGEST_LIST]],
        "Nothing has been said yet.",
    )
    publish = Button(
        "Publish a notice", reverse("console:notice_add"), Permission.PUBLISH_NOTICES
    )
    text = "Everybody sees them on the home page, the help page and the status page."
    section = Section(text=text, table=table, buttons=[publish])
    return draw(request, Sheet(TITLE, ICON, [section]))


@staff(Permission.PUBLISH_NOTICES)
@require_http_methods(["GET", "POST"])
def add(request: HttpRequest) -> HttpResponse:
    form = NoticeForm(typed(request))

    def verb() -> None:
        said = {**form.cleaned_data, "kind": NoticeKind(form.cleaned_data["kind"])}
        actions.publish(**said, by=person_of(request))

    words = Words(
        title="Publish a notice",
        button="Publish",
        done="The notice is published.",
        back=reverse("console:notices"),
        icon=ICON,
        above=ABOVE,
    )
    return act(request, form, verb, words)


@staff(Permission.PUBLISH_NOTICES)
@require_http_methods(["GET", "POST"])
def end(request: HttpRequest, pk: int) -> HttpResponse:
    notice = get_object_or_404(ServiceNotice, pk=pk)
    words = Words(
        title="End this notice",
        text=f"“{notice}” is taken down at once.",
        button="End it",
        done="The notice has ended.",
        back=reverse("console:notices"),
        icon=ICON,
        above=ABOVE,
    )
    form = ConfirmForm(typed(request))
    return act(request, form, lambda: actions.end(notice, by=person_of(request)), words)


def _row(notice: ServiceNotice) -> list[Cell]:
    over = notice.state == "Ended"
    return [
        Cell(notice.title),
        Cell(notice.get_kind_display()),
        Cell(notice.state),
        Cell(at=notice.begins_at),
        Cell(at=notice.ends_at) if notice.ends_at else Cell("Somebody ends it"),
        Cell()
        if over
        else Cell("End", reverse("console:notice_end", args=[notice.pk])),
    ]
