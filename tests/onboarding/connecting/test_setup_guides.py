"""Setup guides: no name of an organisation can break out of a string in a script."""

from __future__ import annotations

import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.registry.models import (
    AccountType,
    Connection,
    Organisation,
    Proof,
    Provider,
)
from onboarding.connecting import connection_values, setup_guides
from tests import factories

QUOTES = "'\u2018\u2019\u201a\u201b"
HOSTILE = "A'; Remove-Mailbox '*' #>\n$(Get-Date) \u2019\u201c\u0060 {{ x }}"


def unquoted(script: str) -> str:
    """Returns the script without its strings and comments, as PowerShell parses it.

    Raises ValueError where a text or a comment does not end.
    """
    left = []
    at = 0
    while at < len(script):
        if script.startswith("<#", at):
            at = script.index("#>", at) + 2
        elif script[at] == "#":
            at = script.find("\n", at) if "\n" in script[at:] else len(script)
        elif script[at] in QUOTES:
            at = _end_of_text(script, at + 1)
            left.append("TEXT")
        else:
            left.append(script[at])
            at += 1
    return "".join(left)


def _end_of_text(script: str, at: int) -> int:
    while True:
        if at >= len(script):
            raise ValueError("a text does not end")
        if script[at] in QUOTES:
            if script[at + 1 : at + 2] and script[at + 1] in QUOTES:
                at += 2
                continue
            return at + 1
        at += 1


@given(st.text())
def test_any_text_is_one_text_in_powershell(text: str) -> None:
    assert unquoted(setup_guides.quote_powershell(text)) == "TEXT"


@pytest.fixture
def tenant(db: None) -> Connection:
    organisation = factories.make_organisation(account_type=AccountType.CLOUD_GATEWAY)
    factories.make_domain(organisation, "eastvale.example")
    return factories.make_connection(
        organisation,
        proof=Proof.CLOUD,
        provider=Provider.MICROSOFT_365,
        tenant_id="5b1f2c9e-6d0a-4f7b-9a35-0c8e7d2f4b61",
    )


def script(guide: setup_guides.Guide, connection: Connection) -> str:
    return unquoted(setup_guides.render(guide, connection_values.build(connection)))


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    deadline=None,
    max_examples=25,
)
@given(name=st.one_of(st.just(HOSTILE), st.text(min_size=1, max_size=60)))
def test_a_scripts_commands_are_the_same_whatever_the_name(
    tenant: Connection, firm_connection: Connection, name: str
) -> None:
    usual = (
        script(setup_guides.MICROSOFT, tenant),
        script(setup_guides.EXCHANGE, firm_connection),
    )

    for connection in (tenant, firm_connection):
        connection.organisation = Organisation(pk=connection.organisation_id, name=name)

    assert script(setup_guides.MICROSOFT, tenant) == usual[0]
    assert script(setup_guides.EXCHANGE, firm_connection) == usual[1]


@pytest.mark.parametrize("brackets", ["()", "{}", "[]"])
def test_the_scripts_brackets_are_balanced(
    tenant: Connection, firm_connection: Connection, brackets: str
) -> None:
    for text in (
        script(setup_guides.MICROSOFT, tenant),
        script(setup_guides.EXCHANGE, firm_connection),
    ):
        assert text.count(brackets[0]) == text.count(brackets[1]) > 0


def test_the_microsoft_script_can_be_tried_repeated_and_undone(
    tenant: Connection,
) -> None:
    text = script(setup_guides.MICROSOFT, tenant)

    assert "[CmdletBinding(SupportsShouldProcess)]" in text
    for noun in ("OutboundConnector", "InboundConnector", "TransportRule"):
        for verb in ("Get", "Set", "New", "Remove"):
            assert f"{verb}-{noun}" in text
    changes = re.findall(r"(?:Set|New|Remove)-(?:Out|In)boundConnector", text)
    assert text.count("ShouldProcess(") == len(changes) + 3


def test_the_microsoft_script_trusts_no_header(tenant: Connection) -> None:
    """The From header can be forged; the connector has checked the envelope only."""
    text = setup_guides.render(setup_guides.MICROSOFT, connection_values.build(tenant))

    rule = text.partition("$rule = @{")[2].partition("}")[0]
    assert "SenderAddressLocation = 'Envelope'" in rule


def test_the_microsoft_script_insists_on_tls_and_our_name(tenant: Connection) -> None:
    text = setup_guides.render(setup_guides.MICROSOFT, connection_values.build(tenant))

    for line in (
        "RequireTls                   = $true",
        "RestrictDomainsToCertificate = $true",
        "TlsSenderCertificateName     = 'localhost'",
        "TlsSettings      = 'DomainValidation'",
        "RecipientDomains = @('secure.example', '*.secure.example')",
    ):
        assert line in text


def test_googles_pattern_takes_the_community_and_no_lookalike(
    tenant: Connection,
) -> None:
    pattern = re.compile(connection_values.build(tenant).recipient_pattern)

    assert pattern.fullmatch("a@secure.example")
    assert pattern.fullmatch("a@firm.example.secure.example")
    assert not pattern.fullmatch("a@insecure.example")
    assert not pattern.fullmatch("a@secure.example.evil.example")
    assert not pattern.fullmatch("a@secureXexample")
