"""The pages of arrival notices: choosing them, and proving the everyday address."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from engine.registry.errors import PolicyError
from engine.registry.models import Person
from portal.sessions import store
from portal.ui.forms import post_data
from portal.webmail.access import MailboxAccess, accessible_mailboxes, requires_mail
from portal.webmail.arrival_notices import choice
from portal.webmail.arrival_notices.forms import ArrivalNoticesForm
from portal.webmail.models import ArrivalNotice, Period
from portal.webmail.tasks import start_proof_link
from portal.webmail.web_push import subscriptions


@requires_mail
@require_http_methods(["GET", "HEAD", "POST"])
def show(request: HttpRequest) -> HttpResponse:
    """Shows and saves how often the person is notified, and of which mailboxes.

    Saving also sends the link to an everyday address that is not proved yet.
    """
    mailboxes = accessible_mailboxes(request)
    person, readable = mailboxes.person, mailboxes.readable
    notice = choice.notice_of(person)
    form = ArrivalNoticesForm(
        post_data(request), initial=_initial(notice, readable), readable=readable
    )
    if form.submit(lambda: _choose(person, form)):
        messages.success(request, _saved(notice, form.chosen_period))
        return redirect("webmail:arrival_notices")
    context = {
        "form": form,
        "notice": notice,
        "person": person,
        "readable": readable,
        "refusal": _refusal(person),
        **_push_context(request, person),
    }
    return render(request, "webmail/arrival_notices/show.html", context)


@requires_mail
@require_POST
def send_link(request: HttpRequest) -> HttpResponse:
    """Sends the link that proves the everyday address."""
    person = accessible_mailboxes(request).person
    try:
        choice.take_link(person)
    except PolicyError as refusal:
        messages.warning(request, str(refusal))
    else:
        start_proof_link(person)
        messages.success(request, f"We sent a link to {person.everyday_address}.")
    return redirect("webmail:arrival_notices")


@requires_mail
@require_http_methods(["GET", "HEAD", "POST"])
def prove(request: HttpRequest, token: str) -> HttpResponse:
    """Proves the everyday address by the link that was sent to it.

    A GET changes nothing: mail scanners open links. It takes the person's own sign-in, so
    that nobody who gets the link by mistake can have the notices sent to them.
    """
    person = accessible_mailboxes(request).person
    context: dict[str, object] = {
        "person": person,
        "is_genuine": choice.is_proof(person, token),
    }
    if request.method == "POST":
        try:
            choice.prove(person, token)
        except PolicyError:
            context["is_genuine"] = False
        else:
            messages.success(request, "Your everyday address is confirmed.")
            return redirect("webmail:arrival_notices")
    return render(request, "webmail/arrival_notices/prove.html", context)


def _choose(person: Person, form: ArrivalNoticesForm) -> None:
    period = form.chosen_period
    if period != Period.NEVER:
        choice.check_can_be_notified(person)
    choice.choose(person, period=period, mailboxes=form.chosen_mailboxes)


def _saved(notice: ArrivalNotice, period: Period) -> str:
    """Returns what to report, after sending the link where the address needs one."""
    if period == Period.NEVER:
        return "Notices are off."
    if notice.is_proved:
        return "Saved. Notices go to your everyday address."
    # A link that was sent just now will do.
    with suppress(PolicyError):
        choice.take_link(notice.person)
        start_proof_link(notice.person)
    return (
        f"Saved. Open the link that we sent to {notice.person.everyday_address}: "
        "notices begin then."
    )


def _initial(
    notice: ArrivalNotice, readable: Sequence[MailboxAccess]
) -> dict[str, object]:
    if notice.pk is None or not notice.noticed.exists():
        chosen = [str(one.mailbox.pk) for one in readable if not one.is_group]
    else:
        rows = notice.noticed.values_list("mailbox_id", flat=True)
        chosen = [str(pk) for pk in rows]
    return {"period": notice.period, "mailboxes": chosen}


def _push_context(request: HttpRequest, person: Person) -> dict[str, object]:
    """Returns what the page shows of notifications while no page is open."""
    refusal = subscriptions.refusal(person)
    if refusal:
        return {"push_refusal": refusal}
    browsers = subscriptions.live_of(person)
    here = store.id_of(request)
    return {
        "push_key": subscriptions.application_server_key(),
        "push_browsers": browsers,
        "push_here": next((one for one in browsers if one.session_id == here), None),
    }


def _refusal(person: Person) -> str:
    """Returns why the everyday address will not do; empty where there is none."""
    if not person.everyday_address:
        return ""
    try:
        choice.check_can_be_notified(person)
    except PolicyError as refusal:
        return str(refusal)
    return ""
