"""Walks the pages of the application. What was typed waits in the visitor's session."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any

from django.contrib.sessions.backends.base import SessionBase
from django.forms import BaseForm

from engine.registry.models import AccountType, Proof
from onboarding.claims import Claims
from onboarding.models import domain_under_suffix
from onboarding.steps import STEPS, Step

SESSION_KEY = "onboarding.application"
CLAIM_NAMES = {field.name for field in fields(Claims)}


class UnansweredError(Exception):
    """A page has no good answer yet. Carries the step."""

    def __init__(self, step: Step) -> None:
        super().__init__(step.key)
        self.step = step


@dataclass(frozen=True, slots=True)
class Page:
    """A step that is asked, with what was answered; None where nothing good was."""

    step: Step
    form: BaseForm | None


class Wizard:
    def __init__(self, session: SessionBase) -> None:
        self._session = session
        self._typed: dict[str, dict[str, str]] = session.get(SESSION_KEY, {})

    def pages(self) -> Iterator[Page]:
        """Every page that is asked, in order, as far as the answers tell."""
        answers: dict[str, Any] = {}
        for step in STEPS:
            if step.applies(answers):
                form = self._form(step)
                if form:
                    answers |= form.cleaned_data
                yield Page(step, form)

    def typed(self, step: Step) -> dict[str, str]:
        return self._typed.get(step.key, {})

    def keep(self, step: Step, data: Mapping[str, Any]) -> None:
        """Remember what was typed on a page, as it was typed."""
        names = step.form.base_fields
        typed = {name: str(data[name]) for name in names if name in data}
        self._session[SESSION_KEY] = self._typed = {**self._typed, step.key: typed}

    @property
    def is_begun(self) -> bool:
        return bool(self._typed)

    def forget(self) -> None:
        self._session.pop(SESSION_KEY, None)

    def unanswered(self) -> Step | None:
        """The first page that is asked and has no good answer."""
        return next((page.step for page in self.pages() if not page.form), None)

    def is_asked(self, step: Step) -> bool:
        """True where the answers lead to this page and all before it are answered."""
        for page in self.pages():
            if page.step == step:
                return True
            if not page.form:
                return False
        return False

    def before(self, step: Step) -> Step | None:
        """The page before this one."""
        previous = None
        for page in self.pages():
            if page.step == step:
                return previous
            previous = page.step
        return None

    def claims(self) -> Claims:
        """Everything answered. Raises UnansweredError."""
        answers: dict[str, Any] = {}
        for page in self.pages():
            if not page.form:
                raise UnansweredError(page.step)
            answers |= page.form.cleaned_data
        if answers["account_type"] == AccountType.CLOUD_GATEWAY:
            answers["proof"] = Proof.CLOUD
        label = answers.get("community_name") or answers["member_domain"]
        answers["community_domain"] = domain_under_suffix(label)
        return Claims(**{k: v for k, v in answers.items() if k in CLAIM_NAMES})

    def _form(self, step: Step) -> BaseForm | None:
        form = step.form(self._typed.get(step.key, {}))
        return form if step.key in self._typed and form.is_valid() else None
