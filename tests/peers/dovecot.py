"""A private Dovecot that takes mail by LMTP: half of the baseline to measure."""

from __future__ import annotations

import os
from typing import Self

from tests.peers.process import Daemon, answers, free_port, open_folder, remove_folder

CONFIG = """\
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/dovecot.log
protocols = lmtp
ssl = no
mail_location = {location}
mail_home = {folder}/home/%n
mail_uid = {uid}
mail_gid = {uid}
first_valid_uid = 1
first_valid_gid = 1
lmtp_save_to_detail_mailbox = no
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
NOBODY = 65534
KEPT_IN = {"maildir": "new", "sdbox": "mailboxes/INBOX/dbox-Mails"}
LOCATIONS = {"maildir": "maildir:~/mail", "sdbox": "sdbox:~/mail"}


class Dovecot:
    """One Dovecot with its own configuration, that accepts LMTP for any address."""

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
            CONFIG.format(
                folder=self.folder,
                port=self.port,
                uid=NOBODY,
                location=LOCATIONS[self._storage],
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
        """How many messages are kept, in all mailboxes."""
        homes = (self.folder / "home").iterdir()
        places = [home / "mail" / KEPT_IN[self._storage] for home in homes]
        return sum(
            item.name.startswith("u.") or self._storage == "maildir"
            for place in places
            if place.exists()
            for item in os.scandir(place)
        )

    def log(self) -> str:
        return (self.folder / "dovecot.log").read_text(errors="replace")
