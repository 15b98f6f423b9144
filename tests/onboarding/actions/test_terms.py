from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from engine.audit.models import Entry
from engine.registry.errors import PolicyError
from engine.registry.models import Person
from onboarding.actions import terms
from onboarding.models import Application, Audience, Terms
from onboarding.sending import TermsChoice

SOMEBODY_ELSE = TermsChoice(
    terms_id=None,
    signed_here=False,
    name="Mary Firm",
    job_title="Managing partner",
    address="mary@firm.example",
)


def test_the_applicant_signs_the_version_that_was_read(send_in: Any) -> None:
    signature = send_in().signatures.get()

    assert signature.signed_at
    assert signature.terms == Terms.objects.current(Audience.ORGANISATION)
    detail = Entry.objects.get(event="application.terms_signed").detail
    assert detail["terms"] == "Organisations, version 1"


def test_somebody_else_signs_by_a_link_once(send_in: Any, sent: Any) -> None:
    application: Application = send_in(signing=SOMEBODY_ELSE)
    signature = application.signatures.get()
    assert signature.signed_at is None
    [mail] = [mail for mail in sent() if mail.to == ["mary@firm.example"]]
    assert "/apply/sign/" in mail.body

    terms.sign(signature, by=None)

    signature.refresh_from_db()
    assert signature.signed_at
    told = sent()[-1]
    assert told.to == [application.everyday_address]
    assert "Mary" not in told.body and "/apply/link/" in told.body
    with pytest.raises(PolicyError, match="signed already"):
        terms.sign(signature, by=None)


def test_somebody_else_is_asked_in_the_place_of_the_first(
    send_in: Any, sent: Any
) -> None:
    application: Application = send_in(signing=SOMEBODY_ELSE)
    first = application.signatures.get()

    second = terms.ask_another(
        application, replace(SOMEBODY_ELSE, address="max@firm.example"), by=None
    )

    with pytest.raises(PolicyError, match="Somebody else"):
        terms.sign(first, by=None)
    terms.sign(second, by=None)
    assert application.signatures.get().address == "max@firm.example"
    with pytest.raises(PolicyError, match="signed already"):
        terms.ask_another(application, SOMEBODY_ELSE, by=None)
    assert ["max@firm.example"] in [mail.to for mail in sent()]


def test_the_desk_hears_of_a_signature(send_in: Any, sent: Any, vera: Person) -> None:
    vera.everyday_address = "vera@everyday.example"
    vera.save()
    application: Application = send_in(signing=SOMEBODY_ELSE)
    sent().clear()

    terms.sign(application.signatures.get(), by=None)

    assert ["vera@everyday.example"] in [mail.to for mail in sent()]


def test_a_sole_user_has_terms_of_their_own(send_in: Any) -> None:
    signature = send_in(is_sole_user=True).signatures.get()

    assert signature.terms.audience == Audience.SOLE_USER
