"""Fills an empty database with a whole community."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from string import Template
from typing import Any

from tests.benchmarks import ready

# isort: split
from django.core.management import call_command
from django.db import connection, transaction

from engine.registry.credentials import generated_secrets
from engine.registry.directory import index
from engine.registry.models import Organisation, RoleName
from engine.registry.scopes import Scope
from tests import factories
from tests.peers.process import remove_folder

# The person who has a tenth of all mail and administers the largest organisation.
FIRST = 1000
STAFF = {
    "officer": RoleName.VETTING_OFFICER,
    "agent": RoleName.HELPDESK_AGENT,
    "operator": RoleName.OPERATOR,
    "editor": RoleName.GUIDE_EDITOR,
    "auditor": RoleName.AUDITOR,
}
# Of an API key of the first organisation, and of one of the whole community.
SECRETS = {
    "organisation": "k7qd-3m9x-2222-3333-4444-5555-6666",
    "community": "k7qd-3m9x-2222-3333-4444-5555-7777",
}
SQL = Path(__file__).with_name("fill.sql")


def main(wanted: dict[str, Any]) -> None:
    began = time.perf_counter()
    call_command("migrate", interactive=False, verbosity=0)
    call_command("load_guides", verbosity=0)
    sizes = {name: wanted[name] for name in ("organisations", "people", "messages")}
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(Template(SQL.read_text()).substitute(sizes))
    _add_staff()
    _add_keys()
    filled = time.perf_counter()
    count = index.rebuild()
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    indexed = time.perf_counter()
    print(
        f"filled in {filled - began:.0f} s, {count} entries of the directory in"
        f" {indexed - filled:.0f} s",
        flush=True,
    )


def _add_staff() -> None:
    for name, role in STAFF.items():
        factories.make_staff(factories.make_person(f"{name}@secure.example"), role)


def _add_keys() -> None:
    first = Organisation.objects.get(pk=FIRST)
    for name, organisation in (("organisation", first), ("community", None)):
        scopes = [
            str(scope)
            for scope in Scope
            if organisation is None or not scope.is_community_wide
        ]
        digest = generated_secrets.digest(SECRETS[name])
        factories.make_api_key(organisation, digest, *scopes, client_id=f"scale-{name}")


if __name__ == "__main__":
    try:
        main(json.loads(sys.argv[1]))
    finally:
        remove_folder(ready.FOLDER)
