"""Service notices: faults and planned work, shown to everyone."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from engine.registry.models import Person
from engine.registry.permissions import Permission
from portal.console.access import staff
from portal.console.confirmation import confirmed_view, form_page
from portal.console.page import Button, Cell, Page, Section, Table, render_page
from portal.home import actions
from portal.home.models import NoticeKind, ServiceNotice
from portal.ui.confirmation import Confirmation, ConfirmedAction
from portal.ui.forms import ActionForm, post_data
from portal.ui.visitor import signed_in_person

ICON = "info-circle"
TITLE = "Service notices"
ABOVE = (("console:notices", TITLE),)
LISTED = 100


def _moment(label: str, **over: Any) -> forms.DateTimeField:
    picker = forms.DateTimeInput({"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
    return forms.DateTimeField(label=label, widget=picker, **over)


class NoticeForm(ActionForm):
    """A new notice."""

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
        "Until", required=False, help_text="Leave empty to show it until you end it."
    )


@staff(Permission.PUBLISH_NOTICES)
@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """All notices, the newest first."""
    table = Table(
        ["In one line", "What it is", "State", "From", "Until", ""],
        [_row(notice) for notice in ServiceNotice.objects.all()[:LISTED]],
        "No notice has been published yet.",
    )
    publish = Button(
        "Publish a notice", reverse("console:notice_add"), Permission.PUBLISH_NOTICES
    )
    text = "Everyone sees them on the home page, the help page and the status page."
    section = Section(text=text, table=table, buttons=[publish])
    return render_page(request, Page(TITLE, ICON, [section]))


@staff(Permission.PUBLISH_NOTICES)
@require_http_methods(["GET", "POST"])
def add(request: HttpRequest) -> HttpResponse:
    """Publishes a notice."""
    form = NoticeForm(post_data(request))

    def run() -> None:
        fields = {**form.cleaned_data, "kind": NoticeKind(form.cleaned_data["kind"])}
        actions.publish(**fields, by=signed_in_person(request))

    page = Confirmation(
        title="Publish a notice", button="Publish", done="The notice is published."
    )
    return form_page(
        request,
        form,
        run,
        page,
        back=lambda: reverse("console:notices"),
        icon=ICON,
        above=ABOVE,
    )


def _describe_end(notice: ServiceNotice, by: Person) -> Confirmation:
    return Confirmation(
        title="End this notice",
        text=f"“{notice}” is taken down immediately.",
        button="End it",
        done="The notice has ended.",
    )


end = confirmed_view(
    Permission.PUBLISH_NOTICES,
    lambda pk: get_object_or_404(ServiceNotice, pk=pk),
    ConfirmedAction(_describe_end, actions.end),
    back=lambda notice: reverse("console:notices"),
    icon=ICON,
    above=ABOVE,
)


def _row(notice: ServiceNotice) -> list[Cell]:
    has_ended = notice.state == "Ended"
    return [
        Cell(notice.title),
        Cell(notice.get_kind_display()),
        Cell(notice.state),
        Cell(at=notice.begins_at),
        Cell(at=notice.ends_at) if notice.ends_at else Cell("Until it is ended"),
        Cell()
        if has_ended
        else Cell("End", reverse("console:notice_end", args=[notice.pk])),
    ]
