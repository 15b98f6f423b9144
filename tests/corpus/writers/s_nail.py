"""s-nail, with uuencode, and signed by its own S/MIME."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.corpus import material
from tests.corpus.letter import DOMAIN, RECIPIENT, SENDER, Letter, subject
from tests.corpus.material import TEXTS, File
from tests.corpus.writers import openssl
from tests.corpus.writers.terminal import Terminal
from tests.peers.process import open_folder, remove_folder

PROGRAM = "s-nail"
# What it does not take for the charset of a text.
UNKNOWN = ("gb2312", "windows-1253")


def letters(*, few: bool = False) -> Iterator[Letter]:
    folder = open_folder()
    try:
        yield from _SNail(folder, few).letters()
    finally:
        remove_folder(folder)


class _SNail:
    def __init__(self, folder: Path, few: bool) -> None:
        self.folder = folder
        self.few = few
        self.terminal = Terminal(folder)

    def letters(self) -> Iterator[Letter]:
        yield from self._texts()
        yield from self._files()
        yield from self._uuencoded()
        yield from self._forwards()
        yield self._signed()

    def _write(
        self,
        shape: str,
        text: str | bytes,
        *settings: str,
        files: tuple[Path, ...] = (),
        options: tuple[str, ...] = (),
    ) -> Letter:
        command = self._command(*settings)
        for path in files:
            command += ["-a", str(path)]
        command += [*options, "-s", subject(PROGRAM, shape), RECIPIENT]
        written = text if isinstance(text, bytes) else text.encode()
        return Letter(PROGRAM, shape, self.terminal.run(command, written))

    def _command(self, *settings: str) -> list[str]:
        command = [PROGRAM, "-:/", "-S", "v15-compat=y", "-S", "sendwait"]
        for setting in (
            f"mta={self.terminal.sendmail}",
            f"from=Jane Finch <{SENDER}>",
            f"hostname={DOMAIN}",
            "ttycharset=utf-8",
            f"mimetypes-load-control=f={self.folder}/.mime.types",
            *settings,
        ):
            command += ["-S", setting]
        return command

    def _texts(self) -> Iterator[Letter]:
        for charset in material.texts(self.few, without=UNKNOWN):
            chosen = f"sendcharsets={charset}"
            yield self._write(f"text in {charset}", TEXTS[charset] + "\n", chosen)
        for encoding in ("8bit", "quoted-printable", "base64"):
            for charset in ("utf-8", "koi8-r", "iso-8859-15"):
                yield self._write(
                    f"text in {charset}, {encoding}",
                    TEXTS[charset] + "\n",
                    f"sendcharsets={charset}",
                    f"mime-encoding={encoding}",
                )
        html = material.as_html(TEXTS["utf-8"])
        yield self._write("HTML", html, options=("-M", "text/html"))
        yield self._write("flowing", material.flowing())
        yield self._write("long line", material.long_line())

    def _files(self) -> Iterator[Letter]:
        for kind, file in material.files(self.few).items():
            if "=" in file.name:  # the option takes what follows for a charset
                continue
            path = file.written_to(self.folder)
            shape = f"file with a {kind} name"
            yield self._write(shape, "See the file.\n", files=(path,))
        paths = []
        for name, data in (
            ("plan.png", material.picture()),
            ("hearing.ics", material.CALENDAR.encode()),
            ("page.html", material.as_html("A page: ż").encode()),
            ("note.txt", TEXTS["utf-8"].encode()),
            ("old.eml", self._earlier()),
        ):
            path = File(name, "", data).written_to(self.folder)
            paths.append(path)
            yield self._write(f"the file {name}", "See the file.\n", files=(path,))
        yield self._write("five files", "See the files.\n", files=tuple(paths))
        yield self._write("file alone", "", files=(paths[0],))

    def _uuencoded(self) -> Iterator[Letter]:
        data = material.pdf("uuencoded", 500)
        for shape, options in (("uuencoded", []), ("uuencoded in base64", ["-m"])):
            done = subprocess.run(
                ["uuencode", *options, "order.pdf"],
                input=data,
                capture_output=True,
                check=True,
            )
            yield self._write(shape, b"The order is below.\n\n" + done.stdout)
            if not options:
                twice = b"Two:\n\n" + done.stdout + b"\nand\n\n" + done.stdout
                yield self._write("uuencoded twice", twice.replace(b"pdf", b"PDF", 1))
                yield self._write("uuencoded alone", done.stdout)

    def _earlier(self) -> bytes:
        return (
            f"From: tom@{DOMAIN}\nTo: {SENDER}\nSubject: Earlier\n"
            "Date: Mon, 02 Nov 2026 09:00:00 +0000\n"
            f"Message-ID: <earlier@{DOMAIN}>\nMIME-Version: 1.0\n"
            "Content-Type: text/plain; charset=utf-8\n\nEarlier words: łódź.\n"
        ).encode()

    def _forwards(self) -> Iterator[Letter]:
        box = self.folder / "box"
        for shape, commands in (
            ("forward inline", f"forward {RECIPIENT}\n~.\n"),
            (
                "forward attached",
                f"set forward-as-attachment\nforward {RECIPIENT}\n~.\n",
            ),
            ("message inserted", f"mail {RECIPIENT}\nLook:\n~m 1\n~.\n"),
            ("message forwarded inside", f"mail {RECIPIENT}\nLook:\n~f 1\n~.\n"),
        ):
            before = b"From tom@x Mon Nov  2 09:00:00 2026\n"
            box.write_bytes(before + self._earlier() + b"\n")
            command = [*self._command(), "-#", "-~", "-R", "-f", str(box)]
            raw = self.terminal.run(command, f"{commands}x\n".encode())
            yield Letter(PROGRAM, shape, raw)

    def _signed(self) -> Letter:
        pair = openssl.signer(self.folder)
        joined = self.folder / "pair.pem"
        joined.write_bytes(pair.certificate.read_bytes() + pair.key.read_bytes())
        return self._write(
            "signed with S/MIME",
            TEXTS["utf-8"] + "\n",
            "smime-sign",
            f"smime-sign-cert-{SENDER}={joined}",
        )
