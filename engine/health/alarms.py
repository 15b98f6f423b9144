"""Raises alarms for what rules find, and ends those whose cause is gone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import DateTimeField, Value
from django.db.models.functions import Coalesce

from engine.health import rules
from engine.health.models import DETAIL_LENGTH, Alarm
from engine.health.situation import Finding, Unknown

# Without seen_at, which changes in every round.
COLUMNS = [
    "detail",
    "calm_since",
    "returns",
    "told_at",
    "ended_at",
    "ended_told_at",
]
SUBJECT_LENGTH = 120
# A statement tries each row against each other's number: twice as many take four times
# as long.
BATCH = 100
# Of alarms that are over.
KEPT = timedelta(days=90)


def step(
    known: Sequence[Alarm],
    findings: Iterable[Finding],
    now: datetime,
    *,
    looked: Collection[str],
    unknown: Collection[Unknown] = (),
) -> list[Alarm]:
    """What the alarms are after a look, those of `known` that are not concerned left out.

    `known` are the open ones and those that ended lately; `looked` are the rules that
    could be looked at, but for what is `unknown` of them: other alarms stay as they are.
    A new one has no id.
    """
    # The last of a kind wins: the open one, or the one that ended last.
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
            before.see(finding.detail, now)
            changed.append(before)
    for key, alarm in newest.items():
        if key in found or not alarm.is_open or alarm.rule not in looked:
            continue
        if (alarm.rule, None) not in doubtful and key not in doubtful:
            alarm.miss(now)
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
def note(
    findings: Iterable[Finding],
    now: datetime,
    *,
    looked: Collection[str],
    unknown: Collection[Unknown] = (),
) -> list[Alarm]:
    """Take a look's findings into the table. Returns what the operators must hear of."""
    known = list(Alarm.objects.lately(now).select_for_update())
    before = {alarm.pk: (_state(alarm), alarm.seen_at) for alarm in known}
    changed = step(known, findings, now, looked=looked, unknown=unknown)
    _save(changed, before)
    return to_tell(now)


def to_tell(now: datetime) -> list[Alarm]:
    """Alarms that the operators have not heard of, or not that they are over."""
    return [one for one in Alarm.objects.lately(now) if one.is_to_tell]


def _state(alarm: Alarm) -> tuple[object, ...]:
    return tuple(getattr(alarm, name) for name in COLUMNS)


def _save(
    alarms: Sequence[Alarm], before: Mapping[int, tuple[tuple[object, ...], datetime]]
) -> None:
    """Write new alarms, and of others what is not as it was."""
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
        # All in this round.
        pks = [one.pk for one in seen]
        Alarm.objects.filter(pk__in=pks).update(seen_at=seen[0].seen_at)


def mark_told(alarms: Sequence[Alarm], now: datetime) -> None:
    """Note that the operators have heard of them, as they stood when they were sent.

    One that ended or came back meanwhile is told once more.
    """
    by_end: defaultdict[datetime | None, list[int]] = defaultdict(list)
    for alarm in alarms:
        by_end[alarm.ended_at].append(alarm.pk)
        alarm.tell(now)
    for ended_at, pks in by_end.items():
        heard = Alarm.objects.filter(pk__in=pks)
        if ended_at is None:
            heard.filter(told_at=None).update(told_at=now)
        else:
            heard.filter(ended_at=ended_at).update(
                told_at=Coalesce("told_at", Value(now, DateTimeField())),
                ended_told_at=now,
            )


def purge(now: datetime) -> None:
    """Forget alarms that ended long ago."""
    Alarm.objects.filter(ended_at__lt=now - KEPT).delete()


@transaction.atomic
def adopt(raised: Iterable[Alarm]) -> None:
    """Take over what a host raised while the database was away."""
    open_ones = {one.key for one in Alarm.objects.open()}
    Alarm.objects.bulk_create([one for one in raised if one.key not in open_ones])


@dataclass(frozen=True, slots=True)
class Trouble:
    """What everybody may read of an alarm: nothing of hosts."""

    text: str
    since: datetime


def public() -> list[Trouble]:
    """What members feel of the alarms that are open, the oldest first. One query."""
    troubles: dict[str, Trouble] = {}
    for alarm in Alarm.objects.open().order_by("since"):
        text = rules.get(alarm.rule).public
        if text:
            troubles.setdefault(text, Trouble(text, alarm.since))
    return list(troubles.values())
