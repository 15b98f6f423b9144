"""How long a reader waits at a mailbox of a hundred thousand messages.

Always the same messages, in the database named by POSTERN_DATABASE_URL, or else in
SQLite. It requests whole pages as a signed-in browser does, and measures searches
separately. Run it on PostgreSQL by `python -m tests.peers.postgres python -m
tests.benchmarks.webmail`. With `--beside COMMIT` that version is measured in turn with
this one, on SQLite, and the last line is the median ratio of its times to ours.
"""

from __future__ import annotations

import argparse
import random
import re
import statistics
import time
from collections.abc import Callable, Iterator

from tests.benchmarks import ready

# isort: split
from django.conf import settings
from django.core.management import call_command
from django.db import connection, transaction
from django.test import Client
from django.urls import reverse

from engine.mail.header import HeaderBlock
from engine.mail.message import summarise
from engine.registry.models import Mailbox
from engine.storage import mailbox_delivery
from engine.storage.models import Content, Folder, FolderRole, Message
from engine.storage.search import indexer
from engine.storage.search.find import find
from engine.storage.search.query_parser import parse
from tests import factories
from tests.benchmarks.worktrees import run_both
from tests.peers.process import remove_folder

ROUNDS = 40
CHUNK = 1000
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
SEARCHES = {
    "a rare word": "zephyr",
    "a word in all messages": "hearing",
    "two common words": "witness interpreter",
    "a phrase": '"video link"',
    "a beginning of words": "interp*",
    "from and unread": "from:jane is:unread",
    "one word, not another": "bundle -witness",
    "nothing found": "xylophone",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=100_000)
    parser.add_argument("--beside", metavar="COMMIT", default="")
    parser.add_argument("--rounds", type=int, default=3, help="with --beside")
    options = parser.parse_args()
    if options.beside:
        _compare_with(options)
    else:
        _measure_all(options.messages)


def _compare_with(options: argparse.Namespace) -> None:
    """Measures another version and this one, in rounds that alternate."""
    times: dict[str, list[tuple[float, ...]]] = {}
    for outputs in run_both(
        options.beside,
        "webmail",
        f"--messages={options.messages}",
        rounds=options.rounds,
    ):
        medians = [
            dict(re.findall(r"^(.+?) +median +([\d.]+) ms", output, re.M))
            for output in outputs
        ]
        for name in medians[1]:
            times.setdefault(name, []).append(tuple(float(m[name]) for m in medians))
    ratios = []
    for name, pairs in times.items():
        # The shortest: what else the machine does only ever adds.
        before, now = (min(side) for side in zip(*pairs, strict=True))
        ratios.append(before / now)
        print(
            f"{name:32} {before:6.1f} ms, now {now:6.1f} ms, ratio {before / now:.2f}"
        )
    print(f"ratio {statistics.median(ratios):.2f}")


def _measure_all(count: int) -> None:
    call_command("collect_assets", verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    call_command("migrate", verbosity=0)
    settings.ALLOWED_HOSTS.append("testserver")
    began = time.perf_counter()
    mailbox = _mailbox()
    for start in range(0, count, CHUNK):
        _fill(mailbox, start, min(CHUNK, count - start))
    filled = time.perf_counter()
    while indexer.index_waiting():
        pass
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    print(
        f"{connection.vendor}: {count} messages in {filled - began:.0f} s,"
        f" indexed in {time.perf_counter() - filled:.0f} s"
    )
    for name, ask in _questions(mailbox).items():
        _measure(name, ask)


def _mailbox() -> Mailbox:
    organisation = factories.make_organisation(name="Northfield Court")
    person = factories.make_person("bob@northfield.secure.example", organisation)
    return factories.make_mailbox(person, quota_bytes=10**12)


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
                "jane@firm.example",
                summarise(HeaderBlock.salvage(content.header)),
                content.header,
                has_attachments=False,
            )
            for content in contents
        ]
    )


def _message(number: int, chance: random.Random) -> tuple[bytes, bytes]:
    text = " ".join(chance.choices(WORDS, k=120)) + " hearing"
    rare = " zephyr" if number % 997 == 0 else ""
    answers = f"In-Reply-To: <{number - 1}@x.example>\r\n" if number % 4 == 3 else ""
    sender = "Jane Jones <jane" if number % 10 == 0 else "Sam Smith <sam"
    header = (
        f"From: {sender}@firm.example>\r\nTo: bob@northfield.secure.example\r\n"
        f"Subject: {' '.join(chance.choices(WORDS, k=4))}\r\n{answers}"
        f"Message-ID: <{number}@x.example>\r\n\r\n"
    )
    return header.encode(), (text + rare).encode()


def _questions(mailbox: Mailbox) -> dict[str, Callable[[], object]]:
    client = Client()
    client.force_login(
        mailbox.owner, "allauth.account.auth_backends.AuthenticationBackend"
    )
    inbox = Folder.objects.get(mailbox=mailbox, role=FolderRole.INBOX)
    middle = Message.objects.filter(folder=inbox).order_by("pk")[inbox.pk + 500]
    place = reverse("webmail:folder", args=[inbox.pk])
    pages = {
        "page: the newest": place,
        "page: in the middle": f"{place}?past={middle.pk}&page=9",
        "page: the oldest first": f"{place}?order=oldest",
        "page: only unread": f"{place}?show=unread",
        "page: an open message": reverse("webmail:read", args=[middle.pk]),
    }
    questions: dict[str, Callable[[], object]] = {
        name: _opened(client, path) for name, path in pages.items()
    }
    for name, typed in SEARCHES.items():
        questions[f"search: {name}"] = _searched(mailbox, typed)
    return questions


def _opened(client: Client, path: str) -> Callable[[], object]:
    def ask() -> object:
        answer = client.get(path)
        if answer.status_code != 200:
            raise RuntimeError(f"{path} answered {answer.status_code}")
        return answer

    return ask


def _searched(mailbox: Mailbox, typed: str) -> Callable[[], object]:
    return lambda: find(parse(typed), mailbox)


def _measure(name: str, ask: Callable[[], object]) -> None:
    ask()
    times = sorted(_times(ask))
    late = times[len(times) * 95 // 100]
    print(
        f"{name:32} median {statistics.median(times):6.1f} ms, 95th percentile {late:6.1f} ms"
    )


def _times(ask: Callable[[], object]) -> Iterator[float]:
    for _ in range(ROUNDS):
        began = time.perf_counter()
        ask()
        yield (time.perf_counter() - began) * 1000


if __name__ == "__main__":
    try:
        main()
    finally:
        remove_folder(ready.FOLDER)
