from __future__ import annotations

import pytest

from engine.antivirus.models import QuarantinedMessage
from engine.queue.notifications import upload_scan
from engine.registry.errors import PolicyError
from engine.registry.models import Person
from engine.storage.models import Message
from tests.engine.antivirus.specimens import EICAR

pytestmark = pytest.mark.django_db


def test_a_clean_file_raises_no_alarm(bob: Person) -> None:
    upload_scan.check_is_clean(b"name,address\n", by=bob)

    assert not QuarantinedMessage.objects.exists()


def test_an_infected_file_is_kept_for_the_operator_and_its_bringer_told(
    bob: Person,
) -> None:
    with pytest.raises(PolicyError, match=r"found .* in notes\.txt"):
        upload_scan.check_is_clean(EICAR, name="notes.txt", by=bob)

    kept = QuarantinedMessage.objects.get()
    assert (kept.sender, kept.organisation_id) == (bob.address, bob.organisation_id)
    assert Message.objects.filter(folder__mailbox=bob.mailbox).exists()


def test_a_strangers_infected_file_is_refused_and_fills_no_disk(db: None) -> None:
    with pytest.raises(PolicyError, match="virus scanner found"):
        upload_scan.check_is_clean(EICAR, by=None)

    assert not QuarantinedMessage.objects.exists()
