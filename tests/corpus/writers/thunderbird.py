"""Thunderbird's compose window, with each setting that changes what it writes."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from tests.corpus import material
from tests.corpus.letter import DOMAIN, RECIPIENT, SENDER, SENDER_NAME, Letter, subject
from tests.corpus.material import TEXTS, File
from tests.corpus.writers.originals import next_hop
from tests.next_hop import NextHop
from tests.peers.process import open_folder, remove_folder, wait_until
from tests.peers.thunderbird import IS_READY, Thunderbird

PROGRAM = "Thunderbird"
PREFERENCES = {
    "mail.compose.attachment_reminder": False,
    "mail.SpellCheckBeforeSend": False,
    "mail.warn_on_send_accel_key": False,
    "mailnews.send_plaintext_flowed": True,
    "mail.strictly_mime": False,
    "mail.strictly_mime.parm_folding": 2,
    "mail.compose.big_attachments.notify": False,
}
SERVICES = """
const {MailServices} = ChromeUtils.importESModule(
  'resource:///modules/MailServices.sys.mjs');
"""
SET = """
for (const [name, value] of Object.entries(arguments[0]))
  if (typeof value == 'boolean') Services.prefs.setBoolPref(name, value);
  else Services.prefs.setIntPref(name, value);
"""
# An account as the dialog makes one, but for a server without TLS or password.
ADD_ACCOUNT = f"""{SERVICES}
const [address, name, port] = arguments;
const server = MailServices.outgoingServer.createServer('smtp');
server.QueryInterface(Ci.nsISmtpServer);
server.hostname = '127.0.0.1';
server.port = port;
server.authMethod = Ci.nsMsgAuthMethod.none;
server.socketType = Ci.nsMsgSocketType.plain;
MailServices.accounts.createLocalMailAccount();
const incoming = MailServices.accounts.createIncomingServer('jane', 'nowhere', 'pop3');
incoming.loginAtStartUp = false;
incoming.doBiff = false;
const account = MailServices.accounts.createAccount();
account.incomingServer = incoming;
const identity = MailServices.accounts.createIdentity();
identity.email = address;
identity.fullName = name;
identity.smtpServerKey = server.key;
identity.doFcc = false;
account.addIdentity(identity);
MailServices.accounts.defaultAccount = account;
MailServices.outgoingServer.defaultServer = server;
"""
ADD_MESSAGES = f"""{SERVICES}
const root = MailServices.accounts.localFoldersServer.rootFolder;
root.createSubfolder('Earlier', null);
const folder = root.getChildNamed('Earlier');
folder.QueryInterface(Ci.nsIMsgLocalMailFolder);
for (const raw of arguments[0]) folder.addMessage(raw);
"""
OPEN = f"""{SERVICES}
const [given, format, type, quoted] = arguments;
const fields = Cc['@mozilla.org/messengercompose/composefields;1']
  .createInstance(Ci.nsIMsgCompFields);
fields.to = given.to;
fields.subject = given.subject;
fields.body = given.body;
if (given.delivery != null) fields.deliveryFormat = given.delivery;
for (const file of given.files) {{
  const attached = Cc['@mozilla.org/messengercompose/attachment;1']
    .createInstance(Ci.nsIMsgAttachment);
  attached.name = file.name;
  attached.url = file.url;
  if (file.type) attached.contentType = file.type;
  fields.addAttachment(attached);
}}
const identity = MailServices.accounts.defaultAccount.identities[0];
if (quoted == null) {{
  const params = Cc['@mozilla.org/messengercompose/composeparams;1']
    .createInstance(Ci.nsIMsgComposeParams);
  params.type = type;
  params.format = format;
  params.identity = identity;
  params.composeFields = fields;
  MailServices.compose.OpenComposeWindowWithParams(null, params);
}} else {{
  const folder = MailServices.accounts.localFoldersServer.rootFolder
    .getChildNamed('Earlier');
  const headers = [...folder.messages].slice(...quoted);
  const uris = headers.map(one => folder.getUriForMsg(one)).join(',');
  MailServices.compose.OpenComposeWindow(
    null, headers[0], uris, type, format, identity, null, null);
}}
"""
ADDRESS = """
const [to, subject] = arguments;
gMsgCompose.compFields.to = to;
gMsgCompose.compFields.cc = '';
CompFields2Recipients(gMsgCompose.compFields);
document.getElementById('msgSubject').value = subject;
"""
SEND = "goDoCommand('cmd_sendNow');"
HTML, PLAIN = 1, 2  # nsIMsgCompFormat
AS_PLAIN, AS_HTML, AS_BOTH = 1, 2, 3  # nsIMsgCompSendFormat
NEW, REPLY, FORWARD_ATTACHED, FORWARD_INLINE = 0, 1, 3, 4  # nsIMsgCompType


def letters(*, few: bool = False) -> Iterator[Letter]:
    folder = open_folder()
    try:
        with next_hop() as hop, Thunderbird() as thunderbird:
            yield from _Writer(thunderbird, hop, folder, few).letters()
    finally:
        remove_folder(folder)


class _Writer:
    def __init__(
        self, thunderbird: Thunderbird, hop: NextHop, folder: Path, few: bool
    ) -> None:
        self.screen = thunderbird.screen
        self.hop = hop
        self.folder = folder
        self.few = few

    def letters(self) -> Iterator[Letter]:
        self.screen.run(SET, PREFERENCES)
        self.screen.run(ADD_ACCOUNT, SENDER, SENDER_NAME, self.hop.port)
        self.screen.run(ADD_MESSAGES, [_earlier(number) for number in (1, 2)])
        # The slowest of the programs: with `few`, three of each kind.
        most = 3 if self.few else None
        yield from islice(self._texts(), most)
        yield from islice(self._pictures(), most)
        yield from islice(self._files(), most)
        yield from islice(self._forwards(), most)

    def _texts(self) -> Iterator[Letter]:
        flowing, text = material.flowing(), TEXTS["utf-8"]
        yield self._write("flowed", flowing, PLAIN)
        yield self._write("long line", material.long_line(), PLAIN)
        yield self._write("text in many scripts", text, PLAIN)
        self.screen.run(SET, {"mailnews.send_plaintext_flowed": False})
        yield self._write("not flowed", flowing, PLAIN)
        self.screen.run(SET, {"mail.strictly_mime": True})
        yield self._write("quoted-printable", flowing + text, PLAIN)
        yield self._write("HTML in quoted-printable", _rich(), delivery=AS_BOTH)
        self.screen.run(SET, PREFERENCES)
        for shape, delivery in (
            ("HTML alone", AS_HTML),
            ("HTML and text", AS_BOTH),
            ("HTML as text", AS_PLAIN),
        ):
            yield self._write(shape, _rich(), delivery=delivery)
        yield self._write("HTML as it sees fit", f"<p>{text}</p>")

    def _pictures(self) -> Iterator[Letter]:
        source = b64encode(material.picture()).decode()
        html = f'<p>The plan:</p><img src="data:image/png;base64,{source}">'
        files = [material.files()["polish"]]
        yield self._write("picture", html, delivery=AS_HTML)
        yield self._write("picture and text", html, delivery=AS_BOTH)
        yield self._write("picture and a file", html, delivery=AS_BOTH, files=files)

    def _files(self) -> Iterator[Letter]:
        for kind, file in material.files(self.few).items():
            shape = f"file with a {kind} name"
            yield self._write(shape, "With a file.", PLAIN, files=[file])
        for folding in (0, 1):
            self.screen.run(SET, {"mail.strictly_mime.parm_folding": folding})
            file = material.files()["long cyrillic"]
            shape = f"name of a file, folding {folding}"
            yield self._write(shape, "With a file.", PLAIN, files=[file])
        self.screen.run(SET, PREFERENCES)
        kinds = [
            File("note.txt", "text/plain", TEXTS["utf-8"].encode()),
            File("latin.txt", "", TEXTS["iso-8859-1"].encode("latin-1")),
            File("page.html", "text/html", material.as_html("A page: ż").encode()),
            File("hearing.ics", "text/calendar", material.CALENDAR.encode()),
            File("old.eml", "message/rfc822", _earlier(3).encode()),
            File("plan.png", "image/png", material.picture()),
        ]
        for file in kinds:
            yield self._write(f"the file {file.name}", "One.", PLAIN, files=[file])
        yield self._write("six files", "Six.", PLAIN, files=kinds)
        yield self._write("file alone", "", PLAIN, files=[kinds[5]])

    def _forwards(self) -> Iterator[Letter]:
        yield self._quote("forward attached", FORWARD_ATTACHED, [0, 1])
        yield self._quote("two messages forwarded", FORWARD_ATTACHED, [0, 2])
        yield self._quote("forward inline", FORWARD_INLINE, [0, 1])
        yield self._quote("forward inline as text", FORWARD_INLINE, [0, 1], PLAIN)
        yield self._quote("reply", REPLY, [0, 1])
        yield self._quote("reply as text", REPLY, [0, 1], PLAIN)

    def _write(
        self,
        shape: str,
        body: str,
        format: int = HTML,
        *,
        delivery: int | None = None,
        files: list[File] | None = None,
    ) -> Letter:
        given = {
            "to": RECIPIENT,
            "subject": subject(PROGRAM, shape),
            "body": body,
            "delivery": delivery,
            "files": [self._attached(file) for file in files or []],
        }
        return self._sent(shape, given, format, NEW, None)

    def _quote(
        self, shape: str, type: int, which: list[int], format: int = HTML
    ) -> Letter:
        empty = {"to": "", "subject": "", "body": "", "delivery": None, "files": []}
        return self._sent(shape, empty, format, type, which)

    def _attached(self, file: File) -> dict[str, str]:
        url = file.written_to(self.folder).as_uri()
        return {"name": file.name, "url": url, "type": file.content_type}

    def _sent(
        self,
        shape: str,
        given: dict[str, Any],
        format: int,
        type: int,
        quoted: list[int] | None,
    ) -> Letter:
        """Opens the window, sends what is in it, and returns what the server got."""
        main, before = self.screen.windows(), len(self.hop.received)
        self.screen.run(OPEN, given, format, type, quoted)
        wait_until(lambda: len(self.screen.windows()) > len(main), f"{shape}: a window")
        [new] = [one for one in self.screen.windows() if one not in main]
        self.screen.go_to(new)
        wait_until(lambda: self.screen.run(IS_READY), f"{shape}: the window")
        self.screen.run(ADDRESS, RECIPIENT, subject(PROGRAM, shape))
        self.screen.run(SEND)
        wait_until(lambda: len(self.hop.received) > before, f"{shape}: the message", 30)
        wait_until(lambda: self.screen.windows() == main, f"{shape}: the end")
        self.screen.go_to(main[0])
        return Letter(PROGRAM, shape, self.hop.received[before].data)


def _rich() -> str:
    return (
        f"<h1>{TEXTS['utf-8']}</h1><p>{material.PARAGRAPH}</p><ul><li>one</li>"
        "<li>two</li></ul><table><tr><td>a</td><td>b</td></tr></table>"
        '<p><a href="https://court.example/list">the list</a></p>'
    )


def _earlier(number: int) -> str:
    return (
        f"From: Tom <tom@{DOMAIN}>\r\nTo: {SENDER}\r\nSubject: Earlier {number}\r\n"
        "Date: Mon, 02 Nov 2026 09:00:00 +0000\r\n"
        f"Message-ID: <earlier.{number}@{DOMAIN}>\r\nMIME-Version: 1.0\r\n"
        "Content-Type: multipart/mixed; boundary=b\r\n\r\n"
        "--b\r\nContent-Type: text/plain; charset=utf-8\r\n"
        "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
        f"Earlier words {number}: =C5=82=C3=B3d=C5=BA.\r\n"
        "--b\r\nContent-Type: application/pdf; name=before.pdf\r\n"
        "Content-Disposition: attachment; filename=before.pdf\r\n"
        "Content-Transfer-Encoding: base64\r\n\r\n"
        f"{b64encode(material.pdf(f'before {number}')).decode()}\r\n--b--\r\n"
    )
