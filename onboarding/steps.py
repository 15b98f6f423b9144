"""The application as data: which page asks what, and when it is asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django import forms as django_forms

from engine.registry.models import AccountType, Proof
from onboarding import forms

Answers = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Step:
    """One page. It is asked when `applies` says so of the answers given before it."""

    key: str
    title: str
    form: type[django_forms.Form]
    applies: Callable[[Answers], bool] = lambda answers: True


def _account_is(*types: AccountType) -> Callable[[Answers], bool]:
    return lambda answers: answers.get("account_type") in types


def _proof_is(proof: Proof) -> Callable[[Answers], bool]:
    return lambda answers: answers.get("proof") == proof


STEPS: tuple[Step, ...] = (
    Step("organisation", "Your organisation", forms.OrganisationForm),
    Step("account", "How you will connect", forms.AccountForm),
    Step(
        "hosted",
        "Your secure addresses",
        forms.HostedForm,
        applies=_account_is(AccountType.WEBMAIL),
    ),
    Step(
        "server",
        "Your mail server",
        forms.ServerForm,
        applies=_account_is(AccountType.SMTP),
    ),
    Step(
        "source",
        "Where your server sends from",
        forms.SourceForm,
        applies=_proof_is(Proof.SOURCE),
    ),
    Step(
        "certificate",
        "Your server's certificate",
        forms.CertificateForm,
        applies=_proof_is(Proof.CERTIFICATE),
    ),
    Step(
        "cloud",
        "Your cloud provider",
        forms.CloudForm,
        applies=_account_is(AccountType.CLOUD_GATEWAY),
    ),
    Step("applicant", "About you", forms.ApplicantForm),
)
BY_KEY = {step.key: step for step in STEPS}
