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


def write(letter: Letter, *, tell: Sequence[str] = ()) -> None:
    """Render the letter and keep it, unless that is done.

    Whoever is told is told of every letter that is kept, whenever a worker dies.
    """
    if letter.file_name is not None:
        return
    connection = letter.organisation.connections.first()
    username = secret = ""
    if connection is not None and connection.proof == Proof.CREDENTIAL:
        username, secret = issue_credential(letter, connection)
    pdf = letters.render(
        letter.application, connection=connection, username=username, secret=secret
    )
    file_name = letters.keep(pdf)
    with transaction.atomic():
        letter.file_name = file_name
        letter.save(update_fields=["file_name"])
        for address in tell:
            promise(NoticeKind.LETTER, to=address, about=letter.pk)


@transaction.atomic
def issue_credential(letter: Letter, connection: Connection) -> tuple[str, str]:
    """A user name and a secret for this letter alone; an earlier attempt's is revoked."""
    if letter.credential is not None:
        connections.revoke_credential(letter.credential, by=None)
    letter.credential, secret = connections.add_credential(connection, by=None)
    letter.save(update_fields=["credential"])
    return letter.credential.username, secret
