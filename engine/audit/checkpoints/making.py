"""Makes checkpoints: every hour, and every thousand entries."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from django.conf import settings
from django.db import transaction

from engine.audit.checkpoints import signing_keys, statements
from engine.audit.models import Checkpoint
from engine.audit.record import lock_chain, record
from engine.database import clock
from engine.signing import keys
from engine.signing.models import Purpose, SigningKey

EVERY = timedelta(hours=1)
EVERY_ENTRIES = 1_000


@transaction.atomic
def make_if_due() -> Checkpoint | None:
    """Makes a checkpoint if an hour or a thousand entries have passed since the last."""
    signing_keys.current()
    end = lock_chain()
    last = Checkpoint.objects.first()
    # A chain that is shorter than its last checkpoint was tampered with or restored: what
    # is appended from now on is worth a signature all the same.
    if (
        last is not None
        and abs(end.length - last.length) < EVERY_ENTRIES
        and last.at <= clock.now() < last.at + EVERY
    ):
        return None
    return make()


@transaction.atomic
def make(abandons: Iterable[str] = (), *, key: SigningKey | None = None) -> Checkpoint:
    """Signs the chain's present length and last digest; with the present key by default."""
    key = key or signing_keys.current()
    end = lock_chain()
    at = clock.now()
    text = statements.compose(
        community=settings.POSTERN.community_domain,
        at=at,
        length=end.length,
        digest=end.digest,
        key=key.key_id,
        abandons=abandons,
    )
    return Checkpoint.objects.create(
        at=at,
        length=end.length,
        digest=end.digest,
        statement=text,
        signature=signing_keys.sign(key, text.encode()),
    )


@transaction.atomic
def rotate_key(*, is_compromised: bool = False) -> SigningKey:
    """Retires the key that signs now, and makes the next one.

    The last that the retired key signs is the entry that names its successor. Where others
    may have it, the successor signs that, and with it the trail as it is now.
    """
    retired = signing_keys.current()
    made = keys.replace(Purpose.AUDIT, is_compromised=is_compromised)
    detail = {"public_key": made.public_key}
    if is_compromised:
        detail["compromised"] = retired.key_id
    event = "audit.key_compromised" if is_compromised else "audit.key_replaced"
    record(event, made, detail=detail, by=None)
    make(key=made if is_compromised else retired)
    return made


@transaction.atomic
def accept_restore(abandons: Iterable[str]) -> Checkpoint:
    """Signs that checkpoints belong to a history that an operator has abandoned.

    They are named in the audit trail and in a checkpoint, which goes out of reach too.
    """
    ids = sorted(abandons)
    key = signing_keys.current()
    record("audit.restore_accepted", key, detail={"checkpoints": ids}, by=None)
    return make(ids)
