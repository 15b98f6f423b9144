"""One version's side of `webmail`, run by that version's Python in its folder.

It uses only modules that earlier versions have too. It prints the statements of each page
as JSON, and then the milliseconds of a round for each line that it reads.
"""

from __future__ import annotations

import http.client
import json
import os
import random
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from tests.benchmarks import ready

# isort: split
from django.conf import settings
from django.core.management import call_command
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from engine.mail.header import HeaderBlock
from engine.mail.message import summarise
from engine.registry.models import Mailbox, Organisation, Person
from engine.storage import mailbox_delivery
from engine.storage.models import Content, Folder, FolderRole, MailboxSettings, Message
from engine.storage.search import indexer
from portal.demo.certificates import Authority
from tests import factories
from tests.benchmarks.member import Browser
from tests.peers.process import Daemon, answers, free_port, remove_folder

CLIENTS = 10
CHUNK = 1000
SMALL = 1_000
WORDS = [
    "bundle",
    "counsel",
    "court",
    "listing",
    "sentence",
    "witness",
    "statement",
    "exhibit",
    "trial",
    "disclosure",
    "schedule",
    "adjourned",
    "application",
    "bail",
    "custody",
    "interpreter",
    "video",
    "link",
    "solicitor",
    "chambers",
    "usher",
    "clerk",
    "judge",
    "jury",
    "verdict",
    "appeal",
    "order",
    "notice",
    "service",
]

Ask = Callable[[], object]


class Reader:
    """One signed-in person's browser, and the mailboxes that they use."""

    def __init__(self, person: Person, port: int, number: int) -> None:
        client = Client()
        client.force_login(
            person, "allauth.account.auth_backends.AuthenticationBackend"
        )
        self.cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
        self.own = Mailbox.objects.get(owner=person)
        # From networks of their own, as people have: one of many is served in turn.
        self._address = f"127.{number + 1}.0.1"
        self._port = port
        self._connection = http.client.HTTPConnection(
            "127.0.0.1", port, timeout=60, source_address=(self._address, 0)
        )
        self._browser = Browser(
            port, self._address, cookies={settings.SESSION_COOKIE_NAME: self.cookie}
        )

    def reopen(self) -> None:
        """Connects again at the next request: the site closes what is idle for long."""
        self._connection.close()
        self._browser.close()

    def get(self, path: str) -> None:
        """Requests a page on the connection that stays open."""
        headers = {
            "Host": "localhost",
            "Cookie": f"{settings.SESSION_COOKIE_NAME}={self.cookie}",
        }
        self._connection.request("GET", path, headers=headers)
        answer = self._connection.getresponse()
        answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{path} answered {answer.status}")

    def write(self, button: str) -> float:
        """Writes a message and returns how long the button took, in milliseconds."""
        page = self._browser.get(reverse("webmail:compose", args=[self.own.pk]))
        form = page.get_element_by_id("write")
        began = time.perf_counter()
        self._browser.submit(
            form,
            f"do={button}",
            to=self.own.address,
            subject="Listing",
            text="At ten in court two. " * 40,
        )
        return (time.perf_counter() - began) * 1000


def main(wanted: dict[str, Any]) -> None:
    call_command("migrate", interactive=False, verbosity=0)
    call_command("collect_assets", verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    settings.ALLOWED_HOSTS.append("testserver")
    Authority(ready.FOLDER / "tls").issue("localhost", "127.0.0.1", kept_as="server")
    organisation = factories.make_organisation(name="Northfield Court")
    factories.make_domain(organisation, "northfield.secure.example")
    people = [_person(organisation, number) for number in range(CLIENTS)]
    large = _team("listing@northfield.secure.example", people, wanted["messages"])
    small = _team(
        "bail@northfield.secure.example", people, min(SMALL, wanted["messages"])
    )
    while indexer.index_waiting():
        pass
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    gets = _gets(large, small)
    print(json.dumps(_statements(people[0], gets)), flush=True)
    with_conversations = partial(_set_conversations, large)
    port = free_port()
    daemon = _serve(port)
    try:
        readers = [Reader(person, port, n) for n, person in enumerate(people)]
        for _ in sys.stdin:
            found = _round(readers, gets, with_conversations, wanted["requests"])
            print(json.dumps(found), flush=True)
    finally:
        daemon.stop()


def _person(organisation: Organisation, number: int) -> Person:
    address = f"p{number}@northfield.secure.example"
    person = factories.make_person(address, organisation)
    factories.make_mailbox(person)
    return person


def _team(address: str, people: list[Person], messages: int) -> Mailbox:
    """Makes a group mailbox with so many messages that these people may use."""
    mailbox = factories.make_group_mailbox(
        address, people[0].organisation, quota_bytes=10**12
    )
    for person in people:
        factories.make_grant(mailbox, person, can_read=True, can_write=True)
    for start in range(0, messages, CHUNK):
        _fill(mailbox, start, min(CHUNK, messages - start))
    return mailbox


@transaction.atomic
def _fill(mailbox: Mailbox, start: int, count: int) -> None:
    """Delivers messages as the queue does; every fourth answers the previous one."""
    chance = random.Random(start)
    raws = [_message(start + n, chance) for n in range(count)]
    contents = Content.objects.bulk_create(
        Content(size=len(h) + len(b), body_digest="", header=h, body=b) for h, b in raws
    )
    mailbox_delivery.deliver(
        [
            mailbox_delivery.Delivery(
                mailbox.pk,
                content.pk,
                content.size,
                "p1@northfield.secure.example",
                summarise(HeaderBlock.salvage(content.header)),
                content.header,
                has_attachments=False,
            )
            for content in contents
        ]
    )


def _message(number: int, chance: random.Random) -> tuple[bytes, bytes]:
    text = " ".join(chance.choices(WORDS, k=120))
    rare = " zephyr" if number % 997 == 0 else ""
    answers_to = f"In-Reply-To: <{number - 1}@x.example>\r\n" if number % 4 == 3 else ""
    sender = "Jane Jones <p1" if number % 10 == 0 else "Sam Smith <p2"
    header = (
        f"From: {sender}@northfield.secure.example>\r\n"
        "To: listing@northfield.secure.example\r\n"
        f"Subject: {' '.join(chance.choices(WORDS, k=4))}\r\n{answers_to}"
        f"Message-ID: <{number}@x.example>\r\n\r\n"
    )
    return header.encode(), (text + rare).encode()


def _gets(large: Mailbox, small: Mailbox) -> dict[str, str]:
    """Returns the paths by the names of what is requested.

    Each open message is read already: the first time it is marked.
    """
    found = {}
    for mailbox, which in ((large, ""), (small, ", small folder")):
        inbox = Folder.objects.get(mailbox=mailbox, role=FolderRole.INBOX)
        place = reverse("webmail:folder", args=[inbox.pk])
        rows = Message.objects.filter(folder=inbox).order_by("pk")
        middle = rows[rows.count() // 2]
        found |= {
            f"list: first{which}": place,
            f"list: middle{which}": f"{place}?past={middle.pk}&page=9",
            f"open: a message{which}": reverse("webmail:read", args=[middle.pk]),
        }
    search = reverse("webmail:search", args=[large.pk])
    return found | {
        "search: a rare word": f"{search}?q=zephyr",
        "search: two common words": f"{search}?q=witness+interpreter",
    }


def _statements(person: Person, gets: dict[str, str]) -> dict[str, int]:
    client = Client()
    client.force_login(person, "allauth.account.auth_backends.AuthenticationBackend")
    found = {}
    for kind, path in gets.items():
        for _ in range(2):
            client.get(path)
        with CaptureQueriesContext(
            connection,
        ) as captured:
            client.get(path)
        found[kind] = len(captured)
    return found


def _serve(port: int) -> Daemon:
    environment = {
        "POSTERN_WEB_PORT": str(port),
        "POSTERN_WEB_URL": f"http://localhost:{port}",
        "POSTERN_HOST": "127.0.0.1",
    }
    command = [sys.executable, "manage.py", "run_web"]
    daemon = Daemon(command, ready.FOLDER / "web.log", env=os.environ | environment)
    daemon.wait_for(lambda: answers(port))
    return daemon


def _set_conversations(mailbox: Mailbox, shown: bool) -> None:
    MailboxSettings.objects.update_or_create(
        mailbox=mailbox, defaults={"shows_conversations": shown}
    )


def _round(
    readers: list[Reader],
    gets: dict[str, str],
    set_conversations: Callable[[bool], None],
    requests: int,
) -> dict[str, list[float]]:
    """Returns milliseconds by what was requested, of all clients at the same time."""
    found = {}
    with ThreadPoolExecutor(len(readers)) as pool:

        def together(act: Callable[[Reader], float]) -> list[float]:
            def several(reader: Reader) -> list[float]:
                reader.reopen()
                return [act(reader) for _ in range(requests)]

            return [one for times in pool.map(several, readers) for one in times]

        set_conversations(False)
        for kind, path in gets.items():
            found[kind] = together(partial(_get, path))
        set_conversations(True)
        path = gets["list: first"]
        found["list: by conversation"] = together(partial(_get, path))
        for kind, button in (("save a draft", "save"), ("send", "send")):
            found[f"write: {kind}"] = together(lambda r, b=button: r.write(b))
    return found


def _get(path: str, reader: Reader) -> float:
    began = time.perf_counter()
    reader.get(path)
    return (time.perf_counter() - began) * 1000


if __name__ == "__main__":
    try:
        main(json.loads(sys.argv[1]))
    finally:
        connection.close()
        remove_folder(ready.FOLDER)
