"""Renewed certificates: served once complete and matching, the old one until then."""

from __future__ import annotations

import logging
import os
import ssl
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from django.utils import timezone

from engine.secrets.certificates import (
    CertificateError,
    CertificateFiles,
    ReloadingContext,
)
from engine.smtp.server import server_tls_context
from portal.demo.certificates import Authority, Certificate


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def old(authority: Authority) -> Certificate:
    return authority.issue("localhost", kept_as="old")


@pytest.fixture(scope="module")
def new(authority: Authority) -> Certificate:
    return authority.issue("localhost", kept_as="new")


@pytest.fixture
def files(tmp_path: Path, authority: Authority, old: Certificate) -> CertificateFiles:
    made = CertificateFiles(*(str(tmp_path / name) for name in ("cert", "key", "ca")))
    write(made.cert, old.cert_file.read_bytes())
    write(made.key, old.key_file.read_bytes())
    write(made.ca, authority.ca_file.read_bytes())
    return made


def write(path: str, raw: bytes) -> None:
    """Writes a file that appears to have been written some time ago."""
    before = Path(path).stat().st_mtime if Path(path).exists() else 1_000_000_000
    Path(path).write_bytes(raw)
    os.utime(path, (before + 60, before + 60))


def serial(context: ssl.SSLContext, authority: Authority) -> int:
    """Returns the serial number that a client sees, by a handshake in memory."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    theirs = ssl.create_default_context(cafile=str(authority.ca_file))
    server = context.wrap_bio(incoming, outgoing, server_side=True)
    client = theirs.wrap_bio(outgoing, incoming, server_hostname="localhost")
    for _ in range(4):
        for side in (client, server):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
    shown = client.getpeercert(binary_form=True)
    assert shown is not None
    return x509.load_der_x509_certificate(shown).serial_number


def serial_of(certificate: Certificate) -> int:
    return x509.load_pem_x509_certificate(
        certificate.cert_file.read_bytes()
    ).serial_number


@pytest.mark.parametrize("order", [("cert", "key"), ("key", "cert")])
def test_a_renewal_in_either_order_is_served_when_both_are_there(
    files: CertificateFiles,
    authority: Authority,
    old: Certificate,
    new: Certificate,
    order: tuple[str, str],
) -> None:
    followed = ReloadingContext(files, server_tls_context)
    sources = {"cert": new.cert_file, "key": new.key_file}

    write(getattr(files, order[0]), sources[order[0]].read_bytes())
    between = serial(followed.reload_if_changed(), authority)
    fault = followed.problem
    write(getattr(files, order[1]), sources[order[1]].read_bytes())
    after = serial(followed.reload_if_changed(), authority)

    assert between == serial_of(old)
    assert "does not belong to the certificate" in fault
    assert after == serial_of(new)
    assert followed.problem == ""


@pytest.mark.parametrize("name", ["cert", "key", "ca"])
@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
def test_a_file_that_is_half_written_changes_nothing(
    files: CertificateFiles,
    authority: Authority,
    old: Certificate,
    name: str,
    share: float,
) -> None:
    followed = ReloadingContext(files, server_tls_context)
    path = getattr(files, name)
    raw = Path(path).read_bytes()

    write(path, raw[: int(len(raw) * share)])

    assert serial(followed.reload_if_changed(), authority) == serial_of(old)
    assert path in followed.problem
    write(path, raw)
    followed.reload_if_changed()
    assert followed.problem == ""


def test_a_chain_cut_off_behind_our_own_certificate_changes_nothing(
    files: CertificateFiles, authority: Authority, old: Certificate, new: Certificate
) -> None:
    followed = ReloadingContext(files, server_tls_context)

    write(files.key, new.key_file.read_bytes())
    write(files.cert, new.cert_file.read_bytes() + authority.ca_file.read_bytes()[:300])

    assert serial(followed.reload_if_changed(), authority) == serial_of(old)


def test_a_file_that_goes_away_changes_nothing(
    files: CertificateFiles, authority: Authority, old: Certificate
) -> None:
    followed = ReloadingContext(files, server_tls_context)

    Path(files.key).unlink()

    assert serial(followed.reload_if_changed(), authority) == serial_of(old)
    assert files.key in followed.problem


def ended(certificate: Certificate) -> bytes:
    """Returns the certificate with its dates a year back, signed by its own key."""
    key = serialization.load_pem_private_key(certificate.key_file.read_bytes(), None)
    like = x509.load_pem_x509_certificate(certificate.cert_file.read_bytes())
    year = timezone.timedelta(days=400)
    made = (
        x509.CertificateBuilder()
        .subject_name(like.subject)
        .issuer_name(like.subject)
        .public_key(like.public_key())
        .serial_number(like.serial_number)
        .not_valid_before(like.not_valid_before_utc - 2 * year)
        .not_valid_after(like.not_valid_before_utc - year)
        .sign(key, hashes.SHA256())  # type: ignore[arg-type]
    )
    return made.public_bytes(serialization.Encoding.PEM)


def test_a_certificate_that_has_ended_is_not_put_in_place_of_a_good_one(
    files: CertificateFiles, authority: Authority, old: Certificate, new: Certificate
) -> None:
    followed = ReloadingContext(files, server_tls_context)

    write(files.key, new.key_file.read_bytes())
    write(files.cert, ended(new))

    assert serial(followed.reload_if_changed(), authority) == serial_of(old)
    assert "Renew it" in followed.problem


def test_one_that_has_ended_is_better_than_none_at_the_start(
    files: CertificateFiles, new: Certificate, caplog: pytest.LogCaptureFixture
) -> None:
    write(files.key, new.key_file.read_bytes())
    write(files.cert, ended(new))

    with caplog.at_level(logging.WARNING):
        ReloadingContext(files, server_tls_context)

    assert "Renew it" in caplog.text


def test_files_are_left_alone_until_they_have_rested(
    files: CertificateFiles, authority: Authority, old: Certificate, new: Certificate
) -> None:
    followed = ReloadingContext(files, server_tls_context)

    Path(files.key).write_bytes(new.key_file.read_bytes())
    Path(files.cert).write_bytes(new.cert_file.read_bytes())

    assert serial(followed.reload_if_changed(), authority) == serial_of(old)
    assert followed.problem == ""


def test_what_cannot_be_served_is_warned_of_once_and_not_each_second(
    files: CertificateFiles, new: Certificate, caplog: pytest.LogCaptureFixture
) -> None:
    followed = ReloadingContext(files, server_tls_context)
    write(files.key, new.key_file.read_bytes())

    with caplog.at_level(logging.WARNING):
        for _ in range(5):
            followed.reload_if_changed()

    [warning] = caplog.records
    assert files.key in warning.getMessage()


def _nothing(files: CertificateFiles) -> None:
    Path(files.cert).write_bytes(b"")


def _another_key(files: CertificateFiles) -> None:
    Path(files.key).write_bytes(
        Authority(Path(files.key).parent / "other").issue("x").key_file.read_bytes()
    )


@pytest.mark.parametrize("spoil", [_nothing, _another_key])
def test_nothing_good_at_the_start_is_said_in_plain_words(
    files: CertificateFiles, spoil: Callable[[CertificateFiles], None]
) -> None:
    spoil(files)

    with pytest.raises(CertificateError) as refused:
        ReloadingContext(files, server_tls_context)

    assert files.cert in str(refused.value)


def test_authorities_whose_serial_number_is_zero_are_trusted(
    files: CertificateFiles, tmp_path: Path, recwarn: pytest.WarningsRecorder
) -> None:
    """As Go Daddy's are, in Debian's bundle."""
    ours, zero = Path(files.ca).read_bytes(), tmp_path / "zero.pem"
    subprocess.run(
        [
            "openssl", "req", "-x509", "-newkey", "ed25519", "-nodes", "-set_serial", "0",
            "-subj", "/CN=Zero", "-keyout", "/dev/null", "-out", str(zero),
        ],
        check=True, capture_output=True,
    )  # fmt: skip
    write(files.ca, ours + zero.read_bytes())

    context = ReloadingContext(files, server_tls_context).context

    assert len(context.get_ca_certs(binary_form=True)) == 2
    assert [str(one.message) for one in recwarn if "serial" in str(one.message)] == []


@pytest.mark.parametrize("cut", [b"", b"no certificate", b"AAAA"])
def test_authorities_that_cannot_be_read_are_refused(
    files: CertificateFiles, cut: bytes
) -> None:
    whole = Path(files.ca).read_bytes()
    block = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
    write(files.ca, whole + block if cut == b"AAAA" else cut)

    with pytest.raises(CertificateError):
        ReloadingContext(files, server_tls_context)


def test_an_encrypted_key_is_refused_and_nobody_is_asked_for_its_passphrase(
    files: CertificateFiles, old: Certificate
) -> None:
    key = serialization.load_pem_private_key(old.key_file.read_bytes(), None)
    write(
        files.key,
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"passphrase"),
        ),
    )

    with pytest.raises(CertificateError):
        ReloadingContext(files, server_tls_context)
