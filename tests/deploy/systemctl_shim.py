#!/usr/bin/env python3
"""Stands for systemctl in a folder that is a root of its own, where systemd does not run.

Starts what a unit's ExecStart= says, as its User=, with its EnvironmentFile=, capabilities,
umask and limit of open files; sandboxing is systemd's alone. Units of Debian's packages
start as their init scripts start them.
"""

from __future__ import annotations

import os
import pwd
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

UNITS = Path("/etc/systemd/system")
RUN = Path("/run/units")


def ending(pid_file: str) -> str:
    """Returns the shell's lines that end a daemon and wait until it has, as systemd does."""
    return (
        f"pid=$(cat {pid_file} 2>/dev/null) && kill $pid 2>/dev/null\n"
        "for i in $(seq 100); do kill -0 $pid 2>/dev/null || break; sleep 0.1; done"
    )


DEBIAN = {
    "postgresql": {
        "start": "pg_ctlcluster $(pg_lsclusters -h | cut -d' ' -f1,2) start",
        "stop": "pg_ctlcluster $(pg_lsclusters -h | cut -d' ' -f1,2) stop -m fast",
        "reload": "pg_ctlcluster $(pg_lsclusters -h | cut -d' ' -f1,2) reload",
    },
    "redis-server": {
        "start": "install -d -o redis -g redis /run/redis && runuser -u redis -- "
        "redis-server /etc/redis/redis.conf --daemonize yes",
        "stop": ending("/run/redis/redis-server.pid"),
    },
    "clamav-daemon": {
        # In the foreground, as its unit has it: with few signatures clamd (1.4.6) can
        # signal its parent before that waits, which then waits indefinitely.
        "start": "install -d -o clamav -g clamav /run/clamav\n"
        "setsid clamd --foreground=true --pid /run/clamav/pid >/dev/null 2>&1 &\n"
        "for i in $(seq 300); do test -S /run/clamav/clamd.ctl && break; sleep 0.1; done",
        "stop": f"{ending('/run/clamav/pid')}\nrm -f /run/clamav/clamd.ctl",
    },
    "haproxy": {
        # With fewer connections: a container may allow fewer open files than a unit.
        "start": "haproxy -D -n 5000 -f /etc/haproxy/haproxy.cfg -p /run/haproxy.pid",
        "stop": ending("/run/haproxy.pid"),
    },
    "nginx": {"start": "nginx", "stop": "nginx -s quit", "reload": "nginx -s reload"},
}


def main(arguments: list[str]) -> None:
    verb, *rest = arguments
    units = [one for one in rest if not one.startswith("-")]
    if verb == "daemon-reload" or (verb == "enable" and "--now" not in rest):
        return
    for unit in units:
        for act in {"enable": ["start"], "restart": ["stop", "start"]}.get(
            verb, [verb]
        ):
            apply(act, unit.removesuffix(".service"))


def apply(act: str, unit: str) -> None:
    if unit.endswith(".timer"):
        return  # nothing here waits for the night
    if unit.endswith(".target"):
        for wanted in settings(UNITS / unit)["Wants"][0].split():
            apply(act, wanted.removesuffix(".service"))
    elif unit in DEBIAN:
        subprocess.run(DEBIAN[unit][act], shell=True, check=act != "stop")
    elif act == "start":
        start(unit)
    elif act == "stop":
        stop(unit)


def start(unit: str) -> None:
    found = settings(UNITS / f"{unit}.service")
    user = found["User"][0]
    capabilities = (
        found.get("AmbientCapabilities", [""])[0].removeprefix("CAP_").lower()
    )
    command = [
        "setpriv", "--reuid", user, "--regid", found["Group"][0], "--init-groups",
        "--no-new-privs", "--bounding-set", f"-all,+{capabilities}" if capabilities else "-all",
        *(["--inh-caps", f"+{capabilities}", "--ambient-caps", f"+{capabilities}"]
          if capabilities else []),
        *found["ExecStart"][0].split(),
    ]  # fmt: skip
    home = pwd.getpwnam(user).pw_dir
    environment = {"PATH": os.environ["PATH"], "USER": user, "HOME": home}
    for line in Path(found["EnvironmentFile"][0]).read_text().splitlines():
        name, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            environment[name] = value
    _, allowed = resource.getrlimit(resource.RLIMIT_NOFILE)
    limit = min(int(found["LimitNOFILE"][0]), allowed)  # a container may allow less
    mask = found["UMask"][0]
    with Path(f"/var/log/{unit}.log").open("ab") as log:
        made = subprocess.Popen(
            ["prlimit", f"--nofile={limit}", *command],
            env=environment,
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            umask=int(mask, 8),
            start_new_session=True,
        )
    RUN.mkdir(exist_ok=True)
    (RUN / unit).write_text(str(made.pid))


def stop(unit: str) -> None:
    file = RUN / unit
    if not file.exists():
        return
    pid = int(file.read_text())
    file.unlink()
    os.kill(pid, signal.SIGTERM)
    for _ in range(450):
        if not is_running(pid):
            return
        time.sleep(0.1)
    os.killpg(pid, signal.SIGKILL)


def is_running(pid: int) -> bool:
    """Returns False for a zombie, which only waits for its parent."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return not state.startswith("Z")


def settings(file: Path) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in file.read_text().splitlines():
        name, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            found.setdefault(name, []).append(value)
    return found


if __name__ == "__main__":
    main(sys.argv[1:])
