"""Two jobs write the same welcome letter: the password in the letter must be valid."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings as django_settings

from engine.registry.models import ConnectionCredential
from onboarding.letters import letter_files, letter_writer, letters
from onboarding.models import Application, Letter, Notice, NoticeKind

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("moment", ["rendered", "kept"])
def test_a_letter_that_two_jobs_write_holds_the_password_that_counts(
    provisioned: Any, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    application = provisioned()
    first = application.letters.get()
    letter = Letter.objects.create(
        application=application, organisation=first.organisation
    )
    written: list[str] = []
    keep = letter_files.save
    folder = django_settings.POSTERN.path("letters")
    before = list(folder.glob("*"))

    def render(of: Application, *, username: str, **rest: Any) -> bytes:
        written.append(username)
        if moment == "rendered" and len(written) == 1:
            # The other host's job from start to end.
            letter_writer.write_requested(letter.pk)
        return username.encode()

    def keep_and_lose_time(pdf: bytes, **owner: int) -> str:
        name = keep(pdf, **owner)
        if moment == "kept" and len(written) == 1:
            letter_writer.write_requested(letter.pk)
        return name

    monkeypatch.setattr(letters, "render_welcome", render)
    monkeypatch.setattr(letter_files, "save", keep_and_lose_time)

    letter_writer.write_requested(letter.pk)

    letter.refresh_from_db()
    assert letter_files.read(letter).decode() == letter.credential.username
    assert letter.credential.revoked_at is None
    others = ConnectionCredential.objects.filter(username__in=written)
    assert others.filter(revoked_at=None).count() == 1
    notices = Notice.objects.filter(kind=NoticeKind.LETTER, about=letter.pk)
    addresses = sorted(notices.values_list("address", flat=True))
    assert addresses == ["jane@firm.example", "ravi@firm.example"]
    assert len(list(folder.glob("*"))) == len(before) + 1


def test_a_job_that_looked_before_the_letter_was_kept_leaves_its_password(
    provisioned: Any,
) -> None:
    letter = provisioned().letters.get()
    earlier = Letter.objects.get(pk=letter.pk)
    earlier.file_name = earlier.credential = None

    letter_writer.write(earlier)

    letter.refresh_from_db()
    assert letter.credential.revoked_at is None
