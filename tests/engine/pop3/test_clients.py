"""Real mail programs against our server."""

from __future__ import annotations

import asyncio
import poplib
import random
import subprocess
from pathlib import Path

import pytest
from django.db import OperationalError

from engine.network import connection_limits
from engine.pop3 import maildrop
from engine.pop3.server_context import Limits
from engine.registry.credentials import authentication
from engine.registry.credentials.sign_in_throttle import USERNAME_LIMIT
from engine.registry.models import Mailbox, Person
from engine.storage.models import Message
from portal.demo.certificates import Authority
from tests.engine.pop3 import sample_messages
from tests.engine.pop3.conftest import SECRET, Serve, Server
from tests.peers import mpop
from tests.peers.process import PeerError

pytestmark = pytest.mark.slow

SERVED = sample_messages.RETURN_PATH + sample_messages.HEADER + sample_messages.BODY


async def run(*command: str | Path, stdin: bytes = b"") -> bytes:
    done = await asyncio.to_thread(
        subprocess.run, command, input=stdin, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode() + done.stdout.decode()
    return done.stdout


def large() -> bytes:
    """A message large enough for the blob store, with dots at the edges of chunks."""
    lines = random.Random(1).choices([b".", b"..", b".x", b"", b"x" * 61], k=500_000)
    return sample_messages.HEADER + b"\r\n".join(lines) + b"\r\n"


async def test_poplib(server: Server, reader: Person) -> None:
    raw = large()
    await asyncio.to_thread(sample_messages.deliver, reader.mailbox, raw)

    def download() -> bytes:
        client = poplib.POP3_SSL("localhost", server.pop3s, context=server.context)
        assert client.capa()["SASL"] == ["SCRAM-SHA-256", "PLAIN"]
        client.user(reader.address)
        client.pass_(SECRET)
        _, lines, _ = client.retr(1)
        client.quit()
        return b"".join(line + b"\r\n" for line in lines)

    assert await asyncio.to_thread(download) == sample_messages.RETURN_PATH + raw


@pytest.mark.parametrize("starttls", [True, False])
async def test_mpop(
    server: Server, reader: Person, authority: Authority, starttls: bool
) -> None:
    await asyncio.to_thread(sample_messages.deliver, reader.mailbox)

    def download(*, keep: bool, auth: str = "scram-sha-256") -> list[bytes]:
        return mpop.download(
            server.pop3 if starttls else server.pop3s,
            username=reader.address,
            password=SECRET,
            ca_file=authority.ca_file,
            starttls=starttls,
            keep=keep,
            auth=auth,
        )

    # An app password without SCRAM's keys gains them by its first sign-in.
    with pytest.raises(PeerError, match="authentication failed"):
        await asyncio.to_thread(download, keep=True)
    kept = await asyncio.to_thread(download, keep=True, auth="plain")
    taken = await asyncio.to_thread(download, keep=False)
    left = await asyncio.to_thread(download, keep=False)

    assert len(kept) == len(taken) == 1
    assert kept[0].endswith(SERVED.replace(b"\r\n", b"\n"))
    assert left == []


@pytest.mark.parametrize("scheme", ["pop3", "pop3s"])
async def test_curl(
    server: Server, reader: Person, authority: Authority, scheme: str
) -> None:
    message = await asyncio.to_thread(sample_messages.deliver, reader.mailbox)
    port = server.pop3 if scheme == "pop3" else server.pop3s
    url = f"{scheme}://localhost:{port}"
    curl = ["curl", "-sS", "--ssl-reqd", "--cacert", str(authority.ca_file), "-K", "-"]
    secrets = f'user = "{reader.address}:{SECRET}"'.encode()

    listed = await run(*curl, f"{url}/", stdin=secrets)
    uids = await run(*curl, "-X", "UIDL", f"{url}/", stdin=secrets)
    got = await run(*curl, f"{url}/1", stdin=secrets)

    assert listed == f"1 {len(SERVED)}\r\n".encode()
    assert uids == f"1 {message.pk}\r\n".encode()
    assert got == SERVED


async def fetch(
    server: Server,
    authority: Authority,
    folder: Path,
    *,
    implicit_tls: bool = True,
    password: str = SECRET,
) -> subprocess.CompletedProcess[str]:
    """Runs fetchmail once for Bob; what it collects is appended to `folder`/got."""
    port = server.pop3s if implicit_tls else server.pop3
    tls = "ssl" if implicit_tls else "sslproto TLS1.2+"
    config = folder / "fetchmailrc"
    config.touch(mode=0o600)
    config.write_text(
        f"poll localhost protocol pop3 service {port}"
        f" user 'bob@northfield.secure.example' password '{password}'"
        f" {tls} sslcertck sslcertfile {authority.ca_file}"
        f' mda "cat >> {folder}/got" no rewrite\n'
    )
    return await asyncio.to_thread(
        subprocess.run,
        [
            *("fetchmail", "--nosyslog", "--fetchmailrc", config),
            *("--pidfile", folder / "pid", "--idfile", folder / "ids"),
        ],
        capture_output=True,
        check=False,
        text=True,
    )


@pytest.mark.parametrize("implicit_tls", [True, False])
async def test_fetchmail(
    server: Server,
    reader: Person,
    authority: Authority,
    tmp_path: Path,
    implicit_tls: bool,
) -> None:
    await asyncio.to_thread(sample_messages.deliver, reader.mailbox)
    await asyncio.to_thread(sample_messages.deliver, reader.mailbox)

    done = await fetch(server, authority, tmp_path, implicit_tls=implicit_tls)

    assert done.returncode == 0, done.stderr + done.stdout
    got = (tmp_path / "got").read_bytes()
    assert got.count(b"Subject: Bundle") == 2
    assert got.endswith(sample_messages.BODY.replace(b"\r\n", b"\n"))
    assert await asyncio.to_thread(Message.objects.count) == 0


# fetchmail's exit codes (its manual page, EXIT CODES).
WRONG_PASSWORD, BUSY = 3, 9


async def test_fetchmail_takes_a_wrong_password_for_what_it_is(
    server: Server, reader: Person, authority: Authority, tmp_path: Path
) -> None:
    done = await fetch(server, authority, tmp_path, password="wrong")

    assert done.returncode == WRONG_PASSWORD, done.stderr


@pytest.mark.parametrize(
    "trouble", ["open elsewhere", "guessed at", "our fault", "crowded"]
)
@pytest.mark.parametrize("implicit_tls", [True, False])
async def test_fetchmail_takes_what_is_temporary_for_busy(
    serve: Serve,
    reader: Person,
    authority: Authority,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    trouble: str,
    implicit_tls: bool,
) -> None:
    """It would tell its user that the password is wrong."""
    places = connection_limits.Limits(0 if trouble == "crowded" else 10)
    server = await serve(Limits(places=places))
    make(trouble, server, reader, monkeypatch)

    done = await fetch(server, authority, tmp_path, implicit_tls=implicit_tls)

    if trouble == "crowded" and implicit_tls:
        # No reply can be sent: its place is refused before the handshake.
        assert done.returncode not in (0, WRONG_PASSWORD)
    else:
        assert done.returncode == BUSY, done.stderr + done.stdout


def make(
    trouble: str, server: Server, reader: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Makes each sign-in of the reader be refused for a while."""
    match trouble:
        case "open elsewhere":
            server.state.in_use.add(reader.mailbox.pk)
        case "guessed at":
            for _ in range(USERNAME_LIMIT):
                authentication.throttle.failed(reader.address, "192.0.2.1")
        case "our fault":
            monkeypatch.setattr(maildrop, "find_mailbox", fail)


def fail(*args: object, **kwargs: object) -> None:
    raise OperationalError("the database is away")


async def test_fetchmail_signs_in_after_wrong_passwords(
    server: Server, reader: Person, authority: Authority, tmp_path: Path
) -> None:
    """It is made to wait for a moment, and neither gives up nor is refused."""
    await asyncio.to_thread(sample_messages.deliver, reader.mailbox)
    for _ in range(3):
        wrong = await fetch(server, authority, tmp_path, password="wrong")
        assert wrong.returncode == WRONG_PASSWORD, wrong.stderr

    done = await fetch(server, authority, tmp_path)

    assert done.returncode == 0, done.stderr + done.stdout
    assert b"Subject: Bundle" in (tmp_path / "got").read_bytes()


async def test_mpop_shows_why_it_must_wait(
    server: Server, reader: Person, authority: Authority
) -> None:
    server.state.in_use.add(reader.mailbox.pk)

    with pytest.raises(PeerError, match=r"locked by another session; wait"):
        await asyncio.to_thread(
            mpop.download,
            server.pop3s,
            username=reader.address,
            password=SECRET,
            ca_file=authority.ca_file,
        )


async def test_getmail(
    server: Server, reader: Person, authority: Authority, tmp_path: Path
) -> None:
    await asyncio.to_thread(sample_messages.deliver, reader.mailbox)
    config = tmp_path / "getmailrc"
    config.touch(mode=0o600)
    config.write_text(
        "[retriever]\ntype = SimplePOP3SSLRetriever\nserver = localhost\n"
        f"port = {server.pop3s}\nusername = {reader.address}\npassword = {SECRET}\n"
        f"ca_certs = {authority.ca_file}\n"
        "[destination]\ntype = MDA_external\npath = /bin/sh\n"
        f'arguments = ("-c", "cat >> {tmp_path}/got")\nallow_root_commands = true\n'
        "[options]\ndelete = true\n"
    )

    await run("getmail", f"--getmaildir={tmp_path}", "--rcfile=getmailrc")

    assert b"Subject: Bundle" in (tmp_path / "got").read_bytes()
    assert await asyncio.to_thread(Message.objects.count) == 0


async def test_curl_downloads_a_group_mailbox_under_its_own_address(
    server: Server, listing: Mailbox, authority: Authority
) -> None:
    await asyncio.to_thread(sample_messages.deliver, listing)
    curl = ["curl", "-sS", "--ssl-reqd", "--cacert", str(authority.ca_file), "-K", "-"]
    secrets = f'user = "{listing.address}:{SECRET}"'.encode()

    got = await run(*curl, f"pop3s://localhost:{server.pop3s}/1", stdin=secrets)

    assert got == SERVED
