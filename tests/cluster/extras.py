"""What runs beside the mail: a webhook, and imports of people through either host."""

from __future__ import annotations

import http.client
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
ADD_PICTURE = """
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
print(default_storage.save("images/drill.png", ContentFile(b"a picture")))
"""
# Clients connect to the balancer over loopback, and no host may see another address.
VISITORS = "SELECT DISTINCT peer FROM web_sessions_signin"
CLIENT = "127.0.0.1"
PATIENCE = 300.0


class Extras:
    """Imports of people, guides' pictures and the endpoint of a webhook."""

    def __init__(self, world: Cluster) -> None:
        self._world = world
        self._hook = Hook()
        self._ends = ExitStack()
        self._imported = (0, 0)
        self._visitors: set[str] = set()
        self._pictures: list[str] = []
        self._served = 0
        self._imports = 0

    def __enter__(self) -> Self:
        authority = Authority(self._world.disk / "tls")
        own = authority.issue(EDGE, kept_as="hook")
        url = self._ends.enter_context(webhook(self._hook, own))
        self._world.run_on(self._world.hosts[0], ADD_HOOK.format(url=url))
        for host in self._world.hosts:
            # The store chooses the name.
            picture = self._world.run_on(host, ADD_PICTURE).splitlines()[-1]
            self._pictures.append(picture)
        return self

    def __exit__(self, *_: object) -> None:
        self._ends.close()

    def start_import(self) -> None:
        """Starts an import of people on the hosts in rotation; any worker may run it."""
        host = self._world.hosts[self._imports % len(self._world.hosts)]
        self._imports += 1
        name = f"{self._imports}"
        code = IMPORT.format(raw=people_file(name), name=name)
        self._world.run_on(host, code)

    @property
    def _wanted(self) -> int:
        return PEOPLE * self._imports

    @property
    def is_good(self) -> bool:
        return (
            self._imported == (self._wanted, self._wanted)
            and bool(self._hook.calls)
            and self._visitors == {CLIENT}
            and self._served == len(self._pictures) * len(self._world.hosts)
        )

    def summary(self) -> list[str]:
        """Waits for the imports, and returns what came of them and of the webhook."""
        try:
            wait_until(self._is_imported, "imports of people", PATIENCE)
        except PeerError as error:
            print(error, flush=True)
        with psycopg.connect(self._world.database) as connection:
            self._visitors = {one for (one,) in connection.execute(VISITORS)}
        pairs = zip(self._world.hosts, self._world.machines, strict=False)
        self._served = sum(
            has_picture(machine.address, host.ports["web"], picture)
            for host, machine in pairs
            for picture in self._pictures
        )
        wanted = len(self._pictures) * len(self._world.hosts)
        events, repeated = len(self._hook.calls), self._hook.calls.total()
        return [
            f"{self._imports} imports: {self._imported[0]} of {self._wanted} people",
            f"pictures for guides, one stored by each host: fetched {self._served} of {wanted}",
            f"{events} webhook events in {repeated} calls",
            f"addresses of visitors who signed in: {', '.join(self._visitors)}",
        ]

    def _is_imported(self) -> bool:
        with psycopg.connect(self._world.database) as connection:
            row = connection.execute(IMPORTED).fetchone()
        self._imported = row or (0, 0)
        return self._imported[0] >= self._wanted


def people_file(name: str) -> str:
    """Returns a file of people, escaped for a bytes literal."""
    rows = [
        f"Person {number},import-{name}-{number}@northgate.secure.example"
        for number in range(PEOPLE)
    ]
    return "\\n".join(["name,address", *rows])


def has_picture(address: str, port: int, name: str) -> bool:
    """Returns whether a host itself serves a guide's picture."""
    connection = http.client.HTTPConnection(address, port, timeout=30)
    headers = {"Host": "localhost", "X-Forwarded-Proto": "https"}
    try:
        connection.request("GET", f"/guides/pictures/{name}", headers=headers)
        return connection.getresponse().status == 200
    finally:
        connection.close()
