"""The base form of the application's pages, and builders for common inputs."""

from __future__ import annotations

from typing import Any

from django import forms

from onboarding.models import Application


class PageForm(forms.Form):
    """A page of questions about one application, passed as the keyword `application`."""

    def __init__(self, *args: Any, application: Application, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.application = application


def choice(label: str, choices: Any, missing: str, **options: Any) -> forms.ChoiceField:
    """Returns a radio group whose one error message is `missing`."""
    return forms.ChoiceField(
        label=label,
        choices=choices,
        widget=forms.RadioSelect,
        error_messages={"required": missing, "invalid_choice": missing},
        **options,
    )


def missing(sentence: str) -> dict[str, str]:
    """Returns `error_messages` for a field that must be filled in."""
    return {"required": sentence}


def narrow(**attrs: str) -> forms.TextInput:
    """Returns a text input about 20 characters wide."""
    return forms.TextInput(attrs={"class": "govuk-input--width-20", **attrs})


def address_input() -> forms.TextInput:
    """Returns an input for the visitor's own email address."""
    return forms.TextInput(
        attrs={"autocomplete": "email", "type": "email", "spellcheck": "false"}
    )
