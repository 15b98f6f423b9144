"""Finding people (S8), and sign-ins for people whose mail is elsewhere (S5)."""

from __future__ import annotations

import pytest

from tests.journeys.applying import link_in
from tests.journeys.letters import text_of, wait_for_message_at_firm
from tests.journeys.visitor import Person, Visits
from tests.peers.postern import Postern
from tests.peers.postfix import Postfix

pytestmark = pytest.mark.journey

PASSWORD = "three words together"


def test_a_user_of_a_firms_server_gets_a_sign_in_by_secure_mail_and_searches(
    visit: Visits, firm: Postfix
) -> None:
    visitor = visit()
    visitor.open("/account/directory-sign-in/")
    visitor.fill(email="tom@firm.example")
    visitor.press("Send me a link")
    mail = wait_for_message_at_firm(firm, "tom", "Your directory sign-in")
    visitor.page.goto(link_in(text_of(mail), "/apply/directory-sign-in/"))
    visitor.fill(name="Tom Reid")
    visitor.page.fill("[type=password]", PASSWORD)
    visitor.press("Create my sign-in")

    visitor.open("/directory/")
    visitor.fill(q="priya")
    visitor.press("Search")
    visitor.follow("Priya Nair")
    assert visitor.sees("priya@northgate.secure.example")
    visitor.open("/mail/")
    assert visitor.page.get_by_role("link", name="Write a message").count() == 0


def test_users_of_a_trusted_domain_have_no_sign_in(
    visit: Visits, postern: Postern
) -> None:
    ruth = postern.person("member", address="ruth@fenland.police.example")
    visitor = visit()
    visitor.open("/account/login/")
    visitor.fill(login=ruth["address"], password=ruth["password"])
    visitor.press("Sign in")

    visitor.open("/directory/")
    assert visitor.page.get_by_label("Password", exact=True).is_visible()


def test_the_directory_is_narrowed_and_leads_to_people_lists_and_teams(
    visit: Visits, ben: Person
) -> None:
    visitor = visit(ben)
    visitor.open("/directory/")
    for shown, sought, found in (
        ("Organisation", "harbour", "Harbour Chambers"),
        ("Distribution list", "court users", "Northgate court users"),
        ("Group mailbox", "listing", "Listing office"),
        ("Person", "lindqvist", "Grace Lindqvist"),
    ):
        visitor.fill(q=sought)
        visitor.pick(show=shown)
        visitor.press("Search")
        assert visitor.sees(found)
    visitor.follow("Grace Lindqvist")
    assert visitor.sees("grace@harbour.secure.example")
    visitor.open("/directory/?q=mei+tan")
    assert visitor.page.get_by_role("link", name="Mei Tan").count() == 0


def test_somebody_is_found_while_writing(visit: Visits, ben: Person) -> None:
    visitor = visit(ben)
    visitor.open("/mail/write/")
    visitor.press("Find people")
    visitor.fill(q="osei")
    visitor.press("Search")
    assert visitor.sees("david@harbour.secure.example")
