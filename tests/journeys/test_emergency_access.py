"""A mailbox is opened in an emergency, from asking to the report (I5)."""

from __future__ import annotations

import pytest

from tests.journeys.letters import wait_for_message
from tests.journeys.visitor import Person, Visitor, Visits
from tests.peers.postern import Postern

pytestmark = pytest.mark.journey

PLAIN = {"java_script_enabled": False}
REASON = "The order must be served today, and David is in hospital."


def approve(visitor: Visitor) -> None:
    visitor.open("/emergency-access/")
    assert visitor.sees(REASON)
    visitor.follow("Decide")
    with visitor.page.expect_navigation():
        visitor.press("Approve")
    visitor.press("Approve")
    assert visitor.sees("You have approved the request")


def test_an_operator_reads_a_mailbox_that_two_others_opened(
    visit: Visits, postern: Postern, ben: Person, david: Person, grace: Person
) -> None:
    author = visit(ben)
    author.write(to=david["address"], subject="Order to serve", text="By five.")
    author.send()
    wait_for_message(postern, david, "Order to serve")

    operator = visit(postern.person("operator"))
    operator.open(f"/admin/people/?q={david['address']}")
    operator.follow("David Osei")
    operator.follow("Ask for emergency access")
    operator.fill(reason=REASON, hours="2")
    operator.press("Send the request")
    assert operator.sees("Still needed")
    asked = operator.page.url
    approve(visit(grace))
    approve(visit(postern.person("helpdesk_agent"), **PLAIN))

    for reader in (operator, visit(postern.person("operator"), **PLAIN)):
        reader.page.goto(asked)
        reader.press("Read the mailbox")
        assert reader.sees("You are reading the mailbox of David Osei")
        reader.fill(q="order")
        reader.press("Search")
        reader.follow("Order to serve")
        assert reader.sees("By five.")
        assert reader.page.get_by_role("link", name="Reply").count() == 0
    operator.follow("End the access now")
    operator.press("End the access")
    assert operator.sees("It has ended.")

    holder = visit(david)
    holder.open("/mail/")
    holder.follow("report on emergency access")
    assert holder.sees("Read by: Olive Grant")
    assert holder.page.get_by_text("Unread: ").count() > 0
    holder.page.goto(asked)
    assert holder.sees("Message: Order to serve")
    holder.open("/account/openings/")
    assert holder.sees("Emergency access")
