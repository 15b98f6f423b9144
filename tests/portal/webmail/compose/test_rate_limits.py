"""A member who sends too much sees when to try again, and loses nothing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.conf import settings
from django.test import Client

from engine.queue.models import SendingCount
from engine.queue.sending_rates import rate_limits
from engine.registry.models import Person
from engine.storage.models import FolderRole
from portal.configuration.sending_rates import Rates
from tests.portal.webmail.compose_page import (
    CHARLIE,
    ComposePage,
    file,
    messages_in,
    only_message_in,
)

pytestmark = pytest.mark.usefixtures("charlie")


@pytest.fixture
def compose_page(bob: Person) -> ComposePage:
    return ComposePage(bob.mailbox)


@pytest.fixture(autouse=True)
def _one_a_minute(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    one = Rates(minute=1, hour=100, day=100)
    monkeypatch.setattr(settings.POSTERN, "person_messages", one)
    rate_limits.meter.clear()
    yield
    rate_limits.meter.clear()


def test_the_draft_is_kept_and_the_page_says_when(
    as_bob: Client,
    bob: Person,
    compose_page: ComposePage,
    django_capture_on_commit_callbacks: object,
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        sent = compose_page.post(as_bob, "send", to=CHARLIE, text="First")
    assert sent.status_code == 200
    assert SendingCount.objects.get(span="minute").messages == 1

    again = ComposePage(bob.mailbox)
    refused = again.post(
        as_bob, "send", to=CHARLIE, text="Second", attachments=[file()]
    )

    assert refused.status_code == 429
    assert 0 < int(refused["Retry-After"]) <= 61
    page = refused.content.decode()
    assert "Your message was not sent: One person may send 1 messages" in page
    assert "Nothing is lost" in page
    assert len(messages_in(bob.mailbox, FolderRole.SENT)) == 1
    _, draft = only_message_in(bob.mailbox, FolderRole.DRAFTS)
    assert "Second" in draft.own_text()
    assert "Bundle.pdf" in page


def test_what_other_processes_sent_counts_too(
    as_bob: Client, bob: Person, compose_page: ComposePage
) -> None:
    other = rate_limits.Meter()
    one = rate_limits.Sender(rate_limits.SenderKind.PERSON, bob.pk, bob.organisation_id)
    other.count([(one, rate_limits.Count(1, 1))])
    other.share()

    assert compose_page.post(as_bob, "send", to=CHARLIE, text="x").status_code == 429
