"""How long the slowest page takes for each message that is built to be slow.

Requests whole pages of messages in a mailbox as a signed-in browser does, in the
database named by POSTERN_DATABASE_URL, or else in SQLite.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator

from engine.storage import standard_folders
from tests.benchmarks import ready

# isort: split
from django.conf import settings
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from engine.registry.models import Mailbox
from engine.storage import message_actions
from engine.storage.models import FolderRole, Message
from engine.storage.search import document
from portal.helpdesk.intake import incoming_message
from tests import factories
from tests.peers.process import remove_folder
from tests.security.messages import MESSAGES

LIMIT = 300  # milliseconds that one message's page may take
ROUNDS = 3
PAGES = {
    "read": "webmail:read",
    "frame": "webmail:content",
    "print": "webmail:print",
    "source": "webmail:source",
    "original": "webmail:original",
    "reply": "webmail:reply",
    "reply to all": "webmail:reply_all",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="messages with this in their name")
    parser.add_argument(
        "--processor", action="store_true", help="count processor time: others work too"
    )
    asked = parser.parse_args()
    clock = time.process_time if asked.processor else time.perf_counter
    call_command("collect_assets", verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    call_command("migrate", verbosity=0)
    settings.ALLOWED_HOSTS.append("testserver")
    mailbox, client = _mailbox()
    slowest = 0.0
    for name, make in MESSAGES.items():
        if asked.only in name:
            message = message_actions.append(
                standard_folders.folder(mailbox, FolderRole.INBOX), make(), is_read=True
            )
            times = {page: _best(ask, clock) for page, ask in _pages(message, client)}
            page = max(times, key=times.__getitem__)
            slowest = max(slowest, times[page])
            print(f"{name:32} {times[page]:7.1f} ms, {page}", flush=True)
            message_actions.erase([message.pk])
    print(f"ratio {slowest / LIMIT:.2f}")


def _mailbox() -> tuple[Mailbox, Client]:
    organisation = factories.make_organisation(name="Northfield Court")
    person = factories.make_person("bob@northfield.secure.example", organisation)
    client = Client()
    client.force_login(person, "allauth.account.auth_backends.AuthenticationBackend")
    return factories.make_mailbox(person, quota_bytes=10**12), client


def _pages(
    message: Message, client: Client
) -> Iterator[tuple[str, Callable[[], object]]]:
    for name, route in PAGES.items():
        path = reverse(route, args=[message.pk])
        yield name, lambda path=path: client.get(path)
    read = reverse("webmail:read", args=[message.pk])
    yield "read as text", lambda: client.get(read, {"view": "text"})
    folder = reverse("webmail:folder", args=[message.folder_id])
    yield "folder", lambda: client.get(folder)
    for name in ("forward", "again"):
        path = reverse(f"webmail:{name}", args=[message.pk])
        yield name, lambda path=path: client.post(path)
    yield "search", lambda: document.document_of(message)
    yield "helpdesk", lambda: incoming_message.parse(message)


def _best(ask: Callable[[], object], clock: Callable[[], float]) -> float:
    """Returns the fastest of several runs in ms, as the machine may be shared."""
    times = []
    for _ in range(ROUNDS):
        began = clock()
        ask()
        times.append((clock() - began) * 1000)
    return min(times)


if __name__ == "__main__":
    try:
        main()
    finally:
        remove_folder(ready.FOLDER)
