"""Runs a rehearsal: probes the member's server, then sends a real message to it.

Safe to run twice: the queue recognises the message by its rehearsal and sends it once.
"""

from __future__ import annotations

from django.conf import settings
from django.utils import timezone

from engine.mail.address import Address
from engine.mail.address_list import NamedAddress
from engine.mail.composer import compose
from engine.mail.envelope import Envelope
from engine.mail.errors import PermanentFailure
from engine.queue.enqueue.local_submission import submit
from engine.queue.models import Source
from engine.registry.models import Connection
from engine.transport.diagnosis.next_hop_diagnosis import diagnose
from engine.transport.next_hop import Hop
from onboarding.connecting.models import Rehearsal, Step, StepKey, StepState

TEXT = """\
This message tests the connection of your mail server with {community}.

If you can read it, mail from {community} reaches you. You do not need to answer it.
"""
PROBED = (
    StepKey.NAME,
    StepKey.CONNECT,
    StepKey.STARTTLS,
    StepKey.CERTIFICATE,
    StepKey.LIMITS,
)
# A server that takes only small messages still takes ours.
OPTIONAL = (StepKey.LIMITS,)


def run(rehearsal: Rehearsal) -> None:
    """Probes the server and sends the message. Takes up to two minutes."""
    if _probe(rehearsal) and not rehearsal.reference:
        _send(rehearsal)


def next_hop_of(connection: Connection) -> Hop:
    """Returns the connection's next hop for the SMTP client."""
    return Hop(connection.next_hop_host, connection.next_hop_port, connection.tls_name)


def set_step(
    rehearsal: Rehearsal,
    key: StepKey,
    state: StepState,
    *,
    seen: str = "",
    fault: str = "",
) -> None:
    """Saves the state of a step, for the page that follows the test."""
    Step.objects.filter(rehearsal=rehearsal, key=key).update(
        state=state,
        seen=seen[:500],
        fault=fault[:500],
        finished_at=timezone.now() if state.is_final else None,
    )


def _probe(rehearsal: Rehearsal) -> bool:
    """Probes the server step by step. True if a message can be sent to it."""
    set_step(rehearsal, StepKey.NAME, StepState.RUNNING)
    for finding in diagnose(next_hop_of(rehearsal.connection)):
        key = StepKey(finding.stage.value)
        state = StepState.FAILED if finding.fault else StepState.PASSED
        set_step(rehearsal, key, state, seen=finding.seen, fault=finding.fault)
        if finding.fault and key not in OPTIONAL:
            _skip_after(rehearsal, key)
            return False
        following = list(StepKey)[list(StepKey).index(key) + 1]
        set_step(rehearsal, following, StepState.RUNNING)
    return True


def _skip_after(rehearsal: Rehearsal, key: StepKey) -> None:
    order = [*PROBED, StepKey.OUT]
    for later in order[order.index(key) + 1 :]:
        set_step(rehearsal, later, StepState.SKIPPED)


def _send(rehearsal: Rehearsal) -> None:
    try:
        rehearsal.reference = submit(
            _message(rehearsal),
            envelope=Envelope.simple(None, Address.parse(rehearsal.recipient)),
            source=Source.SYSTEM,
            # The queue accepts a message with a known fingerprint only once.
            fingerprint=f"rehearsal-{rehearsal.pk}",
            by=None,
        )
    except PermanentFailure as error:
        set_step(rehearsal, StepKey.OUT, StepState.FAILED, fault=error.reply.text)
        return
    rehearsal.save(update_fields=["reference"])


def _message(rehearsal: Rehearsal) -> bytes:
    posting = settings.POSTERN
    return compose(
        sender=NamedAddress(
            posting.community_name, Address("notices", posting.community_domain)
        ),
        to=[NamedAddress("", Address.parse(rehearsal.recipient))],
        subject=f"Test of your connection with {posting.community_name}",
        text=TEXT.format(community=posting.community_name),
        extra_headers={"Auto-Submitted": "auto-generated"},
        message_id=f"<rehearsal-{rehearsal.pk}@{posting.community_domain}>",
        date=rehearsal.started_at,
    )
