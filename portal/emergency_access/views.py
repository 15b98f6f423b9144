"""The pages of emergency access: asked for, approved, ended, and reported.

Each request that a person may not see answers like one that does not exist.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_http_methods, require_safe

from engine.registry.models import Mailbox, Person
from engine.registry.permissions import REFUSAL
from engine.registry.permissions.view_guards import GuardedView, View, signed_in
from portal.emergency_access import actions, policies
from portal.emergency_access.forms import ApproveForm, AskForm
from portal.emergency_access.models import EmergencyAccess
from portal.ui.confirmation import Confirmation
from portal.ui.forms import ActionForm, ConfirmForm, ReasonForm, post_data
from portal.ui.pagination import paginate
from portal.ui.visitor import signed_in_person

Allows = Callable[..., bool]


def _private(view: View) -> GuardedView:
    return signed_in(cache_control(private=True, no_store=True)(view))


@_private
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """Lists what waits for the visitor's approval, and everything else they may see."""
    by = signed_in_person(request)
    undecided = policies.undecided_for(by)
    waiting = policies.to_approve(by, undecided)
    rows = policies.visible_to(by, undecided)
    rows = rows.exclude(pk__in=[one.pk for one in waiting])
    page = paginate(request, rows, descending=True)
    context = {"waiting": waiting, "page": page, "person": by}
    return render(request, "emergency_access/index.html", context)


@_private
@require_http_methods(["GET", "HEAD", "POST"])
def ask(request: HttpRequest, person_id: int) -> HttpResponse:
    """Asks for access to a person's own mailbox."""
    by = signed_in_person(request)
    mailboxes = Mailbox.objects.select_related("owner__organisation", "organisation")
    mailbox = mailboxes.filter(owner=person_id).first()
    holder = mailbox.owner if mailbox else None
    if mailbox is None or holder is None:
        raise PermissionDenied(REFUSAL)
    if not policies.may_ask_about(holder, by=by):
        raise PermissionDenied(REFUSAL)
    form = AskForm(post_data(request))
    made: list[EmergencyAccess] = []
    if form.submit(
        lambda: made.append(actions.ask(mailbox, **form.cleaned_data, by=by))
    ):
        messages.success(
            request, "Your request is sent to the people who may approve it."
        )
        return redirect("emergency_access:show", pk=made[0].pk)
    context = {"mailbox": mailbox, "holder": holder, "form": form}
    return render(request, "emergency_access/ask.html", context)


@_private
@require_safe
def show(request: HttpRequest, pk: int) -> HttpResponse:
    """Shows a request, and the report of what was opened."""
    by = signed_in_person(request)
    access = _visible(pk, by)
    context = {
        "access": access,
        "approvals": access.approvals.all(),
        "missing": policies.missing(access) if access.is_waiting else [],
        "may_approve": policies.may_approve(access, by=by),
        "may_refuse": policies.may_refuse(access, by=by),
        "may_end": policies.may_end(access, by=by),
        "may_read": policies.may_read(access, by=by),
        "is_holder": by.pk == access.holder_id,
        "sees_subjects": policies.may_see_subjects(access, by=by),
        "page": paginate(request, access.readings.all()),
    }
    return render(request, "emergency_access/show.html", context)


@_private
@require_http_methods(["GET", "HEAD", "POST"])
def approve(request: HttpRequest, pk: int) -> HttpResponse:
    """Approves a request."""

    def run(access: EmergencyAccess, form: ActionForm, by: Person) -> str:
        why = form.cleaned_data["why_untold"]
        if actions.approve(access, why_untold=why, by=by):
            return "You have approved the request. The mailbox is open now."
        return "You have approved the request. It needs one more approval."

    form = ApproveForm(post_data(request), initial={"tell": "now"})
    return _answer(request, pk, form, policies.may_approve, _describe_approval, run)


@_private
@require_http_methods(["GET", "HEAD", "POST"])
def refuse(request: HttpRequest, pk: int) -> HttpResponse:
    """Refuses a request."""

    def run(access: EmergencyAccess, form: ActionForm, by: Person) -> str:
        actions.refuse(access, **form.cleaned_data, by=by)
        return "The request is refused."

    form = ReasonForm(post_data(request))
    return _answer(request, pk, form, policies.may_refuse, _describe_refusal, run)


@_private
@require_http_methods(["GET", "HEAD", "POST"])
def end(request: HttpRequest, pk: int) -> HttpResponse:
    """Ends an access early, or withdraws a request."""

    def run(access: EmergencyAccess, form: ActionForm, by: Person) -> str:
        actions.end(access, by=by)
        return "It has ended."

    form = ConfirmForm(post_data(request))
    return _answer(request, pk, form, policies.may_end, _describe_end, run)


def _answer(
    request: HttpRequest,
    pk: int,
    form: ActionForm,
    allows: Allows,
    describe: Callable[[EmergencyAccess], Confirmation],
    run: Callable[[EmergencyAccess, Any, Person], str],
) -> HttpResponse:
    """Asks before an action, and runs it on POST."""
    by = signed_in_person(request)
    access = _visible(pk, by)
    if not allows(access, by=by):
        if request.method == "POST" and policies.takes_part(access, by=by):
            messages.info(request, "Nothing was changed: this has been done already.")
            return redirect("emergency_access:show", pk=access.pk)
        raise Http404
    done: list[str] = []
    if form.submit(lambda: done.append(run(access, form, by))):
        messages.success(request, done[0])
        return redirect("emergency_access:show", pk=access.pk)
    context = {"access": access, "form": form, "page": describe(access)}
    return render(request, "emergency_access/confirm.html", context)


def _describe_approval(access: EmergencyAccess) -> Confirmation:
    return Confirmation(
        title=f"Approve reading the mailbox of {access.holder_name}",
        text=f"{access.requested_by_name} can then read every message in it for "
        f"{access.hours} hour{'' if access.hours == 1 else 's'}, once a second person "
        "has approved too. Speak to them first, on a number that you already knew.",
        button="Approve",
        done="",
        caption=access.address,
    )


def _describe_refusal(access: EmergencyAccess) -> Confirmation:
    return Confirmation(
        title=f"Refuse reading the mailbox of {access.holder_name}",
        text="The request is closed, and its author is notified.",
        button="Refuse",
        done="",
        caption=access.address,
    )


def _describe_end(access: EmergencyAccess) -> Confirmation:
    if access.opened_at is None:
        return Confirmation(
            title="Withdraw the request",
            text=f"The mailbox of {access.holder_name} is not opened.",
            button="Withdraw the request",
            done="",
            caption=access.address,
        )
    return Confirmation(
        title=f"End the access to the mailbox of {access.holder_name}",
        text="Nothing more can be read. The report is sent to the holder, the approvers "
        "and the reader.",
        button="End the access",
        done="",
        caption=access.address,
        is_warning=True,
    )


def _visible(pk: int, by: Person) -> EmergencyAccess:
    rows = EmergencyAccess.objects.select_related(
        "organisation", "holder", "mailbox", "requested_by"
    )
    access = get_object_or_404(rows, pk=pk)
    if not policies.may_see(access, by=by):
        raise Http404
    return access
