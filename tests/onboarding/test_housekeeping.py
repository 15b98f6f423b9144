from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone

from engine.registry.errors import PolicyError
from engine.registry.models import Person
from onboarding import housekeeping
from onboarding.applying import applications
from onboarding.letters import letter_writer, welcome_letters
from onboarding.models import Application, Letter, NoticeKind
from onboarding.models.letter import KEPT_AFTER_DOWNLOAD, KEPT_UNFETCHED

pytestmark = pytest.mark.slow


@pytest.fixture
def letter(provisioned: Any) -> Letter:
    return provisioned().letters.get()


@pytest.mark.parametrize(
    "facts",
    [
        {"downloaded_at": timezone.now() - KEPT_AFTER_DOWNLOAD - timedelta(hours=1)},
        {"created_at": timezone.now() - KEPT_UNFETCHED - timedelta(hours=1)},
    ],
)
def test_a_letter_that_has_served_is_taken_away(letter: Letter, facts: Any) -> None:
    path = settings.POSTERN.path("letters", letter.file_name)
    assert housekeeping.purge_letters() == 0
    Letter.objects.update(**facts)

    assert housekeeping.purge_letters() == 1

    assert not path.exists()
    letter.refresh_from_db()
    assert not letter.is_readable
    with pytest.raises(PolicyError, match="We no longer keep"):
        welcome_letters.download(letter, address=None, by=None)


def test_a_new_letter_has_a_new_credential_and_the_old_one_ends_later(
    letter: Letter, vera: Person, delivered_emails: Any
) -> None:
    first = letter.credential
    again = welcome_letters.reissue(letter.organisation, by=vera)
    with pytest.raises(PolicyError, match="already preparing"):
        welcome_letters.reissue(letter.organisation, by=vera)

    letter_writer.write_requested(again.pk)
    letter_writer.write_requested(again.pk)

    again.refresh_from_db()
    assert again.credential != first
    assert housekeeping.revoke_replaced_credentials() == 0
    recipients = [
        mail.to
        for mail in delivered_emails()
        if mail.subject.startswith("A new letter")
    ]
    assert recipients == [["jane@firm.example"], ["ravi@firm.example"]]
    Letter.objects.filter(pk=again.pk).update(
        created_at=timezone.now() - housekeeping.OVERLAP - timedelta(hours=1)
    )

    assert housekeeping.revoke_replaced_credentials() == 1

    first.refresh_from_db()
    again.credential.refresh_from_db()
    assert first.revoked_at
    assert again.credential.revoked_at is None


def test_a_worker_that_dies_before_telling_of_a_letter_leaves_it_to_be_written(
    letter: Letter, vera: Person, delivered_emails: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(kind: NoticeKind, *, to: str, about: int) -> None:
        raise KeyboardInterrupt

    again = welcome_letters.reissue(letter.organisation, by=vera)
    with monkeypatch.context() as dying, pytest.raises(KeyboardInterrupt):
        dying.setattr(letter_writer.outbox, "add", die)
        letter_writer.write_requested(again.pk)

    letter_writer.write_requested(again.pk)

    recipients = [
        mail.to
        for mail in delivered_emails()
        if mail.subject.startswith("A new letter")
    ]
    assert recipients == [["jane@firm.example"], ["ravi@firm.example"]]


def test_a_draft_left_for_three_months_is_forgotten(
    db: None, submit_application: Any
) -> None:
    sent_in = submit_application()
    draft = Application.objects.create(everyday_address="jane@firm.example")
    applications.save_draft(draft, {})
    assert housekeeping.purge_drafts() == 0
    long_ago = timezone.now() - housekeeping.DRAFT_KEPT - timedelta(days=1)
    Application.objects.update(changed_at=long_ago)

    housekeeping.purge_drafts()

    assert list(Application.objects.all()) == [sent_in]
