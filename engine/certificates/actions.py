"""Makes certificates, and finds them in the audit trail."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from engine.audit.models import Entry
from engine.audit.record import lock_chain, record
from engine.certificates import statement as statements
from engine.certificates.models import Certificate
from engine.certificates.verification import ALGORITHM, facts_digest
from engine.certificates.visibility import View
from engine.database import clock
from engine.registry.models import Person
from engine.signing import canonical_json, keys
from engine.signing.models import Purpose

EVENT = "certificate.made"


def make(view: View, *, pages: dict[str, str], by: Person) -> Certificate:
    """Makes, records and signs the certificate of what a reader may see of a message.

    `pages` are the public addresses that it names. Raises UnknownKeyError where another
    secret key sealed the signing key.
    """
    made = Certificate(
        reference=view.reference, role=view.role, person_id=by.pk, made_at=clock.now()
    )
    # Before the transaction: a large body takes a while to digest.
    facts = statements.compose(made, view, pages=pages)
    key = keys.current(Purpose.CERTIFICATE)
    private = keys.ed25519_key(key)
    with transaction.atomic():
        made.save()
        stated = facts | {"audit": _record(made, view, facts, by)}
        signature = {
            "algorithm": ALGORITHM,
            "key": key.key_id,
            "value": canonical_json.sign(stated, private),
        }
        document = {"certificate": stated, "signature": signature}
        made.document = canonical_json.encode(document).decode()
        made.save(update_fields=["document"])
    return made


def is_recorded(stated: dict[str, Any]) -> bool:
    """Returns whether the audit trail has the entry that a statement names."""
    audit = stated.get("audit")
    if not isinstance(audit, dict) or not isinstance(audit.get("digest"), str):
        return False
    entry = Entry.objects.filter(digest=audit["digest"], event=EVENT).first()
    return entry is not None and entry.detail.get("facts") == facts_digest(stated)


def _record(
    made: Certificate, view: View, facts: dict[str, Any], by: Person
) -> dict[str, Any]:
    """Appends the audit entry, and returns its place in the chain."""
    entry = record(
        EVENT,
        made,
        organisation_key=view.organisation_id,
        detail={
            "reference": view.reference,
            "role": str(view.role),
            "facts": facts_digest(facts),
        },
        by=by,
    )
    # The transaction holds the lock of the chain, so its length is the entry's position.
    return {
        "position": lock_chain().length,
        "digest": entry.digest,
        "previous_digest": entry.previous_digest,
        "at": entry.at.isoformat(),
    }
