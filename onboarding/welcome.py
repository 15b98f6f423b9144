"""Writing a welcome letter: the credential, the paper, the file.

The registry keeps a digest of the credential only. So where an attempt ended before
its letter was kept, the credential that it issued is worth nothing: it is revoked, and
another issued. No transaction is held while the paper is rendered: that would stop the
mail engine on SQLite.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction

from engine.registry.actions import connections
from engine.registry.models import Connection, Proof
from onboarding import letters
from onboarding.models import Letter, NoticeKind
from onboarding.notices.promise import promise


class WrittenMeanwhile(Exception):
    """Another job has kept the letter since this one looked."""


def write(letter: Letter, *, tell: Sequence[str] = ()) -> None:
    """Render the letter and keep it, unless that is done.

    Whoever is told is told of every letter that is kept, whenever a worker dies.
    """
    if letter.file_name is not None:
        return
    connection = letter.organisation.connections.first()
    username = secret = ""
    if connection is not None and connection.proof == Proof.CREDENTIAL:
        try:
            username, secret = issue_credential(letter, connection)
        except WrittenMeanwhile:
            return
    pdf = letters.render(
        letter.application, connection=connection, username=username, secret=secret
    )
    file_name = letters.keep(pdf)
    _keep(letter, file_name, tell)


@transaction.atomic
def _keep(letter: Letter, file_name: str, tell: Sequence[str]) -> None:
    """Take the file for the letter, unless another job has written it meanwhile.

    A job that began later has revoked the credential in this file: then its own counts.
    """
    row = Letter.objects.select_for_update().get(pk=letter.pk)
    if row.file_name is not None or row.credential_id != letter.credential_id:
        letters.discard(file_name)
        return
    letter.file_name = file_name
    letter.save(update_fields=["file_name"])
    for address in tell:
        promise(NoticeKind.LETTER, to=address, about=letter.pk)


@transaction.atomic
def issue_credential(letter: Letter, connection: Connection) -> tuple[str, str]:
    """A user name and a secret for this letter alone; an earlier attempt's is revoked.

    Raises WrittenMeanwhile: then the earlier one is in a letter that is read.
    """
    row = Letter.objects.select_for_update(of=("self",)).get(pk=letter.pk)
    if row.file_name is not None:
        raise WrittenMeanwhile
    if row.credential is not None:
        connections.revoke_credential(row.credential, by=None)
    letter.credential, secret = connections.add_credential(connection, by=None)
    letter.save(update_fields=["credential"])
    return letter.credential.username, secret
