"""allauth's forms for signing in and passwords, and forms of the account's pages."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from allauth.account import forms as account
from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from engine import calendar_days
from portal.account import tasks
from portal.account.address_lookup import address_key

ADDRESS_ATTRS = {
    "autocomplete": "username",
    "autocapitalize": "none",
    "spellcheck": "false",
    "type": "email",
}


EVERYDAY_ADDRESS = _(
    "If this is your everyday address, to which notices go: it does not work here. In "
    "webmail your secure address ends in .%(suffix)s."
)


class SignInForm(account.LoginForm):
    """The sign-in form, with the address as the user name."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"] = forms.CharField(
            label=_("Secure email address"),
            max_length=254,
            widget=forms.TextInput(attrs=ADDRESS_ATTRS),
            error_messages={"required": _("Enter your secure email address")},
        )
        self.fields["password"].help_text = ""
        self.fields["password"].error_messages["required"] = _("Enter your password")
        _drop_placeholders(self)
        self.order_fields(["login", "password"])

    def clean_login(self) -> str:
        return address_key(self.cleaned_data["login"])

    def clean(self) -> dict[str, Any]:
        """Raises ValidationError, with a hint about everyday addresses.

        The hint follows from the text that was typed alone, so that it discloses nothing.
        """
        try:
            cleaned: dict[str, Any] = super().clean()
        except ValidationError as error:
            suffix = settings.POSTERN.community_domain
            # Not what it was cleaned to, which tells members' domains from others.
            typed = self.data.get("login", "").strip().casefold()
            if typed.endswith((f".{suffix}", f"@{suffix}")):
                raise
            hint = EVERYDAY_ADDRESS % {"suffix": suffix}
            raise ValidationError([error, hint]) from error
        return cleaned


class PasswordResetForm(forms.Form):
    """Requests a password reset. allauth requires the field name `email`."""

    email = forms.CharField(
        label=_("Secure email address"),
        max_length=254,
        widget=forms.TextInput(attrs=ADDRESS_ATTRS),
        error_messages={"required": _("Enter your secure email address")},
    )

    def clean_email(self) -> str:
        return address_key(self.cleaned_data["email"])

    def save(self, request: HttpRequest, **kwargs: Any) -> str:
        """Queues the mail with the link, and returns the address.

        The job is queued for any address, so that the response does not disclose whether
        an account exists.
        """
        tasks.ask_password_reset(self.cleaned_data["email"])
        return str(self.cleaned_data["email"])


class NewPasswordForm(account.ResetPasswordKeyForm):
    """Chooses a new password after a reset."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _explain_new_password(self)


class PasswordChangeForm(account.ChangePasswordForm):
    """Changes the password."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["oldpassword"].label = _("Current password")
        self.fields["oldpassword"].help_text = ""
        _explain_new_password(self)


class ReauthenticateForm(account.ReauthenticateForm):
    """Asks for the password again."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password"].help_text = ""
        _drop_placeholders(self)


class AppPasswordForm(forms.Form):
    """Creates an app password."""

    name = forms.CharField(
        label=_("Name of the device or program"),
        help_text=_("So that you can recognise it, for example “Outlook at work”."),
        max_length=100,
        error_messages={"required": _("Enter a name for the device or program")},
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "class": "govuk-input--width-20"}
        ),
    )
    lasts = forms.TypedChoiceField(
        label=_("How long it lasts"),
        choices=[
            ("", _("Until I revoke it")),
            ("365", _("One year")),
            ("30", _("30 days, for a borrowed device")),
        ],
        coerce=int,
        empty_value=None,
        required=False,
    )

    def expires_at(self) -> datetime | None:
        """Returns when it expires; None where it is valid until revoked."""
        days = self.cleaned_data["lasts"]
        return calendar_days.expiry(timezone.now(), days) if days else None


class SignOutEverywhereForm(forms.Form):
    """Ends all other sessions, and optionally all app passwords."""

    ends_app_passwords = forms.BooleanField(
        label=_("Also end all my app passwords"),
        help_text=_(
            "Choose this when a device was lost or stolen, or when you do not recognise "
            "a sign-in. Every mail program then needs a new one."
        ),
        required=False,
    )


def _explain_new_password(form: forms.Form) -> None:
    _drop_placeholders(form)
    form.fields["password1"].label = _("New password")
    form.fields["password1"].help_text = _(
        "At least 12 characters. Three random words make a good password."
    )
    form.fields["password2"].label = _("New password again")


def _drop_placeholders(form: forms.Form) -> None:
    for field in form.fields.values():
        field.widget.attrs.pop("placeholder", None)
