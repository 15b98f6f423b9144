"""The members that a header may name as its author, beside the address it is from."""

from __future__ import annotations

from functools import partial

import pytest

from engine.mail.errors import PermanentFailure
from engine.mail.header import HeaderBlock
from engine.routing import policies, routes
from engine.routing.author_claims import check_claims
from tests import factories

pytestmark = pytest.mark.django_db

FROM_FIRM = "From: Jane <jane@firm.example>\r\n"


@pytest.fixture
def may_write(firm, firm_connection, alice):
    """Whether Firm's server may send a message with this header."""
    known = routes.current()
    check = partial(
        policies.check_connection_can_send_as,
        known,
        connection=known.connection(firm_connection.pk),
    )

    def ask(raw, *, is_notice=False):
        try:
            check_claims(
                known, HeaderBlock.parse(raw.encode()), check, is_notice=is_notice
            )
        except PermanentFailure as refused:
            assert (refused.reply.code, refused.reply.enhanced) == (550, "5.7.1")
            return False
        return True

    return ask


@pytest.mark.parametrize("field", ["Resent-From", "Resent-Sender"])
@pytest.mark.parametrize(
    ("address", "may"),
    [
        ("jane@firm.example", True),
        # In the community's form, in which another member's server may pass it on
        ("jane@firm.example.secure.example", True),
        # Of no member: the message came from outside and is passed on
        ("joe@elsewhere.example", True),
        ("alice@northfield.secure.example", False),
    ],
)
def test_a_member_is_named_as_resender_by_their_own_organisation_only(
    may_write, field, address, may
):
    assert may_write(f"{FROM_FIRM}{field}: {address}\r\n") is may


def test_a_person_resends_under_either_form_of_their_own_address(firm):
    jane = factories.make_person("jane@firm.example.secure.example", firm)
    factories.make_mailbox(jane)
    known = routes.current()
    check = partial(policies.check_can_send_as, known, person_id=jane.pk)

    for address in ("jane@firm.example", jane.address):
        raw = f"{FROM_FIRM}Resent-From: {address}\r\n".encode()
        check_claims(known, HeaderBlock.parse(raw), check)


def test_a_refused_resender_is_named(alice):
    known = routes.current()
    check = partial(policies.check_can_send_as, known, person_id=0)
    raw = f"{FROM_FIRM}Resent-From: {alice.address}\r\n".encode()

    with pytest.raises(PermanentFailure, match=f"<{alice.address}> is not yours"):
        check_claims(known, HeaderBlock.parse(raw), check)


@pytest.mark.parametrize(
    ("name", "is_notice", "may"),
    [
        ("Postmaster", False, False),
        ("Postmaster, Firm Solicitors", False, True),
        ("Postmaster, Harbour Chambers", False, False),
        # What a mail server calls itself when it could not deliver
        ("Postmaster", True, True),
        ("Helpdesk", True, False),
    ],
)
def test_a_name_of_the_service_says_whose_it_is(may_write, name, is_notice, may):
    raw = f'From: "{name}" <postmaster@firm.example>\r\n'

    assert may_write(raw, is_notice=is_notice) is may
