"""Forms of the first sign-in: a password, a directory sign-in, a code from a letter."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.password_validation import validate_password

from engine.registry.models import Person
from onboarding.forms.fields import NameField


class FirstPasswordForm(forms.Form):
    """The first password of a person, passed as the keyword `person`."""

    password = forms.CharField(
        label="Password",
        strip=False,
        help_text="At least 12 characters. Three words that do not belong together are "
        "easy to remember and hard to guess.",
        error_messages={"required": "Enter a password"},
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def __init__(self, *args: Any, person: Person, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.person = person

    def clean_password(self) -> str:
        """Applies the password validators for this person."""
        password: str = self.cleaned_data["password"]
        validate_password(password, self.person)
        return password


class SignInClaimForm(FirstPasswordForm):
    """The name and first password of a new directory sign-in."""

    name = NameField(
        label="Your name",
        max_length=150,
        help_text="As others should find it in the directory.",
        error_messages={"required": "Enter your name"},
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    field_order = ["name", "password"]


class LetterForm(forms.Form):
    """The secure address and the code from a first sign-in letter."""

    address = forms.CharField(
        label="Secure email address",
        max_length=254,
        error_messages={"required": "Enter your secure email address"},
        widget=forms.TextInput(
            attrs={
                "type": "email",
                "autocomplete": "username",
                "autocapitalize": "none",
                "spellcheck": "false",
            }
        ),
    )
    code = forms.CharField(
        label="Code from the letter",
        max_length=60,
        help_text="For example, k7qd-3m9x-2222-3333-4444-5555-6666.",
        error_messages={"required": "Enter the code from the letter"},
        widget=forms.TextInput(
            attrs={
                "autocomplete": "off",
                "autocapitalize": "none",
                "spellcheck": "false",
            }
        ),
    )
