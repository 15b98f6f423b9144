"""Thunderbird on a virtual screen, set up by its account dialog as a member would."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from tests.peers.marionette import Marionette
from tests.peers.process import (
    Daemon,
    PeerError,
    answers,
    free_port,
    open_folder,
    remove_folder,
    wait_until,
)

PREFERENCES = """\
user_pref("marionette.port", {port});
user_pref("datareporting.policy.dataSubmissionEnabled", false);
user_pref("mail.shell.checkDefaultClient", false);
user_pref("mailnews.start_page.enabled", false);
user_pref("mail.rights.version", 1);
"""
COMMAND = [
    *("thunderbird", "--marionette", "--remote-allow-system-access"),
    *("--no-remote", "--profile"),
]
# Values of the lists in the account dialog.
POP3, TLS, NORMAL_PASSWORD = "2", "3", "3"
# What its certificate manager does to import an authority.
TRUST = """
const store = Cc['@mozilla.org/security/x509certdb;1'].getService(Ci.nsIX509CertDB);
store.addCertFromBase64(arguments[0], 'CT,,');
"""
FOLDERS = """
const {MailServices} = ChromeUtils.importESModule(
  'resource:///modules/MailServices.sys.mjs');
const found = {};
for (const account of MailServices.accounts.accounts)
  if (account.incomingServer.type == 'pop3')
    for (const folder of account.incomingServer.rootFolder.descendants)
      found[folder.name] = [...folder.messages].map(one => one.mime2DecodedSubject);
return found;
"""
# Set on the compose window once it is fully initialised.
IS_READY = "return window.composeEditorReady === true;"
RECIPIENTS = """
return [...document.querySelectorAll('mail-address-pill')].map(one => one.emailAddress);
"""


class Thunderbird:
    """A new profile without an account."""

    def __init__(self) -> None:
        self.folder = open_folder()
        self._screen: subprocess.Popen[bytes] | None = None
        self._daemon: Daemon | None = None
        self._port = free_port()
        self._marionette: Marionette | None = None

    def __enter__(self) -> Self:
        profile = self.folder / "profile"
        profile.mkdir()
        (profile / "user.js").write_text(PREFERENCES.format(port=self._port))
        display = self._open_screen()
        self._daemon = Daemon(
            [*COMMAND, str(profile)],
            self.folder / "thunderbird.log",
            env={"DISPLAY": display, "HOME": str(self.folder)},
        )
        self._daemon.wait_for(lambda: answers(self._port), 60)
        self._marionette = Marionette(self._port)
        return self

    @property
    def screen(self) -> Marionette:
        if self._marionette is None:
            raise PeerError("Thunderbird has not been started")
        return self._marionette

    def _open_screen(self) -> str:
        """Starts a virtual screen, which picks a free display number itself."""
        reader, writer = os.pipe()
        self._screen = subprocess.Popen(
            ["Xvfb", "-displayfd", str(writer), "-screen", "0", "1280x1024x24"],
            pass_fds=[writer],
            stderr=subprocess.DEVNULL,
        )
        os.close(writer)
        with os.fdopen(reader) as said:
            number = said.readline().strip()
        if not number:
            raise PeerError("no screen was opened")
        return f":{number}"

    def __exit__(self, *error: object) -> None:
        if self._marionette is not None:
            self._marionette.close()
        if self._daemon is not None:
            self._daemon.stop()
        if self._screen is not None:
            self._screen.terminate()
            self._screen.wait()
        remove_folder(self.folder)

    def trust(self, ca_file: Path) -> None:
        """Imports a certificate authority for mail servers."""
        body = ca_file.read_text().split("-----")[2]
        self.screen.run(TRUST, "".join(body.split()))

    def set_up(
        self, *, name: str, address: str, password: str, pop3s: int, submissions: int
    ) -> None:
        """Adds an account by the account dialog, with manual settings."""
        screen = self.screen
        screen.type("#realName", name)
        screen.type("#email", address)
        screen.click("#forward")
        screen.find("#incomingHostname")
        screen.choose("#incomingProtocolSelect", POP3)
        self._server("incoming", pop3s)
        screen.click("#forward")
        self._server("outgoing", submissions)
        screen.click("#custom")  # “Test”
        screen.click("#forward")
        screen.type("#password", password)
        screen.click("#forward")
        screen.find("#accountHubSignatureLink")
        screen.click("#forward")  # “Finish”

    def _server(self, way: str, port: int) -> None:
        self.screen.type(f"#{way}Hostname", "localhost")
        self.screen.type(f"#{way}Port", str(port))
        self.screen.choose(f"#{way}ConnectionSecuritySelect", TLS)
        self.screen.choose(f"#{way}AuthMethodSelect", NORMAL_PASSWORD)

    def subjects(self, folder: str) -> list[str]:
        """Returns the subjects of the messages in a folder of the account."""
        found: dict[str, list[str]] = self.screen.run(FOLDERS)
        return found.get(folder, [])

    def write(self, *, to: str, subject: str) -> None:
        """Writes a message in its own window and sends it."""
        main = self.screen.windows()
        self.screen.run("MsgNewMessage(null);")
        self.screen.go_to(self._new_window(main))
        # A window that is still loading empties its fields when it is ready.
        self._wait(lambda: self.screen.run(IS_READY), "the window to be written in")
        # A comma turns the typed text into a recipient.
        self.screen.type("#toAddrInput", f"{to},")
        self._wait(lambda: self.screen.run(RECIPIENTS) == [to], "a recipient")
        self.screen.type("#msgSubject", subject)
        self.screen.click("#button-send")
        self._wait(lambda: self.screen.windows() == main, "the message to be sent")
        self.screen.go_to(main[0])

    def _new_window(self, known: list[str]) -> str:
        self._wait(lambda: len(self.screen.windows()) > len(known), "a window")
        return next(one for one in self.screen.windows() if one not in known)

    def _wait(self, done: Callable[[], Any], what: str) -> None:
        wait_until(lambda: bool(done()), what)
