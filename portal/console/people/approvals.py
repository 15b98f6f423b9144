"""Ways back into an account: asked for by one member of staff, agreed to by another."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods, require_safe

from engine.registry.actions import recovery as verbs
from engine.registry.credentials import account_recovery
from engine.registry.permissions import REFUSAL, Permission
from portal.account_admin import actions, approvals, policies
from portal.console.access import staff
from portal.console.confirmation import ReasonForm, Words, act, typed
from portal.console.confirmation import person_of as visitor
from portal.console.organisations.frame import PEOPLE_ABOVE, PERSON_ICON, url
from portal.console.people.account_actions import changeable
from portal.console.people.approvals_table import table
from portal.console.sheet import Section, Sheet, draw
from portal.organisation.people.forms import NewAddressForm

PEOPLE = Permission.MANAGE_PEOPLE


@staff(PEOPLE)
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """Everything that waits for a second person, the oldest first."""
    section = Section(
        text="What one person asked for, another agrees to. Speak to the owner of the "
        "account first, on a number that was known before.",
        table=table(approvals.all_waiting()),
    )
    return draw(request, Sheet("Second person", PERSON_ICON, [section]))


@staff(PEOPLE)
@require_http_methods(["GET", "POST"])
def address(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask for another everyday address for somebody."""
    person = changeable(request, pk)
    form = NewAddressForm(typed(request))
    hours = f"{account_recovery.recovery_delay().total_seconds() / 3600:.0f}"
    text = (
        "Nobody has used the account yet, so the new address counts at once."
        if account_recovery.is_unused(person)
        else "The owner and the organisation's administrators hear of this at once. It "
        f"takes effect after {hours} hours, unless the owner refuses it; or when a "
        "second person agrees."
    )
    words = Words(
        title=f"Ask for another everyday address for {person.name}",
        button="Ask for the change",
        done="Those concerned are being told.",
        back=url("person", person.pk),
        text=text,
        icon=PERSON_ICON,
        above=PEOPLE_ABOVE,
    )

    def verb() -> None:
        verbs.request_address_change(person, by=visitor(request), **form.cleaned_data)

    return act(request, form, verb, words)


@staff(PEOPLE)
@require_http_methods(["GET", "POST"])
def reset_second_factor(request: HttpRequest, pk: int) -> HttpResponse:
    person = changeable(request, pk)
    is_alone = policies.may_reset_alone(person, by=visitor(request))
    words = Words(
        title=f"Ask to reset the second factor of {person.name}",
        button="Ask for the reset",
        done="The second factor was reset."
        if is_alone
        else "This waits for a second person now.",
        back=url("person", person.pk),
        text="Their authenticator apps, passkeys and recovery codes stop working when "
        "another member of staff, or an administrator of the organisation, agrees. "
        "Make sure first that it is really them who asks.",
        icon=PERSON_ICON,
        above=PEOPLE_ABOVE,
        is_grave=True,
    )
    form = ReasonForm(typed(request))

    def verb() -> None:
        actions.reset_second_factor(
            person, reason=form.cleaned_data["reason"], by=visitor(request)
        )

    return act(request, form, verb, words)


@staff(PEOPLE)
@require_http_methods(["GET", "POST"])
def settle(request: HttpRequest, kind: str, pk: int, answer: str) -> HttpResponse:
    """Agree to what waits, as a second person, or stop it."""
    wait = approvals.find(kind, pk)
    chosen = approvals.act_of(answer)
    person = wait.person
    if person and not policies.may_change(person, by=visitor(request)):
        raise PermissionDenied(REFUSAL)
    said = wait.words(chosen)
    form = ReasonForm(typed(request))
    words = Words(
        title=said.title,
        button=said.button,
        done=said.done,
        back=url("recovery"),
        text=f"{said.text} Asked for by {wait.asked_by}. {wait.reason}",
        icon=PERSON_ICON,
        above=(("members:recovery", "Second person"),),
        is_grave=True,
    )

    def verb() -> None:
        reason = form.cleaned_data["reason"]
        approvals.carry_out(wait, chosen, reason=reason, by=visitor(request))

    return act(request, form, verb, words)
