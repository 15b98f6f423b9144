from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from engine.audit.models import Entry
from engine.registry.errors import PolicyError
from engine.registry.models import Person
from onboarding.models import Application, Audience, Terms
from onboarding.vetting import signatures
from onboarding.vetting.signatures import TermsChoice

ANOTHER_SIGNATORY = TermsChoice(
    terms_id=None,
    signed_here=False,
    name="Mary Firm",
    job_title="Managing partner",
    address="mary@firm.example",
)


def test_the_applicant_signs_the_version_that_was_read(submit_application: Any) -> None:
    signature = submit_application().signatures.get()

    assert signature.signed_at
    assert signature.terms == Terms.objects.current(Audience.ORGANISATION)
    detail = Entry.objects.get(event="application.terms_signed").detail
    assert detail["terms"] == "Organisations, version 1"


def test_another_signatory_signs_by_a_link_once(
    submit_application: Any, delivered_emails: Any
) -> None:
    application: Application = submit_application(signing=ANOTHER_SIGNATORY)
    signature = application.signatures.get()
    assert signature.signed_at is None
    [mail] = [mail for mail in delivered_emails() if mail.to == ["mary@firm.example"]]
    assert "/apply/sign/" in mail.body

    signatures.sign(signature, by=None)

    signature.refresh_from_db()
    assert signature.signed_at
    notice = delivered_emails()[-1]
    assert notice.to == [application.everyday_address]
    assert "Mary" not in notice.body and "/apply/link/" in notice.body
    with pytest.raises(PolicyError, match="already been signed"):
        signatures.sign(signature, by=None)


def test_another_signatory_is_asked_in_the_place_of_the_first(
    submit_application: Any, delivered_emails: Any
) -> None:
    application: Application = submit_application(signing=ANOTHER_SIGNATORY)
    first = application.signatures.get()

    second = signatures.replace_signatory(
        application, replace(ANOTHER_SIGNATORY, address="max@firm.example"), by=None
    )

    with pytest.raises(PolicyError, match="Another person"):
        signatures.sign(first, by=None)
    signatures.sign(second, by=None)
    assert application.signatures.get().address == "max@firm.example"
    with pytest.raises(PolicyError, match="already been signed"):
        signatures.replace_signatory(application, ANOTHER_SIGNATORY, by=None)
    assert ["max@firm.example"] in [mail.to for mail in delivered_emails()]


def test_the_desk_hears_of_a_signature(
    submit_application: Any, delivered_emails: Any, vera: Person
) -> None:
    vera.everyday_address = "vera@everyday.example"
    vera.save()
    application: Application = submit_application(signing=ANOTHER_SIGNATORY)
    delivered_emails().clear()

    signatures.sign(application.signatures.get(), by=None)

    assert ["vera@everyday.example"] in [mail.to for mail in delivered_emails()]


def test_a_sole_user_has_terms_of_their_own(submit_application: Any) -> None:
    signature = submit_application(is_sole_user=True).signatures.get()

    assert signature.terms.audience == Audience.SOLE_USER
