"""The catalogue of alarm rules: what happened, what it affects, and what to do."""

from __future__ import annotations

from engine.health.checks.findings import Check, Rule

_MAIL_STOPPED = (
    "Messages are not being sent or received at the moment. Every message that was "
    "accepted is safe, and is delivered as soon as the service is back."
)

_RULES = (
    Rule(
        "process_ended",
        "A process ended unexpectedly",
        "It crashed or was killed. Another process repeats the work that it had begun.",
        "Read its log, and look for a lack of memory (dmesg). If nothing restarts the "
        "process, start it.",
    ),
    Rule(
        "engine_missing",
        "No mail engine is running",
        "Messages are neither accepted nor delivered.",
        "Start it: systemctl start postern-engine, or manage.py run_engine. If it does "
        "not stay up, read its log.",
        public=_MAIL_STOPPED,
    ),
    Rule(
        "web_missing",
        "No process of the website is running",
        "Members cannot sign in or read webmail, and the API does not answer.",
        "Start it: systemctl start postern-web, or manage.py run_web. If it does not "
        "stay up, read its log.",
    ),
    Rule(
        "worker_missing",
        "No worker is running",
        "Letters, invitations, webhook calls, checks and reports are delayed.",
        "Start it: systemctl start postern-worker, or manage.py run_worker. If it does "
        "not stay up, read its log.",
    ),
    Rule(
        "scanner",
        "The virus scanner cannot be reached",
        "All new mail is deferred, because no message is accepted without a scan.",
        "Start clamd at the address in POSTERN_CLAMD, and make sure that this host can "
        "connect to it.",
        public="New messages cannot be scanned for viruses, so they are not accepted at "
        "the moment. Mail programs and servers try again by themselves.",
    ),
    Rule(
        "scanner_doubt",
        "A virus scanner does not work fully",
        "Attachments of the kinds that it cannot open are refused. Where several "
        "scanners are set up, the others share its work.",
        "Read clamd's log, and compare its packages and settings with "
        "engine/antivirus/README.md. The scanner is tested again each minute.",
    ),
    Rule(
        "database",
        "The database cannot be reached",
        "No mail is accepted, and the website does not work.",
        "Start PostgreSQL, and check its log, its disk and the network.",
        public=_MAIL_STOPPED,
    ),
    Rule(
        "cache",
        "The shared cache cannot be reached",
        "Until it is back, each host counts rate limits by itself.",
        "Start Redis or Valkey at the address in POSTERN_REDIS_URL.",
    ),
    Rule(
        "master_key",
        "The master key cannot be used",
        "Mail of organisations whose keys are in memory still flows, for "
        "POSTERN_KEY_CACHE_SECONDS. Other encrypted mail cannot be read, and new mail "
        "for it waits in the queue or is deferred.",
        "Run the command in POSTERN_MASTER_KEY_COMMAND by hand and read what it says, or "
        "check the file in POSTERN_MASTER_KEY_FILE. Never make a new key in place of a "
        "lost one: what is stored needs the one that encrypted it.",
    ),
    Rule(
        "store",
        "The store of message bodies cannot be reached",
        "Messages over 64 kB are deferred, and those that are stored cannot be read. "
        "Nothing that was accepted is lost.",
        "Start the S3 service at the address in POSTERN_BLOB_URL, or correct the bucket, "
        "the key and the secret there. Make sure that this host can connect to it.",
        public="Large messages and attachments cannot be sent or read at the moment. "
        "Mail programs and servers try again by themselves.",
    ),
    Rule(
        "disk",
        "A disk is nearly full",
        "Once it is full, this host accepts no more mail.",
        "Make room under POSTERN_VAR, or enlarge the disk.",
    ),
    Rule(
        "mail_slow",
        "Mail is slow",
        "Messages to reachable destinations have waited for more than ten minutes.",
        "Look at the queue in the console and at the engine's log. If the engine is "
        "overloaded, raise POSTERN_ENGINE_PROCESSES.",
        public="Messages are taking longer than usual to arrive.",
    ),
    Rule(
        "mail_stopped",
        "Mail has stopped",
        "Messages to reachable destinations have waited for more than half an hour.",
        "Read the engine's log, and restart the engine.",
        public=_MAIL_STOPPED,
    ),
    Rule(
        "destination",
        "A destination cannot be reached",
        "Mail for it waits, and is returned to its senders after two days.",
        "Read the destination's last reply in the queue, and inform the organisation "
        "that runs it.",
    ),
    Rule(
        "unproven_mail",
        "Mail is held because its sender could not be proved",
        "Nobody gets it until an operator releases or drops it.",
        "Look at it in the queue, and ask the organisation that sent it whether it is "
        "theirs. Its connection says that such mail is held.",
    ),
    Rule(
        "automatic_mail",
        "Automatic mail cannot be sent",
        "Members miss forwarded mail, automatic replies or delivery notices.",
        "Find the cause in the engine's log. Once it is resolved, run manage.py "
        "retry_automatic_mail to send what was given up.",
    ),
    Rule(
        "smart_host",
        "The smart host does not accept mail",
        "Notices to everyday addresses, this one among them, do not arrive.",
        "Read the smart host's reply, and check POSTERN_SMARTHOST.",
    ),
    Rule(
        "certificate",
        "The certificate needs attention",
        "With a certificate that has expired or does not load, members' servers refuse "
        "to connect.",
        "Renew the files in POSTERN_TLS_CERT_FILE and POSTERN_TLS_KEY_FILE. They are "
        "reloaded without a restart.",
    ),
    Rule(
        "clock",
        "The clock of a host is wrong",
        "Signatures, second factors and the dates of messages depend on it.",
        "Set the clock, and make sure that time synchronisation runs (timedatectl).",
    ),
    Rule(
        "event_loop",
        "A process responds slowly",
        "All of its connections wait.",
        "Check the load of the host and the log of the process. If it is overloaded, "
        "run more processes.",
    ),
    Rule(
        "jobs_waiting",
        "Background jobs are delayed",
        "Letters, invitations, webhook calls, checks and reports wait.",
        "Make sure that the worker runs, and read its log. If it is overloaded, run a "
        "worker on another host as well.",
    ),
    Rule(
        "job_failing",
        "A background job keeps failing",
        "Its work is not done. The job is retried automatically.",
        "Read the cause under Failed jobs in the console, and resolve it.",
    ),
    Rule(
        "job_given_up",
        "A background job was given up",
        "Its work has not been done, and is not retried automatically.",
        "Read the cause under Failed jobs in the console. Once it is resolved, run the "
        "job again there.",
    ),
    Rule(
        "backup",
        "The last backup is too old",
        "If the database were lost, all mail accepted since then would be lost too.",
        "Check what runs manage.py backup, or the backup script that ends with "
        "manage.py note_backup.",
    ),
    Rule(
        "audit_trail",
        "The audit trail was changed",
        "Entries or checkpoints were changed, deleted or replaced, or an older backup was "
        "restored.",
        "Run manage.py verify_audit, on a copy of the database too, with the checkpoints "
        "that were kept out of reach, and find out who could write to the database. If you "
        "restored a backup yourself, run manage.py verify_audit --accept-restore.",
    ),
    Rule(
        "audit_checkpoint",
        "The audit trail is not being signed",
        "Entries since the last checkpoint could be changed unnoticed.",
        "Make sure that the worker runs, and read the cause under Failed jobs in the "
        "console.",
    ),
    Rule(
        "mail_key",
        "A key that signs mail cannot be used",
        "Mail leaves without its signature. It is delivered, but receivers cannot prove "
        "who sent it.",
        "Add the secret key that sealed it to POSTERN_SECRET_KEY_FALLBACKS on all hosts. "
        "If it is lost, make other keys under DKIM keys in the console.",
    ),
    Rule(
        "mail_key_record",
        "A DKIM record is missing or wrong",
        "Receivers cannot verify the signatures of our mail, and some refuse it.",
        "Publish the record that DKIM keys in the console shows, and check it there.",
    ),
)

_by_name: dict[str, Rule] = {rule.name: rule for rule in _RULES}
# Checks added by `register` and `add_check`: the names of their rules, the check, and the
# number of rounds between two runs.
checks: list[tuple[frozenset[str], Check, int]] = []


def register(*rules: Rule, check: Check, every: int = 1) -> None:
    """Adds alarm rules of a package above this one, and the check that finds them.

    The check runs in each `every`th round of five seconds; its last findings stand in
    between. Call it from an AppConfig's ready(); a second call changes nothing.
    """
    for rule in rules:
        _by_name[rule.name] = rule
    add_check({rule.name for rule in rules}, check, every=every)


def add_check(names: set[str], check: Check, *, every: int = 1) -> None:
    """Adds a check for rules that the catalogue already has."""
    if all(known is not check for _, known, _ in checks):
        checks.append((frozenset(names), check, every))


def get(name: str) -> Rule:
    """Returns the rule of that name; for one of an earlier version, a bare rule."""
    return _by_name.get(name) or Rule(name, name.replace("_", " "), "", "")


def all_rules() -> list[Rule]:
    """Returns every rule of the catalogue, those of packages above included."""
    return list(_by_name.values())
