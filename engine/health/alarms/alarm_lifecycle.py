"""Opens alarms for findings, ends those whose cause is gone, and tracks notifications."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import DateTimeField, Value
from django.db.models.functions import Coalesce

from engine.health.checks import alarm_rules
from engine.health.checks.findings import Finding, Unknown
from engine.health.models import DETAIL_LENGTH, Alarm

# Without seen_at, which changes in every round and is written for all rows together.
COLUMNS = [
    "detail",
    "calm_since",
    "returns",
    "told_at",
    "ended_at",
    "ended_told_at",
]
SUBJECT_LENGTH = 120
# bulk_update compares each row with the id of every other: twice as many rows in one
# statement take four times as long.
BATCH = 100
# Alarms that have ended stay on the Health page for so long.
KEPT = timedelta(days=90)


def apply_findings(
    known: Sequence[Alarm],
    findings: Iterable[Finding],
    now: datetime,
    *,
    checked: Collection[str],
    unknown: Collection[Unknown] = (),
) -> list[Alarm]:
    """Returns the alarms that a round opens, continues or ends. Saves nothing.

    `known` are the open alarms and those that ended recently. `checked` names the rules
    whose checks ran; `unknown` is what those could not judge. Alarms of other rules stay
    as they are and are not returned. A new alarm has no id.
    """
    # The last of a key wins: the open alarm, or else the one that ended last.
    oldest_first = sorted(known, key=lambda one: (one.is_open, one.since))
    newest = {alarm.key: alarm for alarm in oldest_first}
    found = {(one.rule, one.subject[:SUBJECT_LENGTH]): one for one in findings}
    doubtful = {
        (one.rule, one.subject and one.subject[:SUBJECT_LENGTH]) for one in unknown
    }
    changed = []
    for key, finding in found.items():
        before = newest.get(key)
        if before is None or before.is_past(now):
            changed.append(_new(finding, now))
        else:
            before.observe(finding.detail, now)
            changed.append(before)
    for key, alarm in newest.items():
        if key in found or not alarm.is_open or alarm.rule not in checked:
            continue
        if (alarm.rule, None) not in doubtful and key not in doubtful:
            alarm.observe_absence(now)
            changed.append(alarm)
    return changed


def _new(finding: Finding, now: datetime) -> Alarm:
    return Alarm(
        rule=finding.rule,
        subject=finding.subject[:SUBJECT_LENGTH],
        detail=finding.detail[:DETAIL_LENGTH],
        since=now,
        seen_at=now,
    )


@transaction.atomic
def record_findings(
    findings: Iterable[Finding],
    now: datetime,
    *,
    checked: Collection[str],
    unknown: Collection[Unknown] = (),
) -> list[Alarm]:
    """Saves what a round changes, and returns the alarms that need a notification.

    The arguments are those of `apply_findings`.
    """
    known = list(Alarm.objects.recent(now).select_for_update())
    before = {alarm.pk: (_state(alarm), alarm.seen_at) for alarm in known}
    changed = apply_findings(known, findings, now, checked=checked, unknown=unknown)
    _save(changed, before)
    return awaiting_notification(now)


def awaiting_notification(now: datetime) -> list[Alarm]:
    """Returns the alarms whose start or end operators were not notified of yet."""
    return [one for one in Alarm.objects.recent(now) if one.needs_notification]


def _state(alarm: Alarm) -> tuple[object, ...]:
    return tuple(getattr(alarm, name) for name in COLUMNS)


def _save(
    alarms: Sequence[Alarm], before: Mapping[int, tuple[tuple[object, ...], datetime]]
) -> None:
    """Inserts new alarms, and updates others in the columns that changed."""
    kept = [one for one in alarms if one.pk is not None]
    Alarm.objects.bulk_create([one for one in alarms if one.pk is None])
    moved = [one for one in kept if _state(one) != before[one.pk][0]]
    Alarm.objects.bulk_update(moved, [*COLUMNS, "seen_at"], batch_size=BATCH)
    seen = [
        one
        for one in kept
        if _state(one) == before[one.pk][0] and one.seen_at != before[one.pk][1]
    ]
    if seen:
        # All were seen in this round, and have the same moment.
        pks = [one.pk for one in seen]
        Alarm.objects.filter(pk__in=pks).update(seen_at=seen[0].seen_at)


def mark_notified(alarms: Sequence[Alarm], now: datetime) -> None:
    """Records that operators were notified of alarms, as these stood when mail was sent.

    Sending takes seconds. An alarm that ended or came back meanwhile needs another
    notification, so a row is updated only where it still has the end that was sent.
    """
    by_end: defaultdict[datetime | None, list[int]] = defaultdict(list)
    for alarm in alarms:
        by_end[alarm.ended_at].append(alarm.pk)
        alarm.mark_notified(now)
    for ended_at, pks in by_end.items():
        sent = Alarm.objects.filter(pk__in=pks)
        if ended_at is None:
            sent.filter(told_at=None).update(told_at=now)
        else:
            sent.filter(ended_at=ended_at).update(
                told_at=Coalesce("told_at", Value(now, DateTimeField())),
                ended_told_at=now,
            )


def purge(now: datetime) -> None:
    """Deletes alarms that ended more than KEPT ago."""
    Alarm.objects.filter(ended_at__lt=now - KEPT).delete()


@transaction.atomic
def adopt(raised: Iterable[Alarm]) -> None:
    """Saves alarms that a host raised by itself during an outage of the database.

    One that is open already, from another host or from before the outage, is left out.
    """
    open_keys = {one.key for one in Alarm.objects.open()}
    Alarm.objects.bulk_create([one for one in raised if one.key not in open_keys])


@dataclass(frozen=True, slots=True)
class PublicNotice:
    """What the status page shows of open alarms, without naming hosts."""

    text: str
    since: datetime


def public_notices() -> list[PublicNotice]:
    """Returns what members notice of the open alarms, the oldest first. Makes one query."""
    notices: dict[str, PublicNotice] = {}
    for alarm in Alarm.objects.open().order_by("since"):
        text = alarm_rules.get(alarm.rule).public
        if text:
            notices.setdefault(text, PublicNotice(text, alarm.since))
    return list(notices.values())
