"""How one person signs in: a first link, a new one, a second factor set up again."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods

from engine.registry.models import Organisation
from engine.registry.permissions import Permission
from onboarding import sign_ins
from portal.organisation import actions
from portal.organisation.place import changeable_person, visitor, within
from portal.organisation.views.confirming import confirmed, sure


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
        lambda: sign_ins.give(person, by=visitor(request)),
        title=f"Give {person.name} a sign-in",
        text="They can then search the directory and ask the helpdesk. Their mail stays "
        "in your own server. A link to choose a password goes to "
        f"{person.notice_address}.",
        button="Send the link",
        done=f"A link is on its way to {person.name}.",
    )


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
        text="Their password stops working at once, and they are signed out "
        f"everywhere. The link goes to {person.notice_address or 'their everyday address'}. "
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
    return confirmed(
        request,
        organisation,
        person,
        sure(request),
        lambda: actions.reset_second_factor(person, by=visitor(request)),
        title=f"Reset the second factor of {person.name}",
        text="Their authenticator apps, passkeys and recovery codes stop working. "
        "Make sure first that it is really them who asks: until they set up a new "
        "one, their password alone opens the account.",
        button="Reset the second factor",
        is_warning=True,
        done=f"The second factor of {person.name} has been reset.",
    )
