"""A private Dovecot, by LMTP and POP3: half of the baseline for benchmarks."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Self

from tests.peers.process import Daemon, answers, free_port, open_folder, remove_folder

COMMON = """\
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/dovecot.log
protocols = {protocols}
ssl = {ssl}
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
POP3S_2_3 = """\
ssl_cert = <{cert_file}
ssl_key = <{key_file}
service pop3-login {{
  inet_listener pop3 {{
    port = 0
  }}
  inet_listener pop3s {{
    address = 127.0.0.1
    port = {port}
    ssl = yes
  }}
}}
"""
POP3S_2_4 = """\
ssl_server_cert_file = {cert_file}
ssl_server_key_file = {key_file}
service pop3-login {{
  inet_listener pop3 {{
    port = 0
  }}
  inet_listener pop3s {{
    listen = 127.0.0.1
    port = {port}
    ssl = yes
  }}
}}
"""
NOBODY = 65534
# From 2.4.5 on, new messages in a maildir are in "cur", as each has a keyword that says
# it has no attachment.
KEPT_IN = {"maildir": ["new", "cur"], "sdbox": ["mailboxes/INBOX/dbox-Mails"]}


class Dovecot:
    """One Dovecot with its own configuration, which accepts LMTP for any address.

    With a certificate it also serves POP3 over TLS on `pop3s_port`, to any password.
    """

    def __init__(
        self, storage: str = "maildir", certificate: tuple[Path, Path] | None = None
    ) -> None:
        self.port = free_port()
        self.pop3s_port = free_port() if certificate else 0
        self.folder = open_folder()
        self._storage = storage
        self._certificate = certificate

    def __enter__(self) -> Self:
        home = self.folder / "home"
        home.mkdir()
        home.chmod(0o777)
        config = self.folder / "dovecot.conf"
        config.write_text(self._config())
        command = ["dovecot", "-F", "-c", str(config)]
        self._daemon = Daemon(command, self.folder / "master.log")
        self._daemon.wait_for(lambda: answers(self.port))
        return self

    def __exit__(self, *_: object) -> None:
        self._daemon.stop()
        remove_folder(self.folder)

    @property
    def pid(self) -> int:
        """The process that starts all others."""
        return self._daemon.pid

    def _config(self) -> str:
        is_2_3 = _version().startswith("2.3.")
        text = (CONFIG_2_3 if is_2_3 else CONFIG_2_4).format(
            folder=self.folder,
            port=self.port,
            uid=NOBODY,
            storage=self._storage,
            protocols="lmtp pop3" if self._certificate else "lmtp",
            ssl="yes" if self._certificate else "no",
        )
        if self._certificate is None:
            return text
        cert_file, key_file = self._certificate
        return text + (POP3S_2_3 if is_2_3 else POP3S_2_4).format(
            port=self.pop3s_port, cert_file=cert_file, key_file=key_file
        )

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


def _version() -> str:
    return subprocess.run(
        ["dovecot", "--version"], capture_output=True, text=True, check=True
    ).stdout
