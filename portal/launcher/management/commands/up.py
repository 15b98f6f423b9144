"""`manage.py up`: prepares and starts web, engine and worker, and keeps them running."""

from __future__ import annotations

import json
import os
import socket
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import get_commands, load_command_class
from django.core.management.base import BaseCommand, CommandError
from django.urls import get_resolver
from setproctitle import setproctitle

from engine.processes import resource_limits
from engine.processes.supervision import (
    ForkedProcess,
    Process,
    describe_status,
    end_with_parent,
)
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
        """Prepares and supervises until stopped. Raises CommandError on a failed start.

        Everything is imported here, once, and every program is a fork of this process,
        which itself has no threads and no connections.
        """
        preparing = ForkedProcess(partial(self._prepare, os.getpid()))
        if status := preparing.wait():
            raise CommandError(
                f"The preparation {describe_status(status)}. Its own message is above.",
            )
        # Only now, because imports may read what was prepared.
        preparation.use_collected_files()
        programs = _programs()
        resource_limits.keep_what_is_imported()
        names = name_server()
        supervisor = Supervisor(
            programs,
            needed={"names": _forked(partial(_serve_names, names))} if names else {},
            is_ready=_is_ready,
            on_ready=self._announce,
        )
        if ended := supervisor.run():
            raise CommandError(
                f"{ended} could not start, so everything was stopped. Its own message is "
                "above."
            )
        self.stdout.write("Stopped.")

    def _prepare(self, parent: int) -> None:
        end_with_parent(parent)
        _as_program(self._make_ready)

    def _make_ready(self) -> None:
        state_folder.subfolder()
        if settings.POSTERN.env == "development":
            load.load_certificates()
        if preparation.migrate():
            self.stdout.write("The database is up to date.")
        if preparation.collect_static_files():
            self.stdout.write("Styles, scripts and images are collected.")
        if settings.POSTERN.env == "development":
            load.load_community()
        if written := loader.load():
            self.stdout.write(f"{len(written)} guides were added or updated.")

    def _announce(self) -> None:
        self.stdout.write(f"\nPostern is open at {settings.POSTERN.site_url}")
        if settings.POSTERN.env == "development":
            facts = json.loads(demo_file.path().read_text())
            self.stdout.write("\n".join(_in_short(facts)))
        self.stdout.write("Ctrl-C stops it.\n")
        self.stdout.flush()


def name_server() -> NameServer | None:
    """Returns the demo's DNS server in development, unless the environment names another.

    Its port is open, and every program that starts from now on asks it.
    """
    if settings.POSTERN.env != "development" or settings.POSTERN.dns_servers:
        return None
    names = NameServer()
    dkim_keys.publish(names)
    for provider in PROVIDERS.values():
        names.add_text(provider.spf_name, SPF)
    os.environ["POSTERN_DNS_SERVERS"] = json.dumps([names.server])
    settings.POSTERN = settings.POSTERN.model_copy(
        update={"dns_servers": [names.server]}
    )
    return names


def _programs() -> dict[str, Callable[[], Process]]:
    """Imports what each program needs, and returns what starts it."""
    # The pages, as run_web does.
    _ = get_resolver().url_patterns
    return {
        name: _forked(partial(_run_command, _command(f"run_{name}"), f"run_{name}"))
        for name in ("web", "engine", "worker")
    }


def _command(name: str) -> BaseCommand:
    application = get_commands()[name]
    command: BaseCommand = load_command_class(application, name)
    return command


def _forked(work: Callable[[int], object]) -> Callable[[], Process]:
    """Returns what starts a fork that runs `work`, whose argument is our process id."""
    return partial(ForkedProcess, partial(work, os.getpid()), leads_session=True)


def _run_command(command: BaseCommand, name: str, parent: int) -> None:
    # It exits with this process, so the ports are free even after a SIGKILL.
    arguments = [sys.argv[0], name, "--child-of", str(parent)]
    setproctitle(" ".join([sys.executable, *arguments]))
    _as_program(partial(command.run_from_argv, arguments))


def _serve_names(names: NameServer, parent: int) -> None:
    end_with_parent(parent)
    setproctitle(f"{sys.executable} {sys.argv[0]} names")
    names.serve()


def _as_program(work: Callable[[], object]) -> None:
    """Exits with the message of a wrong setting, as manage.py does."""
    try:
        work()
    except ImproperlyConfigured as error:
        sys.exit(str(error))
    except CommandError as error:
        sys.exit(f"CommandError: {error}")


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
