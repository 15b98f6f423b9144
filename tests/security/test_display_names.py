"""Display names that impersonate another sender are refused, however disguised."""

from __future__ import annotations

import pytest

from engine.mail.address import Address
from engine.mail.errors import PermanentFailure
from engine.mail.header import HeaderBlock
from engine.queue.enqueue import local_submission
from engine.registry.models import Organisation, Person
from engine.routing import routes
from engine.routing.author_claims import check_claims
from tests.security.names import generated

pytestmark = pytest.mark.django_db

FIELDS = ["From", "Sender", "Reply-To", "Resent-From", "Resent-Sender"]


def refusal(field: str, written: str, address: str) -> str:
    """Returns the refusal of a header with that name, or an empty string."""
    others = "" if field == "From" else f"From: {address}\r\n"
    raw = f"{others}{field}: {written} <{address}>\r\n".encode()
    try:
        check_claims(routes.current(), HeaderBlock.parse(raw), _as(address))
    except PermanentFailure as refused:
        return refused.reply.text
    return ""


def _as(own: str):
    def check(*, address: Address) -> None:
        if address.key != own:
            raise PermanentFailure(local_submission.smtp_replies.SENDER_NOT_ALLOWED)

    return check


@pytest.mark.parametrize("field", FIELDS)
def test_every_generated_name_that_deceives_is_refused_and_no_other(
    bob: Person, alice: Person, charlie: Person, firm: Organisation, field: str
) -> None:
    """The sender is a member of another organisation, Charlie."""
    names = generated(300)

    wrong = [
        (one.disguise, one.name, text)
        for one in names
        for text in [refusal(field, one.written, charlie.address)]
        if bool(text) != one.is_deceit
    ]

    assert len(names) == 300
    assert not wrong


def test_a_namesake_is_never_refused(alice: Person, charlie: Person) -> None:
    """The namesake of a person, a mailbox or an organisation."""
    for name in (alice.name, "Northfield Court", f"{alice.name}, Northfield Court"):
        assert not refusal("From", f'"{name}"', charlie.address)
