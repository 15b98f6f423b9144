"""A private Dovecot that accepts mail by LMTP: half of the baseline for benchmarks."""

from __future__ import annotations

import os
import subprocess
from typing import Self

from tests.peers.process import Daemon, answers, free_port, open_folder, remove_folder

COMMON = """\
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/dovecot.log
protocols = lmtp
ssl = no
mail_uid = {uid}
mail_gid = {uid}
first_valid_uid = 1
first_valid_gid = 1
lmtp_save_to_detail_mailbox = no
"""
# Two configurations: 2.4 renamed the settings for mail storage and user lookup.
CONFIG_2_3 = (
    COMMON
    + """\
mail_location = {storage}:~/mail
mail_home = {folder}/home/%n
passdb {{
  driver = static
  args = nopassword=y
}}
userdb {{
  driver = static
  args = uid={uid} gid={uid} home={folder}/home/%n allow_all_users=yes
}}
service lmtp {{
  inet_listener lmtp {{
    address = 127.0.0.1
    port = {port}
  }}
}}
"""
)
# The version settings come first. They select the defaults of 2.4.0, which every later
# version supports.
CONFIG_2_4 = (
    """\
dovecot_config_version = 2.4.0
dovecot_storage_version = 2.4.0
"""
    + COMMON
    + """\
mail_driver = {storage}
mail_path = ~/mail
mail_home = {folder}/home/%{{user | username}}
passdb static {{
  fields {{
    nopassword = yes
  }}
}}
userdb static {{
  userdb_static_allow_all_users = yes
  fields {{
    uid = {uid}
    gid = {uid}
    home = {folder}/home/%{{user | username}}
  }}
}}
service lmtp {{
  inet_listener lmtp {{
    listen = 127.0.0.1
    port = {port}
  }}
}}
"""
)
NOBODY = 65534
# From 2.4.5 on, new messages in a maildir are in "cur", as each has a keyword that says
# it has no attachment.
KEPT_IN = {"maildir": ["new", "cur"], "sdbox": ["mailboxes/INBOX/dbox-Mails"]}


class Dovecot:
    """One Dovecot with its own configuration, which accepts LMTP for any address."""

    def __init__(self, storage: str = "maildir") -> None:
        self.port = free_port()
        self.folder = open_folder()
        self._storage = storage

    def __enter__(self) -> Self:
        home = self.folder / "home"
        home.mkdir()
        home.chmod(0o777)
        config = self.folder / "dovecot.conf"
        config.write_text(
            _language().format(
                folder=self.folder,
                port=self.port,
                uid=NOBODY,
                storage=self._storage,
            )
        )
        command = ["dovecot", "-F", "-c", str(config)]
        self._daemon = Daemon(command, self.folder / "master.log")
        self._daemon.wait_for(lambda: answers(self.port))
        return self

    def __exit__(self, *_: object) -> None:
        self._daemon.stop()
        remove_folder(self.folder)

    def count(self) -> int:
        """Returns the number of messages in all mailboxes."""
        homes = (self.folder / "home").iterdir()
        kept_in = KEPT_IN[self._storage]
        places = [home / "mail" / name for home in homes for name in kept_in]
        return sum(
            item.name.startswith("u.") or self._storage == "maildir"
            for place in places
            if place.exists()
            for item in os.scandir(place)
        )

    def log(self) -> str:
        return (self.folder / "dovecot.log").read_text(errors="replace")


def _language() -> str:
    said = subprocess.run(
        ["dovecot", "--version"], capture_output=True, text=True, check=True
    )
    return CONFIG_2_3 if said.stdout.startswith("2.3.") else CONFIG_2_4
