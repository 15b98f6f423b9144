"""Alarms, processes and hosts, as the service's own monitoring sees them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.template.defaultfilters import filesizeformat

from engine.database import clock
from engine.health.checks import alarm_rules, backups, host_state
from engine.health.models import Alarm, Heartbeat
from engine.registry.permissions import Permission, Visitor
from portal.console.access import held_as_staff
from portal.console.page import Cell, Section, Table

ENDED_SHOWN = timedelta(days=7)
LISTED = 100


@dataclass(frozen=True, slots=True)
class OpenAlarm:
    """An open alarm, for the console's home page."""

    title: str
    where: str
    since: datetime


def open_alarms(person: Visitor) -> list[OpenAlarm]:
    """Returns the open alarms, the newest first.

    Only staff who may see the queue are shown which host or connection each is about.
    """
    may_see = Permission.VIEW_QUEUE in held_as_staff(person)
    return [
        OpenAlarm(
            alarm_rules.get(one.rule).title, one.subject if may_see else "", one.since
        )
        for one in Alarm.objects.open()[:LISTED]
    ]


def sections() -> list[Section]:
    """Returns the sections of the Health page, open alarms first."""
    now = clock.now()
    beats = list(Heartbeat.objects.all())
    return [
        Section("Alarms", table=_open_alarms()),
        Section("Processes", table=_processes(beats, now)),
        Section("Hosts", table=_hosts(beats, now), facts=[_backup(now)]),
        Section("Alarms that ended in the last 7 days", table=_ended_alarms(now)),
    ]


def _open_alarms() -> Table:
    rows = [
        [
            Cell(alarm_rules.get(one.rule).title, note=_advice(one), is_alarming=True),
            Cell(one.subject),
            Cell(at=one.since),
        ]
        for one in Alarm.objects.open()[:LISTED]
    ]
    return Table(["What", "Where", "Since"], rows, "No alarm is open.")


def _advice(alarm: Alarm) -> str:
    return f"{alarm.detail} {alarm_rules.get(alarm.rule).remedy}".strip()


def _ended_alarms(now: datetime) -> Table:
    rows = [
        [
            Cell(alarm_rules.get(one.rule).title, note=one.detail),
            Cell(one.subject),
            Cell(at=one.since),
            Cell(at=one.ended_at),
        ]
        for one in Alarm.objects.filter(ended_at__gt=now - ENDED_SHOWN)[:LISTED]
    ]
    return Table(
        ["What", "Where", "Since", "Until"], rows, "No alarm ended in this time."
    )


def _processes(beats: Sequence[Heartbeat], now: datetime) -> Table:
    headings = ["Process", "Host", "Started", "Last heartbeat", "State"]
    rows = [
        [
            Cell(f"{one.kind} {one.pid}"),
            Cell(one.host),
            Cell(at=one.started_at),
            _last_heartbeat(one, now),
            _state(one, now),
        ]
        for one in sorted(beats, key=lambda one: (not one.is_alive(now), one.kind))
    ]
    return Table(headings, rows, "No process has sent a heartbeat.")


def _last_heartbeat(beat: Heartbeat, now: datetime) -> Cell:
    if not beat.is_alive(now):
        return Cell(at=beat.at)
    return Cell(f"{max(0, (now - beat.at).total_seconds()):.0f} s ago")


def _state(beat: Heartbeat, now: datetime) -> Cell:
    if beat.stopped_at is not None:
        return Cell("Stopped")
    if beat.is_alive(now):
        return Cell("Running")
    return Cell("Killed or crashed", is_alarming=True)


def _hosts(beats: Sequence[Heartbeat], now: datetime) -> Table:
    """Each host, from the newest heartbeat of its processes."""
    newest = {
        one.host: one
        for one in sorted(beats, key=lambda one: one.at)
        if one.is_alive(now)
    }
    headings = ["Host", "Disk", "Clock", "Virus scanner", "Certificate", "Shared cache"]
    rows = [_host(one, now) for one in newest.values()]
    return Table(headings, rows, "No process has reported on its host.")


def _host(beat: Heartbeat, now: datetime) -> list[Cell]:
    facts = beat.facts
    wrong = {one.rule for one in host_state.findings(beat.host, facts, now)}
    free, total = facts.get("disk_free", 0), facts.get("disk_total", 0)
    room = f"{filesizeformat(free)} of {filesizeformat(total)} are free"
    ahead = f"{facts.get('clock', 0.0):+.1f} s"
    return [
        Cell(beat.host),
        Cell(room, is_alarming="disk" in wrong),
        Cell(ahead, is_alarming="clock" in wrong),
        _answer(
            facts.get("scanner_fault") or facts.get("scanner_doubt", ""), "Answers"
        ),
        _answer(facts.get("certificate_fault", ""), "Loads"),
        _answer(facts.get("cache_fault", ""), "Answers"),
    ]


def _answer(fault: str, otherwise: str) -> Cell:
    return Cell(fault or otherwise, is_alarming=bool(fault))


def _backup(now: datetime) -> tuple[str, Cell]:
    at = backups.last()
    if at is None:
        note = (
            "Run manage.py backup each night, or end a backup script of your own "
            "with: manage.py note_backup"
        )
        return "Last backup", Cell("None recorded", note=note)
    return "Last backup", Cell(at=at, is_alarming=backups.is_late(at, now))
