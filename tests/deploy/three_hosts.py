"""Follows INSTALL.md on three hosts, and stops one after the other."""

from __future__ import annotations

import secrets

from tests.deploy import guide, trial
from tests.deploy.drill import Drill, fill_in
from tests.deploy.machine import Machine
from tests.deploy.surroundings import signatures
from tests.deploy.trial import fetch, send

# The addresses of INSTALL.md.
DATA, HOST1, HOST2 = 10, 11, 12


def three_hosts(drill: Drill) -> None:
    """Follows the section, sends mail through the balancer, and stops either host."""
    packages, services, on_hosts, start, balance = guide.blocks("Three hosts")
    data = drill.host("data", DATA)
    data.run(packages)
    data.run("systemctl start postgresql redis-server")  # as their packages would
    data.run(services)
    key = secrets.token_urlsafe(48)
    hosts = []
    for number in (HOST1, HOST2):
        host = drill.host(f"host{number - DATA}", number, data.address)
        install(host, on_hosts, key)
        host.run(start)
        if not hosts:
            host.run(guide.blocks("One host")[-1])
        hosts.append(host)
    configuration = guide.RELEASE / "deploy/haproxy.cfg"
    data.file("/etc/haproxy/haproxy.cfg").write_text(configuration.read_text())
    data.run(balance)
    for host in hosts:
        trial.await_service(host, host.address)
    passwords = trial.add_members(hosts[0])
    trial.send_all_kinds(data, passwords)
    stop_each(data, hosts, passwords)
    hosts[1].run("postern backup")
    for host in hosts:
        host.run("postern check")


def install(host: Machine, packages: str, key: str) -> None:
    """Follows what a host needs in the place of step 1, and steps 2 to 4."""
    [settings] = guide.blocks("Three hosts", "ini")
    settings = settings.replace("10.0.0.11", host.address)
    values = dict(line.split("=", 1) for line in settings.splitlines())
    host.run(packages)
    for block in guide.blocks("One host")[1:4]:
        host.run(block)
        if "postern.env.example" in block:
            fill_in(host, values | {"POSTERN_SECRET_KEY": key})
    signatures(host)


def stop_each(data: Machine, hosts: list[Machine], passwords: dict[str, str]) -> None:
    """Stops one host after the other; what it took is read from the other."""
    for host in hosts:
        send(data, passwords, f"Before {host.name}", "--attach @/root/bundle.bin")
        host.run("systemctl stop postern.target")
        send(data, passwords, f"Without {host.name}", "--attach @/root/bundle.bin")
        fetch(data, passwords, [f"Before {host.name}", f"Without {host.name}"])
        host.run("systemctl start postern.target")
        trial.await_service(host, host.address)
