from __future__ import annotations

from django.db import transaction

from engine.audit.record import record
from engine.registry.models import Person
from portal.helpdesk.models import CannedReply
from portal.helpdesk.outgoing import automatic_texts
from portal.helpdesk.status import Category


@transaction.atomic
def save(
    reply: CannedReply, *, title: str, category: Category, text: str, by: Person
) -> CannedReply:
    """Add a canned reply or change it. Raises PolicyError for an unknown variable."""
    automatic_texts.check_variables(text)
    reply.title, reply.category, reply.text = title, category, text
    reply.save()
    record("canned_reply.saved", reply, by=by)
    return reply


@transaction.atomic
def remove(reply: CannedReply, *, by: Person) -> None:
    record("canned_reply.removed", reply, by=by)
    reply.delete()
