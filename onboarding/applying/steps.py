"""The pages of the application form as data: order, conditions, and grouping into tasks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from engine.registry.models import AccountType, Proof
from onboarding.forms import application as pages
from onboarding.forms import connection
from onboarding.forms.page import PageForm
from onboarding.models.application import PUBLIC_BODIES

Answers = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Step:
    """A page of the form, shown if `applies` is true of the answers to earlier pages."""

    key: str
    title: str
    form: type[PageForm]
    applies: Callable[[Answers], bool] = lambda answers: True


@dataclass(frozen=True, slots=True)
class Task:
    """A line of the task list: the pages that belong together, by key."""

    key: str
    title: str
    keys: tuple[str, ...]


def _account_is(*types: AccountType) -> Callable[[Answers], bool]:
    return lambda answers: answers.get("account_type") in types


def _proof_is(proof: Proof) -> Callable[[Answers], bool]:
    return lambda answers: answers.get("proof") == proof


def _has_several(answers: Answers) -> bool:
    return answers.get("is_sole_user") is False


def _needs_sponsor(answers: Answers) -> bool:
    return "kind" in answers and answers["kind"] not in PUBLIC_BODIES


def _is_signed_here(answers: Answers) -> bool:
    return answers.get("is_sole_user") is True or answers.get("signer") == "me"


STEPS: tuple[Step, ...] = (
    Step("organisation", "Your organisation", pages.OrganisationForm),
    Step("applicant", "About you", pages.ApplicantForm),
    Step("second", "Second administrator", pages.SecondForm, applies=_has_several),
    Step("account", "How you will connect", connection.AccountForm),
    Step(
        "hosted",
        "Your secure addresses",
        connection.HostedForm,
        applies=_account_is(AccountType.WEBMAIL),
    ),
    Step(
        "server",
        "Your mail server",
        connection.ServerForm,
        applies=_account_is(AccountType.SMTP),
    ),
    Step(
        "source",
        "Where your server sends from",
        connection.SourceForm,
        applies=_proof_is(Proof.SOURCE),
    ),
    Step(
        "certificate",
        "Your server's certificate",
        connection.CertificateForm,
        applies=_proof_is(Proof.CERTIFICATE),
    ),
    Step(
        "cloud",
        "Your cloud provider",
        connection.CloudForm,
        applies=_account_is(AccountType.CLOUD_GATEWAY),
    ),
    Step("sponsor", "Your sponsor", pages.SponsorForm, applies=_needs_sponsor),
    Step("signer", "Who signs the terms", pages.SignerForm, applies=_has_several),
    Step(
        "signatory",
        "Your signatory",
        pages.SignatoryForm,
        applies=lambda answers: answers.get("signer") == "other",
    ),
    Step("terms", "The terms of use", pages.TermsForm, applies=_is_signed_here),
)
BY_KEY = {step.key: step for step in STEPS}

TASKS: tuple[Task, ...] = (
    Task("organisation", "Tell us about your organisation", ("organisation",)),
    Task("applicant", "Tell us about yourself", ("applicant",)),
    Task("second", "Name a second administrator", ("second",)),
    Task(
        "account",
        "Choose how you will connect",
        ("account", "hosted", "server", "source", "certificate", "cloud"),
    ),
    Task("sponsor", "Name your sponsor", ("sponsor",)),
    Task("terms", "Sign the terms", ("signer", "signatory", "terms")),
)
TASK_OF = {key: task for task in TASKS for key in task.keys}
