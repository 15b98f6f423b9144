"""The integrator's day by the client that openapi-python-client generates.

A program of its own: the generated package, `generated_python`, is on its path alone.
"""

from __future__ import annotations

import json
import os
import time
from typing import Any

from generated_python import AuthenticatedClient
from generated_python.api.mailboxes import mailboxes_list
from generated_python.api.messages import (
    messages_create,
    messages_list,
    messages_raw_retrieve,
)
from generated_python.api.people import (
    people_create,
    people_give_administrator,
    people_retrieve,
    people_sign_in_link,
    people_suspend_create,
    people_take_administrator,
)
from generated_python.api.webhooks import webhooks_create
from generated_python.models import (
    EventsEnum,
    NewEndpointRequest,
    NewMessageRequest,
    NewPersonRequest,
    Problem,
    ReasonAskedRequest,
)

SETTINGS = json.loads(os.environ["SETTINGS"])
client = AuthenticatedClient(base_url=SETTINGS["site"], token=SETTINGS["key"])


def mailbox_of(address: str) -> int:
    return mailboxes_list.sync(client=client, address=address).results[0].id


def raw(message_id: int) -> bytes:
    return messages_raw_retrieve.sync(message_id, client=client).payload.read()


def taken(letter: NewMessageRequest) -> Any:
    """Sends a letter to somebody who was added a moment ago."""
    answer = messages_create.sync(client=client, body=letter)
    if isinstance(answer, Problem):
        raise RuntimeError(answer.detail)
    return answer


def arrived(mailbox: int, reference: str) -> Any:
    for _ in range(120):
        for one in messages_list.sync(client=client, mailbox=mailbox).results:
            if one.reference == reference:
                return one
        time.sleep(0.5)
    raise TimeoutError(reference)


def main() -> None:
    endpoint = webhooks_create.sync(
        client=client,
        body=NewEndpointRequest(
            url=SETTINGS["hook"], events=[EventsEnum.MESSAGE_RECEIVED]
        ),
    )
    address = f"python@{SETTINGS['domain']}"
    person = people_create.sync(
        client=client,
        idempotency_key="openapi-python-client",
        body=NewPersonRequest(
            address=address, name="Pia Python", everyday_address="pia@home.example"
        ),
    )
    mailbox = mailbox_of(address)
    letter = NewMessageRequest(
        mailbox=mailbox_of(SETTINGS["sender"]),
        to=[address],
        subject="To Pia",
        text="Welcome.",
    )
    sent = taken(letter)
    listed = arrived(mailbox, sent.reference)
    assert b"Subject: To Pia" in raw(listed.id)

    print(
        json.dumps({"reference": sent.reference, "secret": endpoint.secret}), flush=True
    )
    event = json.loads(input())
    assert event["type"] == "message.received"
    assert event["data"]["message"] == listed.id
    assert b"Welcome." in raw(event["data"]["message"])

    link = people_sign_in_link.sync(person.id, client=client)
    assert link.sent_to == "pia@home.example"
    given = people_give_administrator.sync(person.id, client=client)
    assert given.roles == ["administrator"]
    ended = people_take_administrator.sync_detailed(person.id, client=client)
    assert ended.status_code == 204
    left = people_suspend_create.sync(
        person.id, client=client, body=ReasonAskedRequest(reason="Left")
    )
    assert left.is_active is False
    problem = people_retrieve.sync(2**40, client=client)
    assert problem.type_ == f"{SETTINGS['site']}/api/problems#not-found"
    print(json.dumps({"done": True}), flush=True)


main()
