"""What a ticket's state permits: each refusal, with all other conditions met."""

from __future__ import annotations

import pytest

from engine.registry.errors import PolicyError
from engine.registry.models import Person, RoleName
from portal.helpdesk import policies
from portal.helpdesk.models import Ticket
from portal.helpdesk.status import Status
from tests import factories
from tests.portal.helpdesk.conftest import OpenTicket


@pytest.fixture
def pair(open_ticket: OpenTicket, bob: Person) -> tuple[Ticket, Ticket]:
    """Two open tickets of one person, which can be merged."""
    first, second = open_ticket(bob), open_ticket(bob)
    policies.check_can_merge(second, into=first)
    return first, second


def test_a_ticket_is_not_merged_into_itself(pair: tuple[Ticket, Ticket]) -> None:
    with pytest.raises(PolicyError, match="into itself"):
        policies.check_can_merge(pair[0], into=pair[0])


@pytest.mark.parametrize("closed", [0, 1])
def test_a_closed_ticket_is_not_merged(
    pair: tuple[Ticket, Ticket], closed: int
) -> None:
    pair[closed].status = Status.CLOSED

    with pytest.raises(PolicyError, match="is closed"):
        policies.check_can_merge(pair[1], into=pair[0])


@pytest.mark.parametrize("unconfirmed", [0, 1])
def test_a_ticket_from_an_address_that_nobody_confirmed_is_not_merged(
    pair: tuple[Ticket, Ticket], unconfirmed: int
) -> None:
    pair[unconfirmed].is_confirmed = False

    with pytest.raises(PolicyError, match="not confirmed"):
        policies.check_can_merge(pair[1], into=pair[0])


def test_tickets_of_callers_without_an_address_are_not_of_one_person(
    pair: tuple[Ticket, Ticket],
) -> None:
    for ticket in pair:
        ticket.requester_address = ""

    with pytest.raises(PolicyError, match="different requesters"):
        policies.check_can_merge(pair[1], into=pair[0])


def test_only_an_active_agent_owns_a_ticket(hugh: Person, bob: Person) -> None:
    policies.check_can_own(hugh)
    gone = factories.make_person("gone@secure.example", is_active=False)
    factories.make_staff(gone, RoleName.HELPDESK_AGENT)

    for other in (gone, bob):
        with pytest.raises(PolicyError, match="not a helpdesk agent"):
            policies.check_can_own(other)
