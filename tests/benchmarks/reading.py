"""How long webmail takes to read a message for its page, and the memory of a large one.

Always the same thousand messages, half of them with a message in them. Two times of the
processor, each for the page of a message and, where it has one, the frame with its HTML:

- reading: from the octets of the message to all that the page shows of it: safe HTML, or
  text with its links; the names and sizes of files; and in this version the texts of
  attached messages, other forms, events and reports. Each message once.
- opening: the two requests of a browser, with SQLite. Nine tenths of them are the session,
  permissions, the folders and neighbours of the message, and the page around it.

With `--beside COMMIT` that version does the same in turn with this one. The last line is
the ratio of its time of reading to ours, and the line before it that of opening.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path

from tests.benchmarks import ready

# isort: split
from django.conf import settings
from django.core.management import call_command
from django.test import Client

from engine.registry.models import Mailbox
from engine.storage import message_actions
from engine.storage.models import FolderRole
from engine.storage.standard_folders import folder
from portal.webmail.rendering import parsed_message, plain_text
from tests import factories
from tests.benchmarks.worktrees import HOME, worktree
from tests.peers.process import remove_folder

try:
    from portal.webmail.rendering import message_html, notices
except ImportError:
    message_html = notices = None

# The whole of this file is run by the other version too: it uses only what both have.
MEGABYTE = 1024 * 1024
LARGE = 22 * MEGABYTE  # octets of the file, 30 MB in base64
WORDS = [
    "hearing",
    "bundle",
    "witness",
    "listing",
    "order",
    "counsel",
    "exhibit",
    "adjourned",
    "clerk",
]
PICTURE = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489"
    "0000000d49444154789c626000000000050001a5f645400000000049454e44ae426082"
)
_FRAME = re.compile(r'<iframe[^>]* src="([^"]+)"')


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=1000)
    parser.add_argument("--beside", metavar="COMMIT", default="")
    parser.add_argument("--rounds", type=int, default=3, help="with --beside")
    options = parser.parse_args()
    if options.beside:
        _compare_with(options)
    else:
        _measure(options.messages)


def _compare_with(options: argparse.Namespace) -> None:
    arguments = [str(Path(__file__)), f"--messages={options.messages}"]
    outputs: list[tuple[str, str]] = []
    with worktree(options.beside) as home:
        for _ in range(options.rounds):
            theirs = _output(home, home / ".venv/bin/python", *arguments)
            ours = _output(HOME, Path(sys.executable), *arguments)
            print(f"{options.beside}: {theirs}this version: {ours}", end="")
            outputs.append((theirs, ours))
    print(f"opening: {_ratio(outputs, 'to open'):.2f} times as fast")
    print(f"ratio {_ratio(outputs, 'to read'):.2f}")


def _ratio(outputs: list[tuple[str, str]], act: str) -> float:
    """Returns how many times as fast this version is, by the shortest time of each.

    What else the machine does only ever adds.
    """
    before, now = (
        min(_milliseconds(output, act) for output in side)
        for side in zip(*outputs, strict=True)
    )
    return before / now


def _milliseconds(output: str, act: str) -> float:
    found = re.search(rf"([\d.]+) ms {act}", output)
    assert found, output
    return float(found[1])


def _output(home: Path, python: Path, *arguments: str) -> str:
    environment = os.environ | {"PYTHONPATH": str(home)}
    # A database that was migrated for the tests fits one version only.
    environment.pop("POSTERN_MIGRATED", None)
    done = subprocess.run(
        [python, *arguments],
        cwd=home,
        env=environment,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return done.stdout


def _measure(count: int) -> None:
    call_command("collect_assets", verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    call_command("migrate", verbosity=0)
    settings.ALLOWED_HOSTS.append("testserver")
    organisation = factories.make_organisation(name="Northfield Court")
    person = factories.make_person("bob@northfield.secure.example", organisation)
    mailbox = factories.make_mailbox(person, quota_bytes=10**12)
    client = Client()
    client.force_login(person, "allauth.account.auth_backends.AuthenticationBackend")
    chance = random.Random(11)
    raws = [_octets(_message(chance, number)) for number in range(count)]
    urls = [_stored(mailbox, raw) for raw in raws]
    large = _stored(mailbox, _octets(_large_message()))
    for url in urls[: count // 10]:
        _open(client, url)
    spent = [_time(lambda url=url: _open(client, url)) for url in urls]
    read = [_time(lambda raw=raw: _read(raw)) for raw in raws]
    grown = _memory(client, large)
    print(
        f"a page of a message: {statistics.fmean(read):.3f} ms to read it, "
        f"{statistics.fmean(spent):.2f} ms to open it; "
        f"{grown:.1f} MB more memory for one of 30 MB"
    )


def _octets(message: EmailMessage) -> bytes:
    return message.as_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def _stored(mailbox: Mailbox, raw: bytes) -> str:
    kept = message_actions.append(folder(mailbox, FolderRole.INBOX), raw, is_read=True)
    return f"/mail/messages/{kept.pk}/"


def _time(act: Callable[[], object]) -> float:
    began = time.process_time()
    act()
    return (time.process_time() - began) * 1000


def _read(raw: bytes) -> None:
    """Reads what the page of a message shows, and then what its frame shows."""
    page = parsed_message.parse_message(raw)
    if message_html is None:  # the version before the frame was read on its own
        if page.safe_html() is None:
            plain_text.linked(page.as_text())
        _ = [(file.name, file.size, file.is_active) for file in page.attachments]
        if page.markup:
            parsed_message.parse_message(raw).safe_html()
        return
    _ = [(file.name, file.size, file.is_active) for file in page.attachments]
    _ = page.other_forms, page.inner_messages(), notices.notices_of(page.reading)
    if not page.has_html:
        plain_text.page(page.whole_text(), "")
        return
    message_html.document_of(parsed_message.parse_message(raw).reading)


def _open(client: Client, url: str) -> None:
    page = client.get(url)
    assert page.status_code == 200, url
    if frame := _FRAME.search(page.content.decode()):
        assert client.get(frame[1]).status_code == 200


def _memory(client: Client, url: str) -> float:
    """Returns by how many megabytes the process grows at most while a page is made."""
    Path("/proc/self/clear_refs").write_text("5")  # resets VmHWM: proc(5)
    before = _status("VmRSS")
    _open(client, url)
    return (_status("VmHWM") - before) / MEGABYTE


def _status(name: str) -> int:
    found = re.search(
        rf"^{name}:\s+(\d+) kB", Path("/proc/self/status").read_text(), re.M
    )
    assert found
    return int(found[1]) * 1024


def _message(chance: random.Random, number: int) -> EmailMessage:
    """A letter with text and HTML; every second one has another message in it."""
    message = _letter(chance, number)
    if number % 2:
        inner = _letter(chance, number)
        if number % 4 == 1:
            inner.add_attachment(_letter(chance, number))
        message.add_attachment(inner)
    return message


def _letter(chance: random.Random, number: int) -> EmailMessage:
    message = EmailMessage()
    message["From"] = "Jane Jones <jane@firm.example>"
    message["To"] = "Bob <bob@northfield.secure.example>"
    message["Subject"] = f"{chance.choice(WORDS)} {number}"
    paragraphs = [" ".join(chance.choices(WORDS, k=40)) for _ in range(12)]
    message.set_content("\n\n".join(paragraphs))
    cells = "".join(f"<tr><td>{one}</td><td>{one}</td></tr>" for one in WORDS)
    markup = "".join(f"<p style='margin:0'>{one}</p>" for one in paragraphs)
    if chance.random() < 0.7:
        picture = '<img src="cid:logo@firm.example" alt="">'
        message.add_alternative(
            f"<html><body>{markup}<table>{cells}</table>{picture}</body></html>", "html"
        )
        message.get_payload()[1].add_related(
            PICTURE, "image", "png", cid="<logo@firm.example>"
        )
    for at in range(chance.randrange(3)):
        message.add_attachment(
            bytes(chance.randrange(256) for _ in range(2000)),
            "application",
            "pdf",
            filename=f"exhibit {at}.pdf",
        )
    return message


def _large_message() -> EmailMessage:
    message = EmailMessage()
    message["From"] = "Jane Jones <jane@firm.example>"
    message["Subject"] = "The bundle"
    message.set_content("Please see the bundle.")
    message.add_alternative("<p>Please see the bundle.</p>", "html")
    octets = random.Random(1).randbytes(LARGE)
    message.add_attachment(octets, "application", "pdf", filename="bundle.pdf")
    return message


if __name__ == "__main__":
    try:
        main()
    finally:
        remove_folder(ready.FOLDER)
