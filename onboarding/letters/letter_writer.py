"""Writes welcome letters: issues the credential, renders the PDF, stores the file.

The registry keeps only a digest of the credential, so a credential whose letter was
never stored is useless: the next attempt revokes it and issues another. Rendering is
slow and holds no transaction, because on SQLite that would block the mail engine.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from django.db import transaction

from engine.database import clock
from engine.registry.actions import connections
from engine.registry.models import Connection, Person, Proof, RoleName
from onboarding.letters import letter_files, letters
from onboarding.models import Letter, NoticeKind
from onboarding.notices import outbox
from onboarding.status import Status

# Longer than the job timeout, so the worker that held a letter is gone.
LEASE = timedelta(minutes=6)


class AlreadyWrittenError(Exception):
    """Raised if another job stored the letter after this one looked."""


def write(letter: Letter, *, notify: Sequence[str] = ()) -> None:
    """Renders and stores the letter, unless that is done already.

    The addresses in `notify` get a notice, which is stored with the letter: a letter is
    never kept without its notices, whenever the worker dies.
    """
    if letter.file_name is not None:
        return
    connection = letter.organisation.connections.first()
    username = secret = ""
    if connection is not None and connection.proof == Proof.CREDENTIAL:
        try:
            username, secret = issue_credential(letter, connection)
        except AlreadyWrittenError:
            return
    pdf = letters.render_welcome(
        letter.application, connection=connection, username=username, secret=secret
    )
    file_name = letter_files.save(pdf, organisation_id=letter.organisation_id)
    _keep(letter, file_name, notify)


def write_requested(letter_id: int) -> None:
    """Writes a requested letter and notifies the organisation's administrators."""
    letter = Letter.objects.select_related("application").get(pk=letter_id)
    if letter.file_name is not None or letter.purged_at is not None:
        return
    administrators = Person.objects.filter(
        organisation_roles__organisation=letter.organisation,
        organisation_roles__role=RoleName.ADMINISTRATOR,
        is_active=True,
    )
    addresses = [person.everyday_address for person in administrators]
    write(letter, notify=[address for address in addresses if address])


def find_unwritten() -> list[int]:
    """Returns the ids of requested letters that a dead job left unwritten."""
    left = Letter.objects.unwritten().filter(
        application__status=Status.PROVISIONED,
        created_at__lt=clock.now() - LEASE,
    )
    return list(left.values_list("pk", flat=True))


@transaction.atomic
def _keep(letter: Letter, file_name: str, notify: Sequence[str]) -> None:
    """Attaches the file to the letter, unless another job has written it meanwhile.

    A job that started later has revoked the credential in this file, so its own file
    must win.
    """
    row = Letter.objects.select_for_update().get(pk=letter.pk)
    if row.file_name is not None or row.credential_id != letter.credential_id:
        letter_files.delete_file(file_name)
        return
    letter.file_name = file_name
    letter.save(update_fields=["file_name"])
    for address in notify:
        outbox.add(NoticeKind.LETTER, to=address, about=letter.pk)


@transaction.atomic
def issue_credential(letter: Letter, connection: Connection) -> tuple[str, str]:
    """Issues a user name and secret for this letter and revokes an earlier attempt's.

    Raises AlreadyWrittenError if a stored letter holds the earlier one.
    """
    row = Letter.objects.select_for_update(of=("self",)).get(pk=letter.pk)
    if row.file_name is not None:
        raise AlreadyWrittenError
    if row.credential is not None:
        connections.revoke_credential(row.credential, by=None)
    letter.credential, secret = connections.add_credential(connection, by=None)
    letter.save(update_fields=["credential"])
    return letter.credential.username, secret
