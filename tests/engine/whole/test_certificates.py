"""A certificate renewed while the engine runs, as clients of every port see it."""

from __future__ import annotations

import poplib
import smtplib
import ssl
from pathlib import Path

import pytest
from cryptography import x509

from portal.demo.certificates import Authority, Certificate
from tests.peers.engine import Engine
from tests.peers.process import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.any_database]


def served_serials(engine: Engine, authority: Authority) -> set[int]:
    """Returns the serial numbers of the certificates on all ports."""
    context = ssl.create_default_context(cafile=str(authority.ca_file))
    ports = engine.ports
    sockets = []
    for port in (ports["smtp"], ports["submission"]):
        client = smtplib.SMTP("localhost", port, timeout=60)
        client.starttls(context=context)
        sockets.append(client.sock)
    direct = smtplib.SMTP_SSL(
        "localhost", ports["submissions"], context=context, timeout=60
    )
    reader = poplib.POP3("localhost", ports["pop3"], timeout=60)
    reader.stls(context=context)
    reader_direct = poplib.POP3_SSL(
        "localhost", ports["pop3s"], context=context, timeout=60
    )
    sockets += [direct.sock, reader.sock, reader_direct.sock]
    found = {_serial(one.getpeercert(binary_form=True)) for one in sockets}
    for one in sockets:
        one.close()
    return found


def _serial(der: bytes) -> int:
    return x509.load_der_x509_certificate(der).serial_number


def serial_of(made: Certificate) -> int:
    return x509.load_pem_x509_certificate(made.cert_file.read_bytes()).serial_number


def test_every_port_follows_renewals_in_both_orders_and_never_goes_without(
    engine: Engine, authority: Authority
) -> None:
    cert, key = (
        Path(engine.environment[f"POSTERN_TLS_{name}_FILE"]) for name in ("CERT", "KEY")
    )
    before = Certificate(cert, key)
    serials = [serial_of(before)]
    renewals = [authority.issue("localhost", kept_as=f"new{n}") for n in (1, 2)]
    orders = [("key", "cert"), ("cert", "key")]

    for made, order in zip(renewals, orders, strict=True):
        halves = {"cert": (cert, made.cert_file), "key": (key, made.key_file)}
        first, second = (halves[name] for name in order)
        raw = second[1].read_bytes()

        first[0].write_bytes(first[1].read_bytes())
        wait_until(
            lambda: engine.log.count("is still served") >= len(serials),
            "a warning of halves that do not match",
        )
        assert served_serials(engine, authority) == {serials[-1]}
        second[0].write_bytes(raw[: len(raw) // 2])
        assert served_serials(engine, authority) == {serials[-1]}
        second[0].write_bytes(raw)
        serials.append(serial_of(made))
        wait_until(
            lambda: engine.log.count("was renewed") == len(serials) - 1,
            "the renewed certificate",
        )

        assert served_serials(engine, authority) == {serials[-1]}


def test_client_certificates_of_a_new_authority_are_believed_once_it_is_in_the_file(
    engine: Engine, authority: Authority, tmp_path: Path
) -> None:
    other = Authority(tmp_path)
    own = other.issue("mail.firm.example")
    context = ssl.create_default_context(cafile=str(authority.ca_file))
    context.load_cert_chain(own.cert_file, own.key_file)
    ca_file = authority.ca_file
    raw = ca_file.read_bytes()

    def is_believed() -> bool:
        try:
            with smtplib.SMTP("localhost", engine.ports["smtp"], timeout=60) as client:
                client.starttls(context=context)
                return client.ehlo()[0] == 250
        except (ssl.SSLError, OSError, smtplib.SMTPException):
            return False

    assert not is_believed()
    try:
        ca_file.write_bytes(raw + other.ca_file.read_bytes())
        wait_until(is_believed, "the new authority")
    finally:
        ca_file.write_bytes(raw)
