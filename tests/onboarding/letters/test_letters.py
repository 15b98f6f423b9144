from __future__ import annotations

import re
import subprocess
import zlib
from pathlib import Path
from typing import Any

import pytest

from engine.registry.models import AccountType, Connection, Proof
from onboarding import certificate_authority, signed_links
from onboarding.letters import letters, pdf_renderer
from onboarding.models import Application
from portal.demo.certificates import Authority
from tests.onboarding.conftest import FIRM, HOSTED

pytestmark = pytest.mark.slow
SECRET = "k7qd-3m9x-2b4c-8n6p-w5rt-h1jg-v0sz"


def connection(**over: Any) -> Connection:
    facts = {"proof": Proof.CREDENTIAL, "next_hop_host": "mail.firm.example"}
    return Connection(**(facts | over))


def rendered(application: Application, **options: Any) -> bytes:
    return letters.render_welcome(application, **options)


def output_of(pdf: bytes, *command: str) -> str:
    done = subprocess.run(command, input=pdf, capture_output=True, check=True)
    return done.stdout.decode()


def unpacked(pdf: bytes) -> bytes:
    """Returns the file with its compressed streams decompressed at the end."""
    streams = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", pdf, re.DOTALL)
    parts = [zlib.decompressobj().decompress(s) for s in streams if s[:1] == b"x"]
    return pdf + b"".join(parts)


def text_of(pdf: bytes) -> str:
    return output_of(pdf, "pdftotext", "-layout", "-", "-")


def words_of(pdf: bytes) -> str:
    """Returns the text with line breaks as spaces."""
    return " ".join(text_of(pdf).split())


def test_the_letter_holds_what_a_mail_server_needs_and_the_secret_once() -> None:
    text = text_of(
        rendered(
            Application(**FIRM),
            connection=connection(),
            username="firm.example-a1",
            secret=SECRET,
        )
    )

    assert text.count(SECRET) == 1
    for value in (
        "localhost",
        "2525",
        "STARTTLS",
        "firm.example-a1",
        "mail.firm.example",
        "jane@firm.example.secure.example",
        "relayhost = [localhost]:2525",
    ):
        assert value in text


def test_the_letter_says_what_domain_was_agreed() -> None:
    agreed = Application(**(FIRM | {"community_domain": "org.secure.example"}))

    text = words_of(rendered(agreed, connection=connection()))
    usual = words_of(rendered(Application(**FIRM), connection=connection()))

    assert "jane@org.secure.example" in text
    assert "is added to the end" not in text
    assert "is added to the end" in usual


def test_the_letters_postfix_checks_our_certificate_and_nobody_elses() -> None:
    text = text_of(
        rendered(
            Application(**FIRM),
            connection=connection(),
            username="firm.example-a1",
            secret=SECRET,
        )
    )

    assert "[localhost]:2525 = secure match=localhost" in text
    assert "smtp_tls_security_level = may" in text


def test_the_letter_of_a_source_address_holds_no_password() -> None:
    networks = ["192.0.2.0/28"]
    application = Application(**FIRM)

    text = text_of(
        rendered(
            application,
            connection=connection(proof=Proof.SOURCE, source_networks=networks),
        )
    )

    assert "192.0.2.0/28" in text
    assert "holds a password" not in text
    assert "Password" not in text


def test_the_letter_of_a_cloud_gateway_names_the_tenant() -> None:
    application = Application(
        **(FIRM | {"account_type": AccountType.CLOUD_GATEWAY, "proof": Proof.CLOUD})
    )

    text = text_of(
        rendered(application, connection=connection(proof=Proof.CLOUD, tenant_id="t-1"))
    )

    assert "t-1" in text


def test_the_letter_of_a_hosted_organisation_tells_how_to_read() -> None:
    text = text_of(rendered(Application(**(FIRM | HOSTED))))

    assert "jane@northfield.secure.example" in text
    assert "Password" not in text


def test_the_letter_is_tagged_for_screen_readers() -> None:
    pdf = rendered(Application(**(FIRM | HOSTED)))

    info = output_of(pdf, "pdfinfo", "-")
    structure = output_of(pdf, "pdfinfo", "-struct", "-")
    assert "Tagged:          yes" in info
    assert "Title:           Welcome letter for Firm Solicitors" in info
    assert b"/Lang (en)" in unpacked(pdf)
    assert b"pdfuaid" in unpacked(pdf)
    for element in ("Document", "H1", "H2", "Table", "TH"):
        assert element in structure


def test_the_letter_shows_markup_in_names_as_text() -> None:
    hostile = "<img src='file:///etc/passwd'>"

    text = text_of(
        rendered(Application(**(FIRM | HOSTED | {"organisation_name": hostile})))
    )

    assert "<img src=" in text


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "http://127.0.0.1/", "data:text/plain,x"]
)
def test_a_letter_fetches_nothing(url: str) -> None:
    page = f'<img src="{url}">'
    with pytest.raises(ValueError, match="disallowed protocol"):
        pdf_renderer.render(page, allowed_protocols=(), base_url=None)


def test_a_private_authority_is_named_by_its_fingerprint_in_two_equal_lines(
    tmp_path: Path, settings: Any
) -> None:
    ours = Authority(tmp_path / "tls")
    settings.POSTERN = settings.POSTERN.model_copy(
        update={
            "tls_ca_file": str(ours.ca_file),
            "tls_cert_file": str(ours.issue("localhost").cert_file),
        }
    )

    certificate = certificate_authority.find()

    assert certificate
    assert certificate_authority.pem(certificate) == ours.ca_file.read_bytes()
    text = text_of(rendered(Application(**FIRM), connection=connection()))
    assert signed_links.absolute_url("onboarding:authority") in text
    fingerprint = certificate_authority.fingerprint(certificate)
    assert [fingerprint[:48], fingerprint[48:]] == [
        line.split()[-1] for line in text.splitlines() if line.count(":") > 14
    ]


def test_a_public_authority_is_not_named(tmp_path: Path, settings: Any) -> None:
    ours, other = Authority(tmp_path / "ours"), Authority(tmp_path / "other")
    settings.POSTERN = settings.POSTERN.model_copy(
        update={
            "tls_ca_file": str(other.ca_file),
            "tls_cert_file": str(ours.issue("localhost").cert_file),
        }
    )

    assert certificate_authority.find() is None
