"""Records what was wrong with the last backup, and raises an alarm for it."""

from __future__ import annotations

from collections.abc import Iterator

from engine.backups.models import TEXT_LENGTH, Problem
from engine.database import clock
from engine.health.checks import alarm_rules
from engine.health.checks.findings import CheckContext, Finding, Rule

RULE = Rule(
    "backup_problem",
    "The last backup failed or is not complete",
    "What has changed since the last complete backup would be lost with the database.",
    "Read the cause, resolve it, and run manage.py backup again.",
)


def record(text: str, *, is_permanent: bool) -> None:
    """Records a problem in the place of the one before."""
    values = {"at": clock.now(), "text": text[:TEXT_LENGTH]}
    Problem.objects.update_or_create(
        pk=1, defaults=values | {"is_permanent": is_permanent}
    )


def clear() -> None:
    """Records that the last backup succeeded."""
    Problem.objects.all().delete()


def check(context: CheckContext) -> Iterator[Finding]:
    """Yields a finding if the last backup failed, or lacks blobs."""
    for problem in Problem.objects.all():
        yield Finding(RULE.name, "", problem.text)


alarm_rules.register(RULE, check=check, every=6)
