"""A page reports a full disk in one sentence, and keeps what was typed."""

from __future__ import annotations

import re
import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from html import unescape

import pytest
from django.db import OperationalError, connection
from django.test import Client
from django.urls import reverse

from engine.registry.credentials import generated_secrets
from engine.registry.models import Organisation, Person
from engine.registry.scopes import Scope
from engine.storage.models import FolderRole, Message
from tests import factories
from tests.full_disk import refuse_new_rows
from tests.portal.conftest import SignIn
from tests.portal.webmail.compose_page import ComposePage

pytestmark = pytest.mark.django_db(transaction=True)

WORDS = (
    "At ten <b>sharp</b> & not later.\n" * 1_200
)  # small enough for the row itself, on pages of its own
FIELD = re.compile(r'<textarea name="([^"]*)" hidden>\n(.*?)</textarea>', re.DOTALL)
FullDisk = Callable[[], "contextmanager[None]"]


@contextmanager
def full_disk() -> Iterator[None]:
    """Lets no table grow, so that the database raises its own error."""
    if connection.vendor == "postgresql":
        with refuse_new_rows():
            yield
        return
    with connection.cursor() as cursor:
        _fill(cursor)
        try:
            yield
        finally:
            cursor.execute("PRAGMA max_page_count = 1073741823")
            cursor.execute("DROP TABLE filler")


def _fill(cursor: object) -> None:
    """Leaves SQLite no page, free ones included."""
    cursor.execute("CREATE TABLE filler (octets BLOB)")
    cursor.execute("PRAGMA page_count")
    (pages,) = cursor.fetchone()
    cursor.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(OperationalError, match="disk is full"):
        while True:
            cursor.execute("INSERT INTO filler VALUES (zeroblob(4000))")


def form_values(page: str) -> dict[str, str]:
    return {name: unescape(value) for name, value in FIELD.findall(page)}


def test_a_message_that_cannot_be_sent_comes_back_whole(
    signed_in: SignIn, bob: Person
) -> None:
    client = signed_in(bob)
    client.raise_request_exception = False
    compose_page = ComposePage(bob.mailbox)
    form = {"to": bob.address, "subject": "Hearing", "text": WORDS, "do": "send"}

    with full_disk():
        answer = client.post(compose_page.url, form)

    page = answer.content.decode()
    assert answer.status_code == 503
    assert answer["Retry-After"] == "60"
    assert "cannot save or read data" in page
    again = form_values(page)
    assert {name: again[name] for name in form} == form
    assert not Message.objects.exists()

    assert client.post(compose_page.url, again).status_code == 302
    sent = Message.objects.filter(folder__role=FolderRole.SENT)
    assert sent.get().subject == "Hearing"


def test_the_api_answers_503_and_does_it_once_later(
    northfield: Organisation, bob: Person
) -> None:
    secret = generated_secrets.new_secret()
    factories.make_api_key(
        northfield, generated_secrets.digest(secret), Scope.WRITE_MESSAGES
    )
    client = Client(
        headers={"Authorization": f"Bearer {secret}", "Idempotency-Key": "letter-1"}
    )
    letter = {
        "mailbox": bob.mailbox.pk,
        "to": [bob.address],
        "subject": "Hearing",
        "text": WORDS,
    }

    def send() -> object:
        return client.post("/api/v1/messages/", letter, "application/json")

    with full_disk():
        refused = send()
    accepted, again = send(), send()

    assert refused.status_code == 503
    assert refused["Content-Type"] == "application/problem+json"
    assert refused["Retry-After"] == "60"
    assert "Try again" in refused.json()["detail"]
    assert (accepted.status_code, again.status_code) == (202, 202)
    assert Message.objects.filter(folder__role=FolderRole.INBOX).count() == 1


def test_passwords_are_not_written_into_the_page(bob: Person) -> None:
    client = Client(raise_request_exception=False)
    form = {"login": bob.address, "password": "a secret that nobody may see"}

    with full_disk_for_sessions():
        answer = client.post(reverse("account_login"), form)

    assert answer.status_code == 503
    assert "a secret that" not in answer.content.decode()
    assert "Try again</button>" not in answer.content.decode()


@contextmanager
def full_disk_for_sessions() -> Iterator[None]:
    """Refuses every INSERT: sign-in writes too little for `full_disk`."""

    def refuse(execute, statement, *rest):
        if statement.startswith("INSERT"):
            raise OperationalError("database or disk is full")
        return execute(statement, *rest)

    with connection.execute_wrapper(refuse):
        yield


def test_a_fault_of_the_program_is_one(
    signed_in: SignIn, bob: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = signed_in(bob)
    client.raise_request_exception = False

    def broken(*_: object) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM no_such_table")

    monkeypatch.setattr(
        "portal.webmail.compose.compose_views.draft_store.is_sent", broken
    )

    answer = client.post(ComposePage(bob.mailbox).url, {"do": "save", "text": "x"})

    assert answer.status_code == 500


@contextmanager
def files_of_at_most(octets: int) -> Iterator[None]:
    """Limits the size of every file that this process writes, by the kernel."""
    usual = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (octets, usual[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, usual)


def test_a_long_message_for_which_no_file_has_room_comes_back_whole(
    signed_in: SignIn, bob: Person
) -> None:
    client = signed_in(bob)
    client.raise_request_exception = False
    compose_page = ComposePage(bob.mailbox)
    form = {"to": bob.address, "subject": "Hearing", "text": WORDS * 5, "do": "save"}

    with files_of_at_most(128 * 1024):
        answer = client.post(compose_page.url, form)

    assert answer.status_code == 503
    assert form_values(answer.content.decode()).items() >= form.items()
    assert not Message.objects.exists()
    assert client.post(compose_page.url, form).status_code == 302
