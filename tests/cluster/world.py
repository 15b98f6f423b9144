"""Two hosts behind HAProxy; PostgreSQL, its replica, Redis and S3 on others."""

from __future__ import annotations

import json
import os
import shutil
import ssl
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from portal.demo.certificates import Authority
from tests import migrated
from tests.cluster.network import EDGE, NETWORK, Namespace, Network
from tests.peers.clamd import Clamd
from tests.peers.haproxy import Backend, HAProxy
from tests.peers.postgres import USER, Postgres
from tests.peers.process import free_port, open_folder, remove_folder
from tests.peers.rclone import Rclone
from tests.peers.redis import Redis
from tests.soak.world import FIRM, SUFFIX, Entry, Host, World

# Two hosts, Redis with what else they share, and two for PostgreSQL.
NAMES = ("first", "second", "shared", "database", "replica")
API_READER = "grace@harbour"
# The firm's Postfix is not on the loopback of the hosts, as the demo's would be.
NEXT_HOP = """
from engine.registry.actions import connections
from engine.registry.models import Connection
for one in Connection.objects.filter(organisation__domains__member_domain="{firm}"):
    connections.edit(one, next_hop_host="{edge}", by=None)
"""


@dataclass(frozen=True)
class Balancer:
    """Where all clients connect."""

    ports: dict[str, int]
    ca_file: Path


@dataclass(frozen=True)
class Server:
    """One PostgreSQL and the machine that it runs on."""

    postgres: Postgres
    machine: Namespace


def new_server(machine: Namespace) -> Server:
    postgres = Postgres(
        copy_of=migrated.prepared(migrated.CLUSTER),
        host=machine.address,
        inside=machine.inside,
        networks=[NETWORK],
    )
    return Server(postgres, machine)


@dataclass
class Cluster(World):
    """All parts, running. `database` names both servers of PostgreSQL."""

    machines: list[Namespace] = field(default_factory=list)
    # Seconds from the loss of the last primary until its replica accepted writes.
    promotion: float = 0.0

    def _build(self) -> None:
        self.folder = open_folder()
        self._ends.callback(remove_folder, self.folder)
        self._ends.enter_context(Network())
        self.machines = [
            self._ends.enter_context(Namespace(name, number))
            for number, name in enumerate(NAMES, start=2)
        ]
        self._start_services(*self.machines[2:])
        self._start_hosts()

    def _start_services(self, shared: Namespace, *databases: Namespace) -> None:
        self.primary, self.replica = map(new_server, databases)
        self._ends.enter_context(self.primary.postgres)
        redis = Redis(host=shared.address, inside=shared.inside)
        self.redis = self._ends.enter_context(redis)
        rclone = Rclone(host=shared.address, inside=shared.inside)
        self.rclone = self._ends.enter_context(rclone)
        self.clamd = Clamd(self.folder / "clamd")
        self.clamd.start()
        self._ends.callback(self.clamd.stop)
        servers = ",".join(
            f"{one.postgres.host}:{one.postgres.port}"
            for one in (self.primary, self.replica)
        )
        self._create_database()
        self.database = (
            f"postgresql://{USER}@{servers}/soak?target_session_attrs=read-write"
        )

    def _create_database(self) -> None:
        template = migrated.prepared(migrated.CLUSTER) and migrated.TEMPLATE
        self.primary.postgres.create("soak", template=template or "template1")

    def _start_hosts(self) -> None:
        hop_port = free_port()
        self.web_port = free_port()
        for machine in self.machines[:2]:
            environment = self._environment(machine, hop_port)
            host = Host(machine.name, self.folder, environment, machine.inside)
            self.hosts.append(host)
            self._ends.callback(host.stop)
        first, second = self.hosts
        first.start()
        self._share_secrets(first, second)
        self.run_on(first, NEXT_HOP.format(firm=FIRM, edge=EDGE))
        second.start()
        self.disk = first.state
        authority = Authority(first.state / "tls")
        self._start_balancer(authority)
        self._start_firm(authority, self.balancer, hop_port, "0.0.0.0")
        demo = json.loads((self.disk / "demo.json").read_text())
        self.api_key = demo["api"]["key"]
        people = {person["address"]: person for person in demo["people"]}
        self.readers["API"] = people[f"{API_READER}.{SUFFIX}"]

    def _environment(self, machine: Namespace, hop_port: int) -> dict[str, str]:
        return {
            "POSTERN_ENV": "development",
            "POSTERN_VAR": str(self.folder / machine.name),
            "POSTERN_HOST": "0.0.0.0",
            "POSTERN_SMTP_HOST": "0.0.0.0",
            "POSTERN_DATABASE_URL": self.database,
            "POSTERN_REDIS_URL": self.redis.url,
            "POSTERN_BLOB_URL": self.rclone.url(),
            "POSTERN_CLAMD": self.clamd.socket,
            "POSTERN_WEB_URL": f"https://localhost:{self.web_port}",
            "POSTERN_TRUSTED_PROXIES": json.dumps([EDGE]),
            "POSTERN_MAIL_BALANCERS": json.dumps([EDGE]),
            "POSTERN_NEXT_HOP_NETWORKS": json.dumps([NETWORK, "127.0.0.0/8"]),
            "POSTERN_DEMO_NEXT_HOP_PORT": str(hop_port),
            "DJANGO_SETTINGS_MODULE": "portal.settings",
            # Whose certificates webhooks trust.
            "SSL_CERT_FILE": str(self.folder / "first" / "tls" / "ca.pem"),
        }

    def _share_secrets(self, source: Host, target: Host) -> None:
        """Copies the certificates, and the demo's secrets, which would be made again."""
        target.state.mkdir(mode=0o700, exist_ok=True)
        shutil.copytree(source.state / "tls", target.state / "tls")
        shutil.copy(source.state / "demo.json", target.state)

    def run_on(self, host: Host, code: str) -> str:
        """Runs Python in the service's own environment on a host; returns its output."""
        done = subprocess.run(
            [*host.inside, sys.executable, "manage.py", "shell", "-v0", "-c", code],
            check=True,
            env=os.environ | host.environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        return done.stdout

    def _start_balancer(self, authority: Authority) -> None:
        backends = [
            Backend(machine.name, machine.address, host.ports)
            for machine, host in zip(self.machines[:2], self.hosts, strict=True)
        ]
        own = authority.issue("localhost", "127.0.0.1", kept_as="balancer")
        haproxy = self._ends.enter_context(
            HAProxy(backends, own, web_port=self.web_port)
        )
        self.balancer = Balancer(haproxy.ports, self.hosts[0].ca_file)
        self.web_context = ssl.create_default_context(cafile=self.balancer.ca_file)

    def next_entry(self) -> Entry:
        return self.balancer

    @property
    def pop3_entry(self) -> Entry:
        return self.balancer

    def start_replica(self, *, is_synchronous: bool) -> None:
        """Copies the primary; then commits wait for the copy, or do not."""
        primary, replica = self.primary.postgres, self.replica.postgres
        self.replica.machine.reconnect()
        replica.follow(primary)
        self._ends.callback(replica.stop)
        names = "*" if is_synchronous else ""
        primary.execute(f"ALTER SYSTEM SET synchronous_standby_names = '{names}'")
        primary.execute("SELECT pg_reload_conf()")

    def fail_over(self, behind: float) -> None:
        """Loses the primary with its host, and promotes the replica.

        The replica was cut off for so many seconds before, if any.
        """
        if behind:
            self.replica.machine.cut_off()
            time.sleep(behind)
        began = time.monotonic()
        self.primary.machine.cut_off()
        self.primary.postgres.kill()
        self.replica.machine.reconnect()
        self.replica.postgres.execute("SELECT pg_promote()")
        self.promotion = time.monotonic() - began
        self.primary, self.replica = self.replica, self.primary
