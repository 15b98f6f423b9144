"""neomutt and mutt: from the command line, and by keys where only those can do it."""

from __future__ import annotations

from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

from tests.corpus import material
from tests.corpus.letter import DOMAIN, RECIPIENT, SENDER, Letter, subject
from tests.corpus.material import TEXTS
from tests.corpus.writers.terminal import Terminal
from tests.peers.process import open_folder, remove_folder

# What neither takes for the charset of a text.
UNKNOWN = ("gb2312", "windows-1253")
SETTINGS = """\
set sendmail="{sendmail} --"
set copy=no
set record=""
set use_from=yes
set from="{sender}"
set realname="Jane Finch"
set charset=utf-8
set abort_unmodified=no
set editor=true
set edit_headers=no
set forward_edit=yes
set mime_forward=no
set forward_attachments=no
set postpone=no
set abort_nosubject=no
set hostname="{domain}"
set mbox_type=mbox
set confirmappend=no
set quit=yes
set delete=no
set wait_key=no
set crypt_use_gpgme=no
set folder="{folder}"
"""
# Marks all messages, forwards them together, gives an address and a subject, and sends.
FORWARD_ALL = "T.*\\n\\;f{to}\\n{subject}\\nyq"
FORWARD_ONE = "f{to}\\n{subject}\\nyq"


def letters(*, few: bool = False) -> Iterator[Letter]:
    for program in ("neomutt", "mutt"):
        folder = open_folder()
        try:
            yield from _Mutt(program, folder, few).letters()
        finally:
            remove_folder(folder)


class _Mutt:
    def __init__(self, program: str, folder: Path, few: bool) -> None:
        self.program = program
        self.folder = folder
        self.few = few
        self.terminal = Terminal(folder)
        self.settings = folder / "muttrc"
        self.settings.write_text(
            SETTINGS.format(
                sendmail=self.terminal.sendmail,
                sender=SENDER,
                domain=DOMAIN,
                folder=folder,
            )
        )

    def letters(self) -> Iterator[Letter]:
        yield from self._texts()
        yield from self._files()
        yield from self._forwards()

    def _write(
        self, shape: str, text: str, *settings: str, files: tuple[Path, ...] = ()
    ) -> Letter:
        command = [self.program, "-n", "-F", str(self.settings)]
        for setting in settings:
            command += ["-e", f"set {setting}"]
        command += ["-s", subject(self.program, shape)]
        if files:
            command += ["-a", *map(str, files)]
        raw = self.terminal.run([*command, "--", RECIPIENT], text.encode())
        return Letter(self.program, shape, raw)

    def _texts(self) -> Iterator[Letter]:
        for charset in material.texts(self.few, without=UNKNOWN):
            setting = f"send_charset={charset}"
            yield self._write(f"text in {charset}", TEXTS[charset] + "\n", setting)
        text = TEXTS["utf-8"]
        seven = "allow_8bit=no"
        yield self._write("text in utf-8, 7bit", text, "send_charset=utf-8", seven)
        yield self._write("text in koi8-r, 7bit", TEXTS["koi8-r"], seven)
        yield self._write("HTML", material.as_html(text), "content_type=text/html")
        yield self._write("flowing", material.flowing())
        yield self._write("flowed", material.flowing(), "text_flowed=yes")
        yield self._write("long line", material.long_line())
        yield self._write("Markdown", f"# {text}\n", "content_type=text/markdown")

    def _files(self) -> Iterator[Letter]:
        for kind, file in material.files(self.few).items():
            path = file.written_to(self.folder)
            shape = f"file with a {kind} name"
            yield self._write(shape, "See the file.\n", files=(path,))
        path = material.files()["cyrillic"].written_to(self.folder)
        yield self._write(
            "file in RFC 2047 besides",
            "See the file.\n",
            "rfc2047_parameters=yes",
            files=(path,),
        )
        paths = []
        for name, data in (
            ("plan.png", material.picture()),
            ("hearing.ics", material.CALENDAR.encode()),
            ("page.html", material.as_html("A page: ż").encode()),
            ("note.txt", TEXTS["utf-8"].encode()),
            ("latin.txt", TEXTS["iso-8859-1"].encode("latin-1")),
            ("old.eml", self._earlier(1).as_bytes()),
        ):
            path = self.folder / name
            path.write_bytes(data)
            paths.append(path)
            yield self._write(f"the file {name}", "See the file.\n", files=(path,))
        yield self._write("six files", "See the files.\n", files=tuple(paths))
        yield self._write("file below an empty line", "\n", files=(paths[0],))

    def _earlier(self, number: int) -> EmailMessage:
        """Returns a message that was received before."""
        message = EmailMessage()
        message["From"] = f"tom{number}@{DOMAIN}"
        message["To"] = SENDER
        message["Subject"] = f"Earlier {number}"
        message["Date"] = "Mon, 02 Nov 2026 09:00:00 +0000"
        message["Message-ID"] = f"<earlier.{number}@{DOMAIN}>"
        message.set_content(f"Earlier words, {number}: łódź.\n")
        message.add_attachment(
            material.pdf(f"earlier {number}"),
            maintype="application",
            subtype="pdf",
            filename=f"earlier {number}.pdf",
        )
        return message

    def _forwards(self) -> Iterator[Letter]:
        one, three = self.folder / "one", self.folder / "three"
        for box, numbers in ((one, [1]), (three, [1, 2, 3])):
            box.write_bytes(
                b"".join(
                    b"From tom@x Mon Nov  2 09:00:00 2026\n"
                    + self._earlier(number).as_bytes()
                    + b"\n"
                    for number in numbers
                )
            )
        for shape, box, keys, settings in (
            ("forward inline", one, FORWARD_ONE, ()),
            (
                "forward inline with files",
                one,
                FORWARD_ONE,
                ("forward_attachments=yes",),
            ),
            ("forward attached", one, FORWARD_ONE, ("mime_forward=yes",)),
            ("forward of three inline", three, FORWARD_ALL, ()),
            ("three messages attached", three, FORWARD_ALL, ("mime_forward=yes",)),
        ):
            yield self._drive(shape, box, keys, *settings)

    def _drive(self, shape: str, box: Path, keys: str, *settings: str) -> Letter:
        pushed = keys.format(to=RECIPIENT, subject=f"^U{subject(self.program, shape)}")
        command = [self.program, "-n", "-F", str(self.settings), "-f", str(box)]
        for setting in settings:
            command += ["-e", f"set {setting}"]
        raw = self.terminal.drive([*command, "-e", f'push "{pushed}"'])
        return Letter(self.program, shape, raw)
