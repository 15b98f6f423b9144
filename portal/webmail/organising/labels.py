"""Labels: their list, the messages that have one, and those of one message."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import (
    require_http_methods,
    require_POST,
    require_safe,
)

from engine.registry.errors import PolicyError
from engine.storage.models import Label, LabelColour, Message
from engine.storage.organising import labels
from portal.webmail.access import (
    AccessibleMailboxes,
    MailboxAccess,
    accessible_mailboxes,
    requires_mail,
)
from portal.webmail.live import arrivals
from portal.webmail.mailbox import message_list
from portal.webmail.mailbox.list_options import names_recipients
from portal.webmail.mailbox.message_list import PAGE_SIZE, MessageRow
from portal.webmail.organising import group_work
from portal.webmail.organising.reminders import TIMES
from portal.webmail.request_ids import parse_id, query_id
from portal.webmail.sidebar import Sidebar, sidebar


class LabelForm(forms.Form):
    """A label's name and colour."""

    name = forms.CharField(
        max_length=Label.MAX_NAME,
        label="Name of the label",
        error_messages={"required": "Enter a name for the label"},
        widget=forms.TextInput(attrs={"class": "govuk-input--width-20"}),
    )
    colour = forms.ChoiceField(
        choices=LabelColour.choices,
        label="Colour",
        error_messages={"required": "Choose a colour"},
    )


def list_context(panel: Sidebar, listed: list[Message]) -> dict[str, Any]:
    """Returns the template context for the labels of a list. One query at most."""
    return {
        "labels": panel.labels,
        "labels_of": labels.of_messages(panel.labels, listed),
    }


@requires_mail
@require_http_methods(["GET", "HEAD", "POST"])
def index(request: HttpRequest, mailbox_id: int) -> HttpResponse:
    """Lists the labels of a mailbox; on POST, adds one."""
    mailboxes = accessible_mailboxes(request)
    access = mailboxes.writable(mailbox_id)
    return _edit(request, mailboxes, access, Label(mailbox=access.mailbox))


@requires_mail
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, mailbox_id: int, label_id: int) -> HttpResponse:
    """Changes or deletes a label."""
    mailboxes = accessible_mailboxes(request)
    access = mailboxes.writable(mailbox_id)
    label = _label(access, label_id)
    if request.POST.get("do") == "delete":
        labels.remove(label)
        messages.success(request, f"Label {label.name} deleted. Its messages stay.")
        return redirect("webmail:labels", mailbox_id=access.mailbox.pk)
    return _edit(request, mailboxes, access, label)


@requires_mail
@require_safe
def show(request: HttpRequest, mailbox_id: int, label_id: int) -> HttpResponse:
    """Lists the messages with a label, from all folders, newest first."""
    context = _label_context(request, mailbox_id, label_id)
    return render(request, "webmail/organising/label.html", context)


@requires_mail
@require_safe
def live(request: HttpRequest, mailbox_id: int, label_id: int) -> HttpResponse:
    """Renders the same list without its frame, for `live.js` to merge."""
    context = _label_context(request, mailbox_id, label_id)
    context["layout"] = "webmail/live/folder.html"
    context["arrived"] = arrivals.since(request, context["sidebar"])
    return render(request, "webmail/organising/label.html", context)


def _label_context(
    request: HttpRequest, mailbox_id: int, label_id: int
) -> dict[str, Any]:
    mailboxes = accessible_mailboxes(request)
    access = mailboxes.at(mailbox_id)
    label = _label(access, label_id)
    past = query_id(request, "past")
    found = labels.messages_with(label, before=past, limit=PAGE_SIZE + 1)
    shown = found[:PAGE_SIZE]
    sent = [message for message in shown if names_recipients(message.folder)]
    panel = sidebar(mailboxes, access)
    place = reverse("webmail:label", args=[mailbox_id, label_id])
    query = f"?past={past}" if past else ""
    return {
        "sidebar": panel,
        "access": access,
        "label": label,
        "query": query,
        "back_to": place + query,
        "rows": [MessageRow(message) for message in shown],
        **message_list.correspondents(shown, sent=sent),
        **list_context(panel, shown),
        **group_work.list_context(access),
        "snooze_times": TIMES,
        "is_first": past is None,
        "next": shown[-1].pk if len(found) > PAGE_SIZE else None,
    }


@requires_mail
@require_POST
def set_labels(request: HttpRequest, message_id: int) -> HttpResponse:
    """Gives a message the labels that are ticked, and takes off the others."""
    mailboxes = accessible_mailboxes(request)
    _, message = mailboxes.writable_message(message_id)
    labels.set_on(message, {parse_id(one) for one in request.POST.getlist("label")})
    messages.success(request, "Labels saved.")
    return redirect(reverse("webmail:read", args=[message.pk]) + "#organise")


def chosen_label(request: HttpRequest, access: MailboxAccess) -> Label:
    """Returns the label that a form names. Raises Http404 for one of another mailbox."""
    label_id = parse_id(request.POST.get("label", ""))
    if label_id is None:
        raise Http404
    return _label(access, label_id)


def _label(access: MailboxAccess, label_id: int) -> Label:
    return get_object_or_404(Label, pk=label_id, mailbox=access.mailbox)


def _edit(
    request: HttpRequest,
    mailboxes: AccessibleMailboxes,
    access: MailboxAccess,
    label: Label,
) -> HttpResponse:
    initial = {"name": label.name, "colour": label.colour}
    form = LabelForm(
        request.POST if request.method == "POST" else None, initial=initial
    )
    if form.is_valid():
        try:
            labels.save(label, **form.cleaned_data)
        except PolicyError as refusal:
            form.add_error("name", str(refusal))
        else:
            messages.success(request, f"Label {label.name} saved")
            return redirect("webmail:labels", mailbox_id=access.mailbox.pk)
    panel = sidebar(mailboxes, access)
    context = {
        "sidebar": panel,
        "access": access,
        "form": form,
        "label": label if label.pk else None,
        "labels": panel.labels,
    }
    return render(request, "webmail/organising/labels.html", context)
