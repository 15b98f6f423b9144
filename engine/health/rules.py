"""Every kind of alarm: what happened, why it matters, and what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

from prometheus_client.metrics_core import Metric

from engine.health.situation import Look, Rule

_MAIL_STOPPED = (
    "Messages are not being sent or received at the moment. Nothing that was accepted is "
    "lost: it is delivered as soon as the service is back."
)

_RULES = (
    Rule(
        "process_ended",
        "A process ended without being asked to",
        "It was killed, or failed. What it was doing is done again by another.",
        "Read its log. Look for a lack of memory (dmesg) and restart it where nothing does.",
    ),
    Rule(
        "engine_missing",
        "No mail engine is running",
        "No message is accepted or delivered.",
        "Start it: systemctl start postern-engine, or manage.py run_engine. Read its log.",
        public=_MAIL_STOPPED,
    ),
    Rule(
        "web_missing",
        "No process of the website is running",
        "Nobody can sign in, read webmail, or use the API.",
        "Start it: systemctl start postern-web, or manage.py run_web. Read its log.",
    ),
    Rule(
        "worker_missing",
        "No worker is running",
        "Letters, invitations, webhooks, checks and reports wait.",
        "Start it: systemctl start postern-worker, and read its log.",
    ),
    Rule(
        "scanner",
        "The virus scanner cannot be reached",
        "Every message is refused for the moment: nothing passes unscanned.",
        "Start clamd where POSTERN_CLAMD says, and look whether this host can reach it.",
        public="New messages cannot be scanned for viruses, so they are not accepted at "
        "the moment. Mail programs and servers try again by themselves.",
    ),
    Rule(
        "scanner_doubt",
        "A virus scanner does not do all of its work",
        "What it does not open is refused. Of several, the others do its part.",
        "Look at clamd's log, and in engine/antivirus/README.md for the packages and "
        "settings that it needs. It is tried again each minute.",
    ),
    Rule(
        "database",
        "The database cannot be reached",
        "Mail is not accepted, and no page can be shown.",
        "Start PostgreSQL, and look at its log, its disk and the network.",
        public=_MAIL_STOPPED,
    ),
    Rule(
        "cache",
        "The shared cache cannot be reached",
        "Limits count on each host alone until it is back.",
        "Start Redis or Valkey where POSTERN_REDIS_URL says.",
    ),
    Rule(
        "disk",
        "A disk is nearly full",
        "When it is full, no message is accepted on that host.",
        "Make room under POSTERN_VAR, or give it a larger disk.",
    ),
    Rule(
        "mail_slow",
        "Mail is slow",
        "Messages to reachable destinations wait for longer than ten minutes.",
        "Look at the queue and at the log of the engine; it may need more processes.",
        public="Messages are taking longer than usual to arrive.",
    ),
    Rule(
        "mail_stopped",
        "Mail has stopped",
        "Messages that could be delivered have waited for half an hour.",
        "Look at the log of the engine, and restart it.",
        public=_MAIL_STOPPED,
    ),
    Rule(
        "destination",
        "A destination cannot be reached",
        "Mail for it waits, and is returned after two days.",
        "Look at the destination's last answer in the queue, and tell its organisation.",
    ),
    Rule(
        "automatic_mail",
        "Automatic mail cannot be sent",
        "Forwards, automatic replies or delivery notices that members expect are missing.",
        "Look for the fault in the engine's log. Once it is gone, manage.py retry_errands "
        "tries again what was given up.",
    ),
    Rule(
        "smart_host",
        "The smart host does not take mail",
        "Notices to everyday addresses, these among them, do not arrive.",
        "Look at what it answers, and at POSTERN_SMARTHOST.",
    ),
    Rule(
        "certificate",
        "The certificate needs attention",
        "When it has ended, or does not load, members' servers refuse to talk to us.",
        "Renew POSTERN_TLS_CERT_FILE and POSTERN_TLS_KEY_FILE; both are taken up by "
        "themselves.",
    ),
    Rule(
        "clock",
        "The clock of a host is wrong",
        "Signatures, second factors and times in messages go by it.",
        "Set the clock, and look whether its time service runs (timedatectl).",
    ),
    Rule(
        "event_loop",
        "A process answers late",
        "Its connections wait for each other.",
        "Look at its load and its log; it may need more processes.",
    ),
    Rule(
        "jobs_waiting",
        "Jobs are not being done",
        "Letters, invitations, webhooks, checks and reports wait.",
        "Look whether the worker runs, and at its log; it may need another host.",
    ),
    Rule(
        "job_failing",
        "A job fails again and again",
        "What it is for does not happen meanwhile. It is tried again by itself.",
        "Look at Failed jobs in the console, which says what went wrong.",
    ),
    Rule(
        "job_given_up",
        "A job was given up",
        "What it was for has not happened, and is not tried again by itself.",
        "Look at Failed jobs in the console, and run it again once its cause is gone.",
    ),
    Rule(
        "backup",
        "There was no backup for too long",
        "What was accepted since the last one would be lost with the database.",
        "Look at the backup script; it ends with manage.py note_backup.",
    ),
)

_by_name: dict[str, Rule] = {rule.name: rule for rule in _RULES}
# What is looked at in the database, each with how many rounds lie between two looks.
looks: list[tuple[frozenset[str], Look, int]] = []
# More gauges for Prometheus, from packages above this one: called with the time now.
gauges: list[Callable[[datetime], Iterable[Metric]]] = []


def register(*rules: Rule, look: Look, every: int = 1) -> None:
    """Add kinds of alarm, from a package above this one, and what finds them.

    `every` so many rounds, of five seconds each, it is called; between them its last
    findings stand. Called from an AppConfig's ready(); doing it again changes nothing.
    """
    for rule in rules:
        _by_name[rule.name] = rule
    add_look({rule.name for rule in rules}, look, every=every)


def add_look(names: set[str], look: Look, *, every: int = 1) -> None:
    """Have a look find alarms of kinds that are known."""
    if all(known is not look for _, known, _ in looks):
        looks.append((frozenset(names), look, every))


def get(name: str) -> Rule:
    """The rule of that name. One that an earlier version knew is named as it was."""
    return _by_name.get(name) or Rule(name, name.replace("_", " "), "", "")


def everyone() -> list[Rule]:
    return list(_by_name.values())
