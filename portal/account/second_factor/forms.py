"""allauth's forms for codes and passkeys, with codes that are accepted once."""

from __future__ import annotations

from typing import Any

from allauth.core import context
from allauth.mfa.adapter import get_adapter
from allauth.mfa.base import forms as mfa
from allauth.mfa.models import Authenticator
from allauth.mfa.totp import forms as totp
from allauth.mfa.webauthn import forms as webauthn
from allauth.mfa.webauthn.internal.auth import parse_authentication_response
from django import forms
from django.utils.translation import gettext_lazy as _

from portal.account import failed_sign_ins
from portal.account.second_factor import one_time_codes
from portal.sessions import sign_in_attempts

CODE_ATTRS = {
    "autocomplete": "one-time-code",
    "autocapitalize": "none",
    "spellcheck": "false",
    "class": "govuk-input--width-10",
}


class CodeForm(mfa.AuthenticateForm):
    """Asks for a code after the password."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _explain_code(self)

    def clean_code(self) -> str:
        """Records failures: a person who fails here knows the password."""
        try:
            return _clean_code(self, is_code=True)
        except forms.ValidationError:
            failed_sign_ins.note_wrong_code(self.user)
            raise


class CodeAgainForm(mfa.ReauthenticateForm):
    """Asks for a code again before a sensitive change."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _explain_code(self)

    def clean_code(self) -> str:
        return _clean_code(self)


class ActivateAppForm(totp.ActivateTOTPForm):
    """Sets up an authenticator app."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"].label = _("Code from your app")
        self.fields["code"].widget.attrs = {**CODE_ATTRS, "inputmode": "numeric"}

    def clean_code(self) -> str:
        """Uses up the code that confirms the app, as any other."""
        code = _without_spaces(self.cleaned_data["code"])
        with sign_in_attempts.counted(context.request, self.user):
            if not one_time_codes.accept(self.secret, code):
                raise get_adapter().validation_error("incorrect_code")
        return code


class _OnlyOnePasskey(webauthn.AuthenticateWebAuthnForm):
    """Refuses a passkey whose signature count went back: it has been cloned."""

    def clean_credential(self) -> Authenticator:
        said = self.cleaned_data["credential"]
        found = super().clean_credential()
        signed = parse_authentication_response(said).response.authenticator_data
        if not one_time_codes.accept_signature(found, signed.counter):
            raise get_adapter().validation_error("incorrect_code")
        return found


class PasskeyForm(_OnlyOnePasskey):
    """Asks for a passkey after the password."""


class PasskeySignInForm(_OnlyOnePasskey, webauthn.LoginWebAuthnForm):
    """Signs in with a passkey alone."""


class PasskeyAgainForm(_OnlyOnePasskey, webauthn.ReauthenticateWebAuthnForm):
    """Asks for a passkey again before a sensitive change."""


class AddPasskeyForm(webauthn.AddWebAuthnForm):
    """Adds a passkey. Each may sign in alone: it proves possession and identity."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        name = self.fields["name"]
        name.label = _("Name of the passkey")
        name.help_text = _("So that you can recognise it, for example “Work phone”.")
        name.required = True
        name.widget.attrs["class"] = "govuk-input--width-20"
        self.fields["passwordless"].initial = True
        self.fields["passwordless"].label = _("Let me sign in with this passkey alone")
        self.fields["passwordless"].help_text = _(
            "It must then ask for your fingerprint, your face or a PIN."
        )


class RenamePasskeyForm(webauthn.EditWebAuthnForm):
    """Renames a passkey."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].label = _("Name of the passkey")
        self.fields["name"].widget.attrs["class"] = "govuk-input--width-20"


def _clean_code(form: mfa.BaseAuthenticateForm, *, is_code: bool = False) -> str:
    """Checks a code as allauth's `clean_code` does, but accepts each only once."""
    code = _without_spaces(form.cleaned_data["code"])
    with sign_in_attempts.counted(context.request, form.user, is_code=is_code):
        found = one_time_codes.authenticator_of(form.user, code)
        if found is None:
            raise get_adapter().validation_error("incorrect_code")
    found.user = form.user
    form.authenticator = found
    return code


def _explain_code(form: forms.Form) -> None:
    form.fields["code"].label = _("Code")
    form.fields["code"].help_text = _(
        "The 6 digits that your authenticator app shows, or one of your recovery codes."
    )
    form.fields["code"].widget.attrs = dict(CODE_ATTRS)


def _without_spaces(code: str) -> str:
    """Removes spaces: apps show "123 456", and people type what they see."""
    return "".join(code.split())
