"""allauth's forms in this service's words."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from allauth.account import forms as account
from allauth.core import context
from allauth.mfa.adapter import get_adapter
from allauth.mfa.base import forms as mfa
from allauth.mfa.models import Authenticator
from allauth.mfa.totp import forms as totp
from allauth.mfa.webauthn import forms as webauthn
from allauth.mfa.webauthn.internal.auth import parse_authentication_response
from django import forms
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from portal.account import failed_sign_ins, tasks
from portal.account.address_lookup import address_key
from portal.account.second_factor import one_time_codes
from portal.sessions import sign_in_attempts

ADDRESS_ATTRS = {
    "autocomplete": "username",
    "autocapitalize": "none",
    "spellcheck": "false",
    "type": "email",
}
CODE_ATTRS = {
    "autocomplete": "one-time-code",
    "autocapitalize": "none",
    "spellcheck": "false",
    "class": "govuk-input--width-10",
}


class SignInForm(account.LoginForm):
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


class PasswordResetForm(forms.Form):
    """allauth counts attempts by the field `email`."""

    email = forms.CharField(
        label=_("Secure email address"),
        max_length=254,
        widget=forms.TextInput(attrs=ADDRESS_ATTRS),
        error_messages={"required": _("Enter your secure email address")},
    )

    def clean_email(self) -> str:
        return address_key(self.cleaned_data["email"])

    def save(self, request: HttpRequest, **kwargs: Any) -> str:
        tasks.ask_password_reset(self.cleaned_data["email"])
        return str(self.cleaned_data["email"])


class SignInRequestForm(forms.Form):
    """Whoever reads the mailbox asks for a sign-in to the directory."""

    email = forms.CharField(
        label=_("Work email address"),
        help_text=_(
            "Your own address in your organisation, such as jane@firm.example."
        ),
        max_length=254,
        widget=forms.TextInput(attrs=ADDRESS_ATTRS),
        error_messages={"required": _("Enter your work email address")},
    )

    def clean_email(self) -> str:
        return address_key(self.cleaned_data["email"])


class NewPasswordForm(account.ResetPasswordKeyForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _explain_new_password(self)


class PasswordChangeForm(account.ChangePasswordForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["oldpassword"].label = _("Current password")
        self.fields["oldpassword"].help_text = ""
        _explain_new_password(self)


class ReauthenticateForm(account.ReauthenticateForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password"].help_text = ""
        _drop_placeholders(self)


class CodeForm(mfa.AuthenticateForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _explain_code(self)

    def clean_code(self) -> str:
        """The password was right: somebody who fails here often knows it."""
        try:
            return _clean_code(self, is_code=True)
        except forms.ValidationError:
            failed_sign_ins.note_wrong_code(self.user)
            raise


class CodeAgainForm(mfa.ReauthenticateForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _explain_code(self)

    def clean_code(self) -> str:
        return _clean_code(self)


class ActivateAppForm(totp.ActivateTOTPForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"].label = _("Code from your app")
        self.fields["code"].widget.attrs = {**CODE_ATTRS, "inputmode": "numeric"}

    def clean_code(self) -> str:
        """The code that proves the app is used up by it, as any other is."""
        code = _without_spaces(self.cleaned_data["code"])
        with sign_in_attempts.counted(context.request, self.user):
            if not one_time_codes.accept(self.secret, code):
                raise get_adapter().validation_error("incorrect_code")
        return code


class _OnlyOnePasskey(webauthn.AuthenticateWebAuthnForm):
    """Refuses a passkey whose count of signatures went back: there is a copy of it."""

    def clean_credential(self) -> Authenticator:
        said = self.cleaned_data["credential"]
        found = super().clean_credential()
        signed = parse_authentication_response(said).response.authenticator_data
        if not one_time_codes.accept_signature(found, signed.counter):
            raise get_adapter().validation_error("incorrect_code")
        return found


class PasskeyForm(_OnlyOnePasskey):
    pass


class PasskeySignInForm(_OnlyOnePasskey, webauthn.LoginWebAuthnForm):
    pass


class PasskeyAgainForm(_OnlyOnePasskey, webauthn.ReauthenticateWebAuthnForm):
    pass


class AddPasskeyForm(webauthn.AddWebAuthnForm):
    """Every passkey of ours signs in by itself: it is something you have and are."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        name = self.fields["name"]
        name.label = _("Name of the passkey")
        name.help_text = _("So that you can tell it from others, such as “Work phone”.")
        name.required = True
        name.widget.attrs["class"] = "govuk-input--width-20"
        self.fields["passwordless"].initial = True
        self.fields["passwordless"].label = _("Let me sign in with this passkey alone")
        self.fields["passwordless"].help_text = _(
            "It must then ask for your fingerprint, your face or a PIN."
        )


class RenamePasskeyForm(webauthn.EditWebAuthnForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].label = _("Name of the passkey")
        self.fields["name"].widget.attrs["class"] = "govuk-input--width-20"


class AppPasswordForm(forms.Form):
    name = forms.CharField(
        label=_("Name of the device or program"),
        help_text=_("So that you can tell it from others, such as “Outlook at work”."),
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
        """When it ends by itself; None where only revoking ends it."""
        days = self.cleaned_data["lasts"]
        return timezone.now() + timedelta(days=days) if days else None


class SignOutEverywhereForm(forms.Form):
    ends_app_passwords = forms.BooleanField(
        label=_("Also end all my app passwords"),
        help_text=_(
            "Choose this when a device was lost or stolen, or when you do not recognise "
            "a sign-in. Every mail program then needs a new one."
        ),
        required=False,
    )


def _clean_code(form: mfa.BaseAuthenticateForm, *, is_code: bool = False) -> str:
    """What allauth does in `clean_code`, with codes that are accepted once."""
    code = _without_spaces(form.cleaned_data["code"])
    with sign_in_attempts.counted(context.request, form.user, is_code=is_code):
        found = one_time_codes.authenticator_of(form.user, code)
        if found is None:
            raise get_adapter().validation_error("incorrect_code")
    found.user = form.user
    form.authenticator = found
    return code


def _explain_new_password(form: forms.Form) -> None:
    _drop_placeholders(form)
    form.fields["password1"].label = _("New password")
    form.fields["password1"].help_text = _(
        "At least 12 characters. Three random words make a good password."
    )
    form.fields["password2"].label = _("New password again")


def _explain_code(form: forms.Form) -> None:
    form.fields["code"].label = _("Code")
    form.fields["code"].help_text = _(
        "The 6 digits that your authenticator app shows, or one of your recovery codes."
    )
    form.fields["code"].widget.attrs = dict(CODE_ATTRS)


def _drop_placeholders(form: forms.Form) -> None:
    for field in form.fields.values():
        field.widget.attrs.pop("placeholder", None)


def _without_spaces(code: str) -> str:
    """Apps show "123 456", and people type what they see."""
    return "".join(code.split())
