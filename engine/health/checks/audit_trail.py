"""The audit trail: what its verifications have found, and whether it is still signed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from engine.audit.checkpoints import verification
from engine.audit.models import Checkpoint
from engine.health.checks.findings import CheckContext, Finding
from engine.health.models import DETAIL_LENGTH

RULES = frozenset({"audit_trail", "audit_checkpoint"})
# A checkpoint is due every hour.
LATE = timedelta(hours=3)


def check(context: CheckContext) -> Iterator[Finding]:
    """Yields a finding where the trail was changed, and where it is signed no more.

    Before the first checkpoint there is nothing to be late.
    """
    for one in verification.latest():
        if one.problems:
            sentences = list(verification.described(one.problems))
            more = f" And {len(sentences) - 1} more." if len(sentences) > 1 else ""
            text = sentences[0][: DETAIL_LENGTH - len(more)] + more
            yield Finding("audit_trail", "", text)
            break
    last = Checkpoint.objects.first()
    if last is not None and context.now - last.at > LATE:
        yield Finding(
            "audit_checkpoint", "", f"The last was on {last.at:%-d %B at %H:%M} UTC."
        )
