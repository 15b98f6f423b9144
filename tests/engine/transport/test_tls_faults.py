"""Faults of TLS are told in words, whatever OpenSSL calls them."""

from __future__ import annotations

import ssl
import string

from hypothesis import given
from hypothesis import strategies as st

from engine.transport import tls_faults


def handshake_error(reason: str) -> ssl.SSLError:
    error = ssl.SSLError(1, "message")
    error.reason = reason
    return error


WORD = st.text(string.ascii_uppercase + string.digits, min_size=2, max_size=9)


@given(st.lists(WORD, min_size=1, max_size=6).map("_".join))
def test_no_constant_of_openssl_reaches_a_reader(reason: str) -> None:
    said = tls_faults.of_handshake(handshake_error(reason))

    assert said
    assert "_" not in said
    assert not said.isupper()


def test_faults_that_an_administrator_can_mend_say_what_they_are() -> None:
    said = tls_faults.of_handshake(handshake_error("TLSV1_ALERT_UNKNOWN_CA"))
    assert said == "it does not trust the authority of our certificate"
    assert tls_faults.of_handshake(handshake_error("")) == (
        "it broke off while TLS began"
    )
