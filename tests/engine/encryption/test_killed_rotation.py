"""A rotation that is killed goes on where it was."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest
from pytest_django.fixtures import Settings

from engine.encryption import organisation_keys, rotation
from engine.encryption.models import OrganisationKey
from engine.registry.models import Person
from engine.storage import content
from engine.storage.models import ContentKey, Message
from tests.encryption import MASTER_KEY
from tests.engine.storage.conftest import deliver
from tests.peers.engine import database_url

ROTATE = """
import django
django.setup()
from engine.encryption import rotation
rotation.BATCH = 1
rotation.renew({organisation_id}, by=None)
for count in rotation.rewrap({organisation_id}):
    print(count, flush=True)
"""
MESSAGES = 40


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_kill_9_in_the_middle_loses_nothing(
    encrypted: None, bob: Person, settings: Settings
) -> None:
    for _ in range(MESSAGES):
        deliver(bob.mailbox)
    whole = [content.read(one) for one in Message.objects.order_by("pk")]
    holder = bob.organisation_id
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "portal.settings",
        "POSTERN_ENV": "test",
        "POSTERN_VAR": str(settings.POSTERN.path()),
        "POSTERN_DATABASE_URL": database_url(),
        "POSTERN_ENCRYPTION": "true",
        "POSTERN_MASTER_KEY": MASTER_KEY,
    }
    script = ROTATE.format(organisation_id=holder)
    with subprocess.Popen(
        [sys.executable, "-c", script], env=environment, stdout=subprocess.PIPE
    ) as rotating:
        assert rotating.stdout is not None
        for _ in range(3):
            assert rotating.stdout.readline() == b"1\n"
        rotating.send_signal(signal.SIGKILL)

    organisation_keys.forget_all()
    left = ContentKey.objects.filter(key__version=1).count()
    assert 0 < left <= MESSAGES - 3
    assert [content.read(one) for one in Message.objects.order_by("pk")] == whole
    assert sum(rotation.rewrap(holder)) == left
    assert not ContentKey.objects.filter(key__version=1).exists()
    assert OrganisationKey.objects.filter(organisation_id=holder).count() == 2
    organisation_keys.forget_all()
    assert [content.read(one) for one in Message.objects.order_by("pk")] == whole
