"""Presents a draft as a GOV.UK task list."""

from __future__ import annotations

from typing import Any

from django.urls import reverse

from onboarding.applying.steps import Task
from onboarding.applying.wizard import Page, Wizard

Item = dict[str, Any]


def items(wizard: Wizard) -> list[Item]:
    """Returns the `items` of the GOV.UK task list component, without unneeded tasks.

    Until the organisation's page is answered it is unknown which tasks are needed, so
    all are listed.
    """
    knows_organisation = not any(
        step.key == "organisation" for step in wizard.unanswered()
    )
    return [
        _item(task, pages)
        for task, pages in wizard.tasks()
        if pages or not knows_organisation
    ]


def is_complete(wizard: Wizard) -> bool:
    """True if every page that applies has a valid answer."""
    return not wizard.unanswered()


def _item(task: Task, pages: list[Page]) -> Item:
    line: Item = {"title": {"text": task.title}}
    if not pages:
        cannot = "Cannot start yet"
        return line | {
            "status": {
                "text": cannot,
                "classes": "govuk-task-list__status--cannot-start-yet",
            }
        }
    missing = [page for page in pages if page.form is None]
    first = missing[0] if missing else pages[0]
    line["href"] = reverse("onboarding:step", args=[first.step.key])
    if not missing:
        return line | {"status": {"text": "Completed"}}
    begun = len(missing) < len(pages)
    tag = {"text": "Incomplete", "classes": "govuk-tag--blue"}
    if begun:
        tag = {"text": "In progress", "classes": "govuk-tag--light-blue"}
    return line | {"status": {"tag": tag}}
