from __future__ import annotations

import os
import ssl
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from portal.demo.certificates import Authority, Certificate


def loaded(path: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(path.read_bytes())


def verify(authority: Authority, certificate: Certificate, name: str) -> None:
    """Verifies a certificate as a strict client does. Raises VerificationError."""
    trusted = Store([loaded(authority.ca_file)])
    verifier = PolicyBuilder().store(trusted).build_server_verifier(x509.DNSName(name))
    verifier.verify(loaded(certificate.cert_file), [])


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "tls")


def test_certificate_is_good_for_its_names_only(authority: Authority) -> None:
    made = authority.issue("mail.firm.example", "localhost", "127.0.0.1")

    verify(authority, made, "mail.firm.example")
    verify(authority, made, "localhost")
    with pytest.raises(VerificationError):
        verify(authority, made, "mail.other.example")


def test_certificate_of_another_authority_is_refused(
    authority: Authority, tmp_path: Path
) -> None:
    other = Authority(tmp_path / "other")

    with pytest.raises(VerificationError):
        verify(authority, other.issue("localhost"), "localhost")


def test_certificate_fits_its_key(authority: Authority) -> None:
    made = authority.issue("localhost")

    ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(
        made.cert_file, made.key_file
    )


def test_keys_are_readable_by_their_owner_only(authority: Authority) -> None:
    authority.issue("localhost")

    keys = list(authority.folder.glob("*.key"))
    assert {key.name for key in keys} == {"ca.key", "localhost.key"}
    assert {stat.S_IMODE(key.stat().st_mode) for key in keys} == {0o600}


def test_authority_opened_again_issues_the_same(authority: Authority) -> None:
    first = authority.issue("localhost").cert_file.read_bytes()

    again = Authority(authority.folder)

    assert again.issue("localhost").cert_file.read_bytes() == first


def test_certificate_asked_for_with_other_names_is_issued_again(
    authority: Authority,
) -> None:
    authority.issue("localhost", kept_as="server")

    made = authority.issue("connection.example", kept_as="server")

    verify(authority, made, "connection.example")


def test_authority_works_without_the_settings_of_a_service(tmp_path: Path) -> None:
    """As in a drill, whose own process serves nothing."""
    program = (
        "import pathlib, sys\n"
        "from portal.demo.certificates import Authority\n"
        "Authority(pathlib.Path(sys.argv[1])).issue('localhost')\n"
    )
    bare = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("POSTERN_", "DJANGO_"))
    }

    subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "tls")], env=bare, check=True
    )

    assert (tmp_path / "tls/localhost.pem").exists()
