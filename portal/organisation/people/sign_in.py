"""How one person signs in: first link or letter, a new link, second factor reset."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from engine.registry.models import Person
from onboarding.first_sign_in import directory_sign_ins, letter_codes
from onboarding.letters import letters
from portal.account_admin import confirmations
from portal.organisation.people.person import person_view
from portal.ui.confirmation import Confirmation, ConfirmedAction


def _describe_first_sign_in(person: Person, by: Person) -> Confirmation:
    return Confirmation(
        title=f"Give {person.name} a sign-in",
        text="They can then search the directory and contact the helpdesk. Their mail "
        "stays in your own server. A link to choose a password goes to "
        f"{person.notice_address}.",
        button="Send the link",
        done=f"A link is on its way to {person.name}.",
        caption=person.address,
    )


def _describe_letter(person: Person, by: Person) -> Confirmation:
    return Confirmation(
        title=f"Print a letter for {person.name}",
        text="The letter holds a code with which they choose their password. Hand it "
        "over yourself, or send it sealed. A letter printed earlier stops working, and "
        "your other administrators are notified.",
        button="Download the letter",
        done="",
        caption=person.address,
    )


def _letter(request: HttpRequest, person: Person, code: str) -> HttpResponse:
    # Rendered after the transaction that stored the code: it takes seconds.
    return HttpResponse(
        letters.render_first_sign_in(
            person, code, ends_on=letter_codes.last_day(person)
        ),
        content_type="application/pdf",
        headers={
            "Content-Disposition": 'attachment; filename="first-sign-in.pdf"',
            "X-Content-Type-Options": "nosniff",
        },
    )


give = person_view(ConfirmedAction(_describe_first_sign_in, directory_sign_ins.give))
letter = person_view(
    ConfirmedAction(_describe_letter, letter_codes.issue, show_result=_letter)
)
send_link = person_view(confirmations.SEND_LINK)
reset_second_factor = person_view(confirmations.RESET_SECOND_FACTOR)
