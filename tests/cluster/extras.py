"""What runs beside the mail: a webhook, and imports of people through either host."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Self

import psycopg

from portal.demo.certificates import Authority
from tests.cluster.network import EDGE
from tests.cluster.traffic import Hook, webhook
from tests.cluster.world import Cluster
from tests.peers.process import PeerError, wait_until

ADD_HOOK = """
from engine.registry.actions import webhooks
from engine.registry.models import Organisation, WebhookEvent
court = Organisation.objects.get(name="Northgate Crown Court")
events = [WebhookEvent.MESSAGE_DELIVERED]
webhooks.add(court, url="{url}", events=events, by=None)
"""
PEOPLE = 40
IMPORT = """
from engine.registry.models import Person
from portal.organisation.people_file import actions
admin = Person.objects.get(address="alice@northgate.secure.example")
raw = b"{raw}"
file = actions.check(admin.organisation, raw, name="{name}", sends_links=False, by=admin)
actions.start(file, by=admin)
"""
IMPORTED = """
    SELECT count(*), count(DISTINCT address) FROM registry_person
    WHERE address LIKE 'import-%'
"""
# Clients connect to the balancer over loopback, and no host may see another address.
VISITORS = "SELECT DISTINCT peer FROM web_sessions_signin"
CLIENT = "127.0.0.1"
PATIENCE = 300.0


class Extras:
    """Starts an import on each host, and the endpoint of a webhook."""

    def __init__(self, world: Cluster) -> None:
        self._world = world
        self._hook = Hook()
        self._ends = ExitStack()
        self._imported = (0, 0)
        self._visitors: set[str] = set()

    def __enter__(self) -> Self:
        authority = Authority(self._world.disk / "tls")
        own = authority.issue(EDGE, kept_as="hook")
        url = self._ends.enter_context(webhook(self._hook, own))
        self._world.run_on(self._world.hosts[0], ADD_HOOK.format(url=url))
        for host in self._world.hosts:
            code = IMPORT.format(raw=people_file(host.name), name=host.name)
            self._world.run_on(host, code)
        return self

    def __exit__(self, *_: object) -> None:
        self._ends.close()

    @property
    def is_good(self) -> bool:
        wanted = PEOPLE * len(self._world.hosts)
        has_imported = self._imported == (wanted, wanted)
        return has_imported and bool(self._hook.calls) and self._visitors == {CLIENT}

    def summary(self) -> list[str]:
        """Waits for the imports, and returns what came of them and of the webhook."""
        try:
            wait_until(self._is_imported, "imports of people", PATIENCE)
        except PeerError as error:
            print(error, flush=True)
        with psycopg.connect(self._world.database) as connection:
            self._visitors = {one for (one,) in connection.execute(VISITORS)}
        events, repeated = len(self._hook.calls), self._hook.calls.total()
        wanted = PEOPLE * len(self._world.hosts)
        return [
            f"imported {self._imported[0]} of {wanted} people",
            f"{events} webhook events in {repeated} calls",
            f"addresses of visitors who signed in: {', '.join(self._visitors)}",
        ]

    def _is_imported(self) -> bool:
        with psycopg.connect(self._world.database) as connection:
            row = connection.execute(IMPORTED).fetchone()
        self._imported = row or (0, 0)
        return self._imported[0] >= PEOPLE * len(self._world.hosts)


def people_file(name: str) -> str:
    """Returns a file of people, escaped for a bytes literal."""
    rows = [
        f"Person {number},import-{name}-{number}@northgate.secure.example"
        for number in range(PEOPLE)
    ]
    return "\\n".join(["name,address", *rows])
