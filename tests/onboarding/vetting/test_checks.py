from __future__ import annotations

from typing import Any

import pytest
import time_machine
from django.utils import timezone

from engine.registry.models import AccountType
from onboarding.applying import suggestions
from onboarding.models import Application, Check, CheckKey
from onboarding.vetting import checks
from onboarding.vetting.mail_platform import Platform, platform_of
from portal.demo.dns_server import NameServer


@pytest.fixture
def run_checks(submit_application: Any, name_server: NameServer) -> Any:
    """Runs all checks of a firm and returns them by key."""

    def run(**over: Any) -> dict[str, Any]:
        application = submit_application(**over)
        checks.run(application.pk)
        return {check.key: check for check in application.checks.all()}

    return run


def test_what_the_domain_says_is_kept(run_checks: Any, name_server: NameServer) -> None:
    name_server.add("firm.example", "MX", "10 mail.firm.example.")
    name_server.add_text("firm.example", "v=spf1 mx -all")
    name_server.add_text("_dmarc.firm.example", "v=DMARC1; p=reject")

    said = run_checks()

    assert said[CheckKey.MX].found.startswith("mail.firm.example")
    assert said[CheckKey.SPF].found == "v=spf1 mx -all"
    assert said[CheckKey.DMARC].found == "v=DMARC1; p=reject"
    assert not any(said[key].is_doubt for key in ("mx", "spf", "dmarc"))
    assert all(check.checked_at for check in said.values())


def test_what_is_missing_is_a_doubt(run_checks: Any) -> None:
    said = run_checks()

    assert all(check.is_doubt for check in said.values())
    assert (
        said[CheckKey.TLS].found == "mail.firm.example has no address on the internet."
    )


@pytest.mark.parametrize(
    ("name", "text", "key"),
    [
        ("_dmarc.firm.example", "v=DMARC1; p=none", CheckKey.DMARC),
        ("firm.example", "something else", CheckKey.SPF),
    ],
)
def test_a_record_that_asks_for_nothing_is_a_doubt(
    run_checks: Any, name_server: NameServer, name: str, text: str, key: CheckKey
) -> None:
    name_server.add_text(name, text)

    assert run_checks()[key].is_doubt


def test_a_server_inside_our_network_is_not_dialled(
    run_checks: Any, name_server: NameServer
) -> None:
    name_server.add("mail.firm.example", "A", "127.0.0.1")

    assert "no address on the internet" in run_checks()[CheckKey.TLS].found


def test_an_applicant_with_a_shared_address_has_nothing_to_look_at(
    run_checks: Any,
) -> None:
    said = run_checks(member_domain="", everyday_address="jane@gmail.com")

    assert "no domain of its own" in said[CheckKey.MX].found


@pytest.mark.parametrize(
    ("hosts", "platform", "account_type"),
    [
        (
            ["firm-example.mail.protection.outlook.com"],
            Platform.MICROSOFT,
            AccountType.CLOUD_GATEWAY,
        ),
        (["aspmx.l.google.com"], Platform.GOOGLE, AccountType.CLOUD_GATEWAY),
        (["mail.firm.example"], Platform.OWN, AccountType.SMTP),
        (["google.com.evil.example"], Platform.OWN, AccountType.SMTP),
        ([], Platform.NONE, AccountType.WEBMAIL),
    ],
)
def test_the_mail_system_suggests_the_account_type(
    hosts: list[str], platform: Platform, account_type: AccountType
) -> None:
    assert platform_of(hosts) == platform
    assert (
        suggestions.suggest_account_type("firm.example", hosts).account_type
        == account_type
    )


def test_a_draft_gets_a_suggestion_once_its_domain_was_looked_up(
    db: None, name_server: NameServer
) -> None:
    name_server.add("firm.example", "MX", "10 aspmx.l.google.com.")
    draft = Application.objects.create(everyday_address="jane@firm.example")
    checks.plan(draft)
    assert suggestions.account_suggestion(draft) is None

    checks.run(draft.pk)

    suggestion = suggestions.account_suggestion(draft)
    assert suggestion
    assert "Google Workspace" in suggestion.reason
    assert [check.key for check in draft.checks.all()] == [CheckKey.MX]


def test_host_whose_clock_is_ahead_takes_no_check_over(
    db: None,
) -> None:
    draft = Application.objects.create(everyday_address="jane@firm.example")
    checks.plan(draft)

    assert checks.find_abandoned() == []
    with time_machine.travel(timezone.now() + 2 * checks.LEASE):
        assert checks.find_abandoned() == []
    Check.objects.update(asked_at=timezone.now() - 2 * checks.LEASE)
    assert checks.find_abandoned() == [draft.pk]
