"""`python -m tests.deploy.install FOLDER`: follows INSTALL.md in fresh Debian 13 roots.

Makes roots in FOLDER with debootstrap and runs every command of INSTALL.md in them, word
for word: one host, with its bodies in S3; mail by swaks and mpop; a backup into S3, restored
into another root; upgrade and roll-back; then three hosts. In 30 minutes on two cores. Needs
root, debootstrap, iproute2 and 15 GB.

What the drill does beside it: each root has a network namespace of its own; systemd does not
run in it, so that `systemctl_shim` starts what the units say, and services that a package
starts are started by the drill; `rclone serve s3` is the object store; the signatures of
viruses are one for the EICAR test file; names are those of a name server on each loopback.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from pathlib import Path

from portal.demo.certificates import Authority
from tests.cluster.network import Network
from tests.deploy import guide, trial
from tests.deploy.drill import Drill, follow
from tests.deploy.machine import Machine, like_a_host, make_base
from tests.deploy.surroundings import Surroundings, bucket
from tests.deploy.three_hosts import three_hosts
from tests.deploy.trial import INVITATION, RETRY, fetch, send
from tests.peers.process import wait_until

SERVICES = ("postgresql", "redis-server", "nginx", "clamav-daemon", "postern.target")


def back_up_and_restore(drill: Drill, host: Machine, passwords: dict[str, str]) -> None:
    """Backs up, and restores into an empty host.

    An invitation that waits in the backup leaves afterwards: the restored host holds it.
    """
    back_up, restore = guide.blocks("Back up, restore")
    send(host, passwords, "Before the backup")
    send(host, passwords, "Large", "--attach @/root/bundle.bin")
    host.run(back_up)
    smart_host = drill.given.smart_host
    smart_host.start()
    trial.shell(host, RETRY)
    wait_until(lambda: INVITATION in smart_host.subjects, "the invitation")
    smart_host.stop()
    host.run(f"systemctl stop {' '.join(reversed(SERVICES))}")
    empty_host(drill, host, restore, passwords)
    assert smart_host.subjects.count(INVITATION) == 1, smart_host.subjects
    host.run(f"systemctl start {' '.join(SERVICES)}")
    trial.await_service(host)
    fetch(host, passwords, ["Before the backup", "Large"])


def empty_host(
    drill: Drill, lost: Machine, restore: str, passwords: dict[str, str]
) -> None:
    """Installs an empty host with the settings of the one that was lost, and restores."""
    other = drill.host("restored", 6)
    steps = guide.blocks("One host")
    check = next(n for n, block in enumerate(steps) if "postern check" in block)
    follow(other, steps[:check], {})
    source, target = (one.file("/etc/postern/postern.env") for one in (lost, other))
    target.write_text(
        source.read_text().replace(bucket("one-host"), bucket("restored"))
    )
    shown = other.run(restore)
    assert "recipients of outgoing mail are held" in shown
    drill.given.smart_host.start()
    follow(other, steps[check : check + 1], {})
    trial.await_service(other)
    fetch(other, passwords, ["Before the backup", "Large"])
    send(other, passwords, "After the restore")
    fetch(other, passwords, ["After the restore"])
    other.run("postern settle-restored --drop")
    time.sleep(5)
    drill.given.smart_host.stop()
    other.run(f"systemctl stop {' '.join(reversed(SERVICES))}")


def upgrade(host: Machine) -> None:
    """Upgrades to the same release under another number, and rolls back."""
    [unpack] = [block for block in guide.blocks("One host") if "tar -xzf" in block]
    newer, *_ = unpack.replace("0.6", "0.7").partition("ln -sfn")
    archive = host.file("/root/postern-0.6.tar.gz")
    shutil.copy(archive, archive.with_name("postern-0.7.tar.gz"))
    host.run(newer)
    for switch in guide.blocks("Upgrade, roll back"):
        host.run(switch)
        trial.await_service(host)


def one_host(drill: Drill) -> None:
    """Follows the sections on one host, and tries the service after each."""
    host = drill.host("host", 5)
    values = {"POSTERN_BLOB_URL": bucket("one-host")}
    follow(host, guide.blocks("One host"), values)
    trial.await_service(host)
    passwords = trial.add_members(host)
    trial.send_all_kinds(host, passwords)
    back_up_and_restore(drill, host, passwords)
    upgrade(host)
    trial.send_all_kinds(host, passwords)
    host.run("postern check")


def main() -> int:
    """Makes the roots, follows INSTALL.md and tries the service."""
    folder = Path(sys.argv[1]).resolve()
    if sys.argv[2:] != ["inside"]:
        folder.mkdir(parents=True, exist_ok=True)
        make_base(folder / "base", Authority(folder / "authority").ca_file)
        own = [sys.executable, "-m", "tests.deploy.install", str(folder), "inside"]
        return subprocess.run(["unshare", "--net", *own], check=False).returncode
    began = time.monotonic()
    with Network(), Surroundings(folder) as given:
        with Machine("base", 99, folder) as base:
            base.run(like_a_host())
        for part in (one_host, three_hosts):
            drill = Drill(folder, given)
            try:
                part(drill)
            finally:
                drill.close()
            drill.remove()
            print(f"# {part.__name__}: {time.monotonic() - began:.0f} s", flush=True)
    print(f"INSTALL.md was followed in {time.monotonic() - began:.0f} s.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
