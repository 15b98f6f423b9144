"""A case-management system does by the API what people do by the pages (S16)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.journeys.letters import messages_containing
from tests.journeys.visitor import Person, Visits
from tests.peers.curl import Caller, curl
from tests.peers.listener import Listener
from tests.peers.postern import Postern
from tests.peers.process import wait_until

pytestmark = pytest.mark.journey
COURT = "northgate.secure.example"


@pytest.fixture
def court(postern: Postern) -> Caller:
    """The case system of Ben's court, with the demo's key."""
    api = postern.demo["api"]
    return Caller(api["base"], api["key"])


@pytest.fixture
def chambers(visit: Visits, postern: Postern, grace: Person) -> Caller:
    """The system of David's chambers, with a token for a key of its own."""
    administrator = visit(grace)
    administrator.open("/organisation/")
    administrator.follow("API")
    administrator.press("Make a key")
    administrator.fill(name="Diary")
    for right in ("Read mailboxes", "Read messages"):
        administrator.page.get_by_label(right).check()
    administrator.press("Make the key")
    secret, client_id = administrator.page.locator("dl code").all_inner_texts()
    # A key that can open other people's mailboxes needs a second person's agreement.
    agent = visit(postern.person("helpdesk_agent"))
    agent.open("/admin/people/recovery/")
    agent.page.get_by_role("row", name="Diary").get_by_role(
        "link", name="Agree"
    ).click()
    agent.fill(reason="For their diary")
    agent.press("Agree")

    base = postern.demo["api"]["base"]
    token = curl(
        f"{base}oauth/token/",
        *("-u", f"{client_id}:{secret}"),
        *("-d", "grant_type=client_credentials"),
    )
    assert token.data["token_type"] == "Bearer"
    return Caller(base, token.data["access_token"])


@pytest.fixture
def listener() -> Iterator[Listener]:
    with Listener() as listening:
        yield listening


def test_a_court_adds_somebody_with_a_team_and_a_list(court: Caller) -> None:
    person = {"address": f"nadia@{COURT}", "name": "Nadia Rahman", "job_title": "Clerk"}
    added = court("POST", "people/", person, "-H", "Idempotency-Key: nadia").data
    again = court("POST", "people/", person, "-H", "Idempotency-Key: nadia")
    mailbox = court("GET", f"mailboxes/?address={person['address']}").data["results"][0]
    team = court(
        "POST", "mailboxes/", {"address": f"bail@{COURT}", "name": "Bail office"}
    ).data
    grant = court(
        "PUT",
        f"mailboxes/{team['id']}/grants/{added['id']}/",
        {"can_read": True, "can_send": True},
    ).data
    circle = court(
        "POST",
        "lists/",
        {"address": f"bail-news@{COURT}", "name": "Bail news", "posting": "members"},
    ).data
    for address in (person["address"], "david@harbour.secure.example"):
        court("POST", f"lists/{circle['id']}/members/", {"address": address})

    assert again.data == added
    assert again.headers["idempotent-replayed"] == "true"
    assert mailbox["kind"] == "personal"
    assert grant == {
        "person": added["id"],
        "address": person["address"],
        "can_read": True,
        "can_write": False,
        "can_send": True,
    }
    assert court("GET", f"lists/{circle['id']}/").data["member_count"] == 2
    found = court("GET", "directory/?q=nadia").data["results"]
    assert [one["address"] for one in found] == [person["address"]]


def test_a_letter_goes_from_one_system_to_another_and_both_are_told(
    court: Caller, chambers: Caller, david: Person, listener: Listener, tmp_path: Path
) -> None:
    wanted = {"url": listener.url, "events": ["message.delivered"]}
    secret = court("POST", "webhooks/", wanted).data["secret"]
    [sender] = court("GET", f"mailboxes/?address=ben@{COURT}").data["results"]
    [reader] = chambers("GET", f"mailboxes/?address={david['address']}").data["results"]
    bundle = tmp_path / "bundle.txt"
    bundle.write_text("Page one.\n")
    letter = {
        "mailbox": sender["id"],
        "to": [david["address"]],
        "subject": "Bundle for the diary",
        "text": "It is attached.",
    }

    with_bundle = ("-F", f"message={json.dumps(letter)}", "-F", f"files=@{bundle}")
    first, second = (
        court("POST", "messages/", None, "-H", "Idempotency-Key: b1", *with_bundle)
        for _ in range(2)
    )

    assert first.status == 202
    assert second.data == first.data
    reference = first.data["reference"]

    def inbox() -> list[dict[str, object]]:
        listed = chambers("GET", f"messages/?mailbox={reader['id']}").data["results"]
        return [one for one in listed if one["subject"] == letter["subject"]]

    wait_until(lambda: bool(inbox()), "the letter, by the chambers' system", 90)
    [row] = inbox()
    opened = chambers("GET", f"messages/{row['id']}/").data
    [file] = opened["attachments"]
    fetched = chambers("GET", f"messages/{row['id']}/attachments/{file['path']}/")
    assert opened["text"].strip() == "It is attached."
    assert fetched.body == b"Page one.\n"
    assert court("GET", f"messages/{row['id']}/").status == 404
    assert court("GET", f"messages/?mailbox={reader['id']}").status == 404

    steps = court("GET", f"traces/{reference}/").data["steps"]
    assert [step["kind"] for step in steps] == ["received", "delivered"]
    wait_until(lambda: bool(listener.calls), "the webhook", 150)
    [event] = listener.received(secret)
    assert event["data"]["reference"] == reference
    assert event["data"]["recipient"] == david["address"]


def test_a_question_to_the_helpdesk_is_answered_by_the_communitys_system(
    court: Caller, postern: Postern, ben: Person
) -> None:
    api = postern.demo["api"]
    operations = Caller(api["base"], api["community_key"])
    [who] = court("GET", f"people/?address={ben['address']}").data["results"]
    question = {
        "requester": who["id"],
        "subject": "The list printer prints nothing",
        "text": "Since this morning.",
    }

    ticket = court("POST", "tickets/", question).data
    said = operations(
        "POST",
        f"tickets/{ticket['id']}/reply/",
        {"text": "Turn it on.", "status": "solved"},
    )

    assert said.status == 201
    heard = court("GET", f"tickets/{ticket['id']}/").data
    assert heard["status"] == "solved"
    assert heard["entries"][-1]["text"] == "Turn it on."
    wait_until(
        lambda: bool(messages_containing(postern, ben, "Turn it on.")),
        "the answer, by mail",
        90,
    )


def test_whatever_is_wrong_is_told_as_a_problem(
    court: Caller, postern: Postern
) -> None:
    nobody = Caller(postern.demo["api"]["base"], "not-a-key")
    for answer, status in (
        (nobody("GET", "people/"), 401),
        (court("GET", "queue/"), 403),
        (court("GET", "people/999999/"), 404),
        (court("DELETE", "people/"), 405),
        (court("POST", "people/", {"name": 1}), 400),
        (court("POST", "people/", None, "-d", "name=x"), 415),
    ):
        assert answer.status == answer.data["status"] == status
        assert answer.headers["content-type"] == "application/problem+json"
