"""Sets up Django with its own state folder and ports; import this before any model."""

from __future__ import annotations

import os
import shutil

import django

from tests import migrated
from tests.peers.process import free_port, open_folder

FOLDER = open_folder()
if database := migrated.prepared(migrated.SQLITE):
    shutil.copyfile(database, FOLDER / "postern.sqlite3")
PROTOCOLS = ("SMTP", "SUBMISSION", "SUBMISSIONS", "POP3", "POP3S")

os.environ |= {
    "DJANGO_SETTINGS_MODULE": "portal.settings",
    "POSTERN_ENV": "development",
    "POSTERN_VAR": str(FOLDER),
    "POSTERN_CLAMD": "off",
    **{f"POSTERN_{protocol}_PORT": str(free_port()) for protocol in PROTOCOLS},
}
# Refused at once: what arrives is verified, and no message waits for name servers.
os.environ.setdefault("POSTERN_DNS_SERVERS", '["127.0.0.1:9"]')
django.setup()
