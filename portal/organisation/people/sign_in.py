"""How one person signs in: a first link, a new one, a second factor set up again."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods

from engine.registry.models import Organisation
from engine.registry.permissions import Permission
from onboarding.first_sign_in import directory_sign_ins, letter_codes
from onboarding.letters import letters
from portal.account_admin import actions, policies
from portal.organisation.confirmation import confirmed, sure
from portal.organisation.frame import changeable_person, show, visitor, within
from portal.ui.forms import ReasonForm


@within(Permission.MANAGE_PEOPLE)
@require_http_methods(["GET", "POST"])
def give(
    request: HttpRequest, organisation: Organisation, person_id: int
) -> HttpResponse:
    """A first sign-in, for somebody whose mail is in the organisation's own server."""
    person = changeable_person(request, organisation, person_id)
    return confirmed(
        request,
        organisation,
        person,
        sure(request),
        lambda: directory_sign_ins.give(person, by=visitor(request)),
        title=f"Give {person.name} a sign-in",
        text="They can then search the directory and ask the helpdesk. Their mail stays "
        "in your own server. A link to choose a password goes to "
        f"{person.notice_address}.",
        button="Send the link",
        done=f"A link is on its way to {person.name}.",
    )


@within(Permission.MANAGE_PEOPLE)
@require_http_methods(["GET", "POST"])
def letter(
    request: HttpRequest, organisation: Organisation, person_id: int
) -> HttpResponse:
    """A letter for the first sign-in of somebody without an everyday address."""
    person = changeable_person(request, organisation, person_id)
    form = sure(request)
    codes: list[str] = []
    if form.submit(
        lambda: codes.append(letter_codes.issue(person, by=visitor(request)))
    ):
        # Rendered when the code is kept: no transaction is held meanwhile.
        return HttpResponse(
            letters.render_first_sign_in(person, codes[0]),
            content_type="application/pdf",
            headers={
                "Content-Disposition": 'attachment; filename="first-sign-in.pdf"',
                "X-Content-Type-Options": "nosniff",
            },
        )
    context = {
        "person": person,
        "form": form,
        "caption": person.address,
        "title": f"Print a letter for {person.name}",
        "text": "The letter holds a code with which they choose their password. Hand it "
        "over yourself, or send it sealed. A letter that was printed before ends, and "
        "your other administrators hear of this one.",
        "button": "Download the letter",
    }
    return show(request, organisation, "confirm", "people", context)


@within(Permission.MANAGE_PEOPLE)
@require_http_methods(["GET", "POST"])
def send_link(
    request: HttpRequest, organisation: Organisation, person_id: int
) -> HttpResponse:
    person = changeable_person(request, organisation, person_id)
    return confirmed(
        request,
        organisation,
        person,
        sure(request),
        lambda: actions.send_sign_in_link(person, by=visitor(request)),
        title=f"Send {person.name} a link to choose a new password",
        text="Their password and their app passwords stop working at once, and they are "
        f"signed out everywhere. The link goes to {person.notice_address or 'their everyday address'}. "
        "Make sure first that it is really them who asks.",
        button="Send the link",
        is_warning=True,
        done=f"A link is on its way to {person.name}.",
    )


@within(Permission.MANAGE_PEOPLE)
@require_http_methods(["GET", "POST"])
def reset_second_factor(
    request: HttpRequest, organisation: Organisation, person_id: int
) -> HttpResponse:
    person = changeable_person(request, organisation, person_id)
    form = ReasonForm(request.POST if request.method == "POST" else None)
    is_alone = policies.may_reset_alone(person, by=visitor(request))

    def verb() -> None:
        reason = form.cleaned_data["reason"]
        actions.reset_second_factor(person, reason=reason, by=visitor(request))

    return confirmed(
        request,
        organisation,
        person,
        form,
        verb,
        title=f"Reset the second factor of {person.name}",
        text="Their authenticator apps, passkeys and recovery codes stop working. "
        "Make sure first that it is really them who asks. They and your administrators "
        "hear of it. "
        + (
            "Their mailbox stays shut for a while after they sign in, unless another "
            "administrator or the helpdesk opens it."
            if is_alone
            else "Somebody else must agree before it is done."
        ),
        button="Reset the second factor",
        is_warning=True,
        done=f"The second factor of {person.name} has been reset."
        if is_alone
        else "This waits for a second person now.",
    )
