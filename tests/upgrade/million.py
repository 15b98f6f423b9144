"""Times backup, resume and restore of a large service on PostgreSQL.

    python -m tests.upgrade.million [MESSAGES] [BLOBS]

By default a million messages of 2.4 kB, and 20,000 more whose bodies of 80 kB are blobs.
The first backup is killed while it copies blobs, and continued. The restore goes into
another database and another state folder. Everything is on one disk.
"""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg

from tests.peers.postgres import Postgres
from tests.peers.process import open_folder, remove_folder

BLOB = 80_000  # octets
FILL = """
    WITH bodies AS (
        INSERT INTO storage_content
            (format, size, body_digest, header, body, blob_key, created_at)
        SELECT 1, 2500, encode(sha256(g::text::bytea), 'hex'),
            convert_to('Subject: ' || g || E'\\r\\n\\r\\n', 'UTF8'),
            convert_to(repeat(md5(g::text) || ' exhibit bundle ', 50), 'UTF8'),
            '', now()
        FROM generate_series(1, %(count)s) AS g
        RETURNING id
    )
    INSERT INTO storage_message (
        mailbox_id, folder_id, content_id, envelope_sender, received_at, from_name,
        from_address, to_summary, subject, message_id, size, has_attachments, is_read,
        is_flagged, is_answered, is_draft
    )
    SELECT %(mailbox)s, %(folder)s, id, 'jane@firm.example.secure.example', now(), 'Jane',
        'jane@firm.example.secure.example', 'Bob', 'Exhibit ' || id,
        '<' || id || '@firm.example>', 2500, false, true, false, false, false
    FROM bodies
"""
FILL_BLOB = """
    INSERT INTO storage_content
        (format, size, body_digest, header, body, blob_key, created_at)
    VALUES (1, %s, %s, 'Subject: Large', NULL, %s, now())
"""
MAILBOX = """
from tests import factories
from engine.storage import standard_folders
made = factories.make_organisation(name="Northfield")
bob = factories.make_person("bob@northfield.secure.example", made)
mailbox = factories.make_mailbox(bob)
print("ids", mailbox.pk, standard_folders.inbox(mailbox).pk)
"""


class Host:
    """A database and a state folder."""

    def __init__(self, var: Path, url: str) -> None:
        self.var, self.url = var, url
        self.environment = {
            **os.environ,
            "POSTERN_ENV": "test",
            "POSTERN_VAR": str(var),
            "POSTERN_DATABASE_URL": url,
            "DJANGO_SETTINGS_MODULE": "portal.settings",
        }

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "manage.py", *arguments],
            env=self.environment,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str) -> tuple[float, str]:
        """Returns the seconds that a command took, and what it printed."""
        began = time.monotonic()
        process = self.start(*arguments)
        said, _ = process.communicate()
        if process.returncode:
            raise SystemExit(f"{arguments} failed: {said}")
        return time.monotonic() - began, said


def fill(host: Host, messages: int, blobs: int) -> None:
    host.run("migrate", "--skip-checks", "--verbosity", "0")
    _, said = host.run("shell", "-v", "0", "-c", MAILBOX)
    _, mailbox, folder = said.split()[-3:]
    with psycopg.connect(host.url, autocommit=True) as connection:
        values = {"count": messages, "mailbox": int(mailbox), "folder": int(folder)}
        connection.execute(FILL, values)
        keys = [_write_blob(host.var / "blobs", number) for number in range(blobs)]
        with connection.cursor() as cursor:
            cursor.executemany(
                FILL_BLOB, [(BLOB + 14, digest, key) for digest, key in keys]
            )
        connection.execute("ANALYZE")


def _write_blob(folder: Path, number: int) -> tuple[str, str]:
    content = hashlib.shake_128(str(number).encode()).digest(BLOB)
    digest = hashlib.sha256(content).hexdigest()
    key = f"{digest}-{number:012x}"
    path = folder / key[:2] / key
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return digest, key


def backup_killed(host: Host, target: Path, blobs: int) -> float:
    """Kills a backup once half of the blobs are copied; returns its seconds."""
    began = time.monotonic()
    process = host.start("backup", str(target))
    while sum(1 for _ in target.glob("blobs/*/*/*")) < blobs // 2:
        if process.poll() is not None:
            raise SystemExit("the backup ended before it could be killed")
        time.sleep(0.5)
    process.send_signal(signal.SIGKILL)
    process.wait()
    return time.monotonic() - began


def say(what: str, seconds: float, said: str = "") -> None:
    print(f"{what}: {seconds:.0f} s. {said.strip()}", flush=True)


def main(messages: int = 1_000_000, blobs: int = 20_000) -> None:
    folder = open_folder()
    try:
        with Postgres() as server:
            first = Host(folder / "var", server.create("first"))
            other = Host(folder / "other", server.create("other", template="template0"))
            began = time.monotonic()
            fill(first, messages, blobs)
            say(f"filled with {messages} messages", time.monotonic() - began)
            target = folder / "backups"
            say("backup, killed half-way", backup_killed(first, target, blobs))
            say("continued", *first.run("backup", str(target)))
            say("another, with nothing new", *first.run("backup", str(target)))
            say("restored", *other.run("restore", str(target)))
            octets = sum(
                path.stat().st_size
                for path in max(target.glob("backups/*")).rglob("*")
                if path.is_file()
            )
            print(f"the last backup has {octets / 1e6:.0f} MB beside its blobs")
    finally:
        remove_folder(folder)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
