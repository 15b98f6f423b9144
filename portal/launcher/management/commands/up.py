"""`manage.py up`: prepares and starts web, engine and worker, and keeps them running."""

from __future__ import annotations

import json
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from engine.registry.connections.cloud_providers import PROVIDERS
from engine.secrets import state_folder
from portal.demo import demo_file, dkim_keys, load
from portal.demo.demo_file import Facts
from portal.demo.dns_server import NameServer
from portal.guides.bundled import loader
from portal.launcher import preparation
from portal.launcher.supervisor import Supervisor

# The SPF record of the simulated providers; the network is an arbitrary public one.
SPF = "v=spf1 ip4:40.92.0.0/15 -all"


class Command(BaseCommand):
    """Starts the whole service; in development with the demo community."""

    help = (
        "Start web, engine and worker, and restart any of them that dies. Ctrl-C stops "
        "them."
    )
    # The checks load every page of the site, which takes longer than everything else.
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Prepares and supervises until stopped. Raises CommandError on a failed start."""
        facts = self._prepare()
        supervisor = Supervisor(
            _commands(), is_ready=_is_ready, on_ready=lambda: self._announce(facts)
        )
        with name_server():
            ended = supervisor.run()
        if ended:
            raise CommandError(
                f"{ended} could not start, so everything was stopped. Its own message is "
                "above."
            )
        self.stdout.write("Stopped.")

    def _prepare(self) -> Facts | None:
        state_folder.subfolder()
        if settings.POSTERN.env == "development":
            load.load_certificates()
        if preparation.migrate():
            self.stdout.write("The database is up to date.")
        if preparation.collect_static_files():
            self.stdout.write("Styles, scripts and images are collected.")
        is_demo = settings.POSTERN.env == "development"
        facts = load.load_community() if is_demo else None
        if written := loader.load():
            self.stdout.write(f"{len(written)} guides were added or updated.")
        return facts

    def _announce(self, facts: Facts | None) -> None:
        self.stdout.write(f"\nPostern is open at {settings.POSTERN.site_url}")
        if facts is not None:
            self.stdout.write("\n".join(_in_short(facts)))
        self.stdout.write("Ctrl-C stops it.\n")
        self.stdout.flush()


@contextmanager
def name_server() -> Iterator[None]:
    """Runs the demo's DNS server in development, unless the environment names another."""
    if settings.POSTERN.env != "development" or settings.POSTERN.dns_servers:
        yield
        return
    with NameServer() as names:
        dkim_keys.publish(names)
        for provider in PROVIDERS.values():
            names.add_text(provider.spf_name, SPF)
        os.environ["POSTERN_DNS_SERVERS"] = json.dumps([names.server])
        yield


def _commands() -> dict[str, list[str]]:
    def command(name: str) -> list[str]:
        # Each exits with this process, so the ports are free even after a SIGKILL.
        return [sys.executable, sys.argv[0], name, "--child-of", str(os.getpid())]

    return {
        "web": command("run_web"),
        "engine": command("run_engine"),
        "worker": command("run_worker"),
    }


def _is_ready() -> bool:
    posting = settings.POSTERN
    ports = [(posting.host, posting.web_port), (posting.smtp_host, posting.pop3s_port)]
    return all(_answers(host, port) for host, port in ports)


def _answers(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), 0.5):
            return True
    except OSError:
        return False


def _in_short(facts: Facts) -> list[str]:
    smtp, pop3 = facts["smtp"], facts["pop3"]
    return [
        f"  staff            {facts['admin']}",
        f"  receive          {smtp['host']}:{smtp['receive']}",
        f"  submission       {smtp['host']}:{smtp['submission']} and {smtp['submissions']}",
        f"  POP3             {pop3['host']}:{pop3['pop3']} and {pop3['pop3s']}",
        f"  authority        {facts['ca_file']}",
        f"  all secrets      {demo_file.shown(demo_file.path())}",
        "",
        *(
            f"  {person['address']:40} {person['password']}  {person['role']}"
            for person in facts["people"]
        ),
        "",
    ]
