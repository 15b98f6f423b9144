"""Walks the pages of an application form from the raw data saved with the draft."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any

from engine.registry.models import AccountType, Proof
from onboarding.applying.claims import Claims
from onboarding.applying.steps import STEPS, TASK_OF, TASKS, Step, Task
from onboarding.forms.page import PageForm
from onboarding.models import Application, domain_under_suffix
from onboarding.vetting.signatures import TermsChoice
from onboarding.vetting.sponsors import NamedSponsor

CLAIM_NAMES = {field.name for field in fields(Claims)}


class UnansweredError(Exception):
    """Raised when a page has no valid answer yet; `step` is that page."""

    def __init__(self, step: Step) -> None:
        super().__init__(step.key)
        self.step = step


@dataclass(frozen=True, slots=True)
class Page:
    """A page that applies, with its valid form, or None if it has no valid answer."""

    step: Step
    form: PageForm | None


class Wizard:
    """The form of one application: which pages apply, and what was answered.

    Saved answers are validated again on every walk, so a rule that changed since, or a
    name taken meanwhile, reopens its page.
    """

    def __init__(self, application: Application) -> None:
        self.application = application
        self._typed: dict[str, dict[str, str]] = application.typed

    def pages(self) -> Iterator[Page]:
        """Yields the pages that apply, in order, judging by the valid answers so far."""
        answers: dict[str, Any] = {}
        for step in STEPS:
            if step.applies(answers):
                form = self._answered(step)
                if form:
                    answers |= form.cleaned_data
                yield Page(step, form)

    def form(self, step: Step, data: Mapping[str, Any] | None) -> PageForm:
        """Returns a page's form, bound to `data` or showing what was saved before."""
        typed = self._typed.get(step.key, {})
        return step.form(data, initial=dict(typed), application=self.application)

    def with_typed(self, step: Step, data: Mapping[str, Any]) -> dict[str, Any]:
        """Returns all saved raw data with this page's entries replaced by `data`."""
        names = step.form.base_fields
        typed = {name: str(data[name]) for name in names if name in data}
        return {**self._typed, step.key: typed}

    def is_asked(self, step: Step) -> bool:
        """True if the page applies to the answers so far."""
        return any(page.step == step for page in self.pages())

    def unanswered(self) -> list[Step]:
        """Returns the pages that apply and have no valid answer."""
        return [page.step for page in self.pages() if not page.form]

    def tasks(self) -> Iterator[tuple[Task, list[Page]]]:
        """Yields each task with its pages that apply; no pages if it cannot start yet."""
        pages = list(self.pages())
        for task in TASKS:
            yield task, [page for page in pages if TASK_OF[page.step.key] == task]

    def before(self, step: Step) -> Step | None:
        """Returns the previous page in the same task, or None."""
        previous = None
        for page in self.pages():
            if page.step == step:
                return previous
            if TASK_OF[page.step.key] == TASK_OF[step.key]:
                previous = page.step
        return None

    def after(self, step: Step) -> Step | None:
        """Returns the next page in the same task, or None."""
        asked = [
            p.step for p in self.pages() if TASK_OF[p.step.key] == TASK_OF[step.key]
        ]
        later = asked[asked.index(step) + 1 :] if step in asked else []
        return next(iter(later), None)

    def claims(self) -> Claims:
        """Returns the claims to submit. Raises UnansweredError."""
        answers = self._answers()
        if answers["account_type"] == AccountType.CLOUD_GATEWAY:
            answers["proof"] = Proof.CLOUD
        label = answers.get("community_name") or answers["member_domain"]
        answers["community_domain"] = domain_under_suffix(label)
        return Claims(**{k: v for k, v in answers.items() if k in CLAIM_NAMES})

    def sponsor(self) -> NamedSponsor | None:
        """Returns the sponsor named, or None if none is needed. Raises UnansweredError."""
        answers = self._answers()
        if "sponsor_address" not in answers:
            return None
        return NamedSponsor(
            name=answers["sponsor_name"],
            organisation_name=answers["sponsor_organisation"],
            address=answers["sponsor_address"],
        )

    def signing(self) -> TermsChoice:
        """Returns which terms are signed, and the signatory. Raises UnansweredError."""
        answers = self._answers()
        if "terms_id" in answers:
            return TermsChoice(
                terms_id=answers["terms_id"],
                name=answers["applicant_name"],
                job_title=answers["applicant_job_title"],
                address=self.application.everyday_address,
                signed_here=True,
            )
        return TermsChoice(
            terms_id=None,
            name=answers["signatory_name"],
            job_title=answers["signatory_job_title"],
            address=answers["signatory_address"],
            signed_here=False,
        )

    def _answers(self) -> dict[str, Any]:
        answers: dict[str, Any] = {}
        for page in self.pages():
            if not page.form:
                raise UnansweredError(page.step)
            answers |= page.form.cleaned_data
        return answers

    def _answered(self, step: Step) -> PageForm | None:
        if step.key not in self._typed:
            return None
        form = self.form(step, self._typed[step.key])
        return form if form.is_valid() else None
