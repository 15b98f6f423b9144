"""Proves an address by a code that is mailed to it, inside the community.

For recipients whose mailboxes are on their own servers: they have no password here. A
request and its answer are the same for every address, so that nobody learns who received
a message. The job that both start decides, in another process, so that time tells nothing
either.
"""

from __future__ import annotations

import secrets
from datetime import timedelta

from django.db import transaction
from django.db.models import F
from django.utils.formats import date_format
from django.utils.timezone import localtime

from engine.database import clock
from engine.jobs import queue as jobs
from engine.linked_files import downloads, recipients
from engine.linked_files.models import AddressProof, LinkedFile
from engine.mail.address import Address
from engine.queue.notifications import service_notices
from engine.secrets import secret_keys

# Stored digests depend on it: it does not follow the module.
SALT = "engine.linked_files.codes"
JOB = "engine.linked_files.tasks.send_code"
DIGITS = 8
VALID_FOR = timedelta(minutes=15)
ATTEMPTS = 5
# How long a proved address opens the files in one session.
PROVED_FOR = timedelta(hours=1)

TEXT = """\
Your code is {code}

Enter it on the page where you asked for it. It opens the files that {sender} sent you as
a link, and can be used until {until}.

If you did not ask for a code, ignore this message: without it, nobody can open the files.
Never tell the code to anybody.
"""


@transaction.atomic
def request(file: LinkedFile, address: str) -> AddressProof:
    """Starts a proof of whatever address was typed. The caller limits the rate."""
    proof = AddressProof.objects.create(
        file=file, address=address[:254], expires_at=clock.now() + VALID_FOR
    )
    jobs.add(JOB, proof.pk)
    return proof


@transaction.atomic
def send_code(proof_id: int) -> None:
    """Sends a code where the address received the file's message.

    A repetition, after a crash, sends another code in its place.
    """
    rows = AddressProof.objects.select_related("file__mailbox", "file__sender")
    proof = rows.filter(pk=proof_id, expires_at__gt=clock.now()).first()
    if proof is None:
        return
    reader = recipients.by_address(proof.file, proof.address)
    if reader is None:
        downloads.note_refusal(proof.file, by=None, address=proof.address)
        return
    code = f"{secrets.randbelow(10**DIGITS):0{DIGITS}}"
    proof.code_digest, proof.recipient = _digest(proof, code), reader.recipient
    proof.save(update_fields=["code_digest", "recipient"])
    service_notices.send_notice(
        Address.parse(reader.recipient),
        subject="Your code to open files",
        text=TEXT.format(
            code=f"{code[:4]} {code[4:]}",
            sender=proof.file.author.address,
            until=date_format(localtime(proof.expires_at), "H:i"),
        ),
    )


def redeem(proof_id: int, code: str, *, file: LinkedFile) -> AddressProof | None:
    """Returns the proof if the code is right, and uses it up; None otherwise.

    It must have been asked for by a link of the same message.

    Every attempt counts, before it is compared.
    """
    if not AddressProof.objects.filter(pk=proof_id, file__token=file.token).exists():
        return None
    # Without a join, so that the condition and the count are one for parallel requests.
    rows = AddressProof.objects.filter(
        pk=proof_id, attempts__lt=ATTEMPTS, expires_at__gt=clock.now()
    )
    if not rows.update(attempts=F("attempts") + 1):
        return None
    proof = AddressProof.objects.filter(pk=proof_id).first()
    if proof is None:
        return None
    typed = "".join(one for one in code if one.isascii() and one.isdigit())
    claimed = secret_keys.macs(SALT, f"{proof.pk} {typed}")
    if not any(secrets.compare_digest(proof.code_digest, one) for one in claimed):
        return None
    # Of two requests with the code at one moment, one finds the row.
    deleted, _ = AddressProof.objects.filter(pk=proof_id).delete()
    return proof if deleted else None


def _digest(proof: AddressProof, code: str) -> str:
    return secret_keys.mac(SALT, f"{proof.pk} {code}")
