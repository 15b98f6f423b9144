"""allauth's settings: our forms, and the rate limits that remain."""

from __future__ import annotations

# Failed sign-ins are limited by portal.sessions.sign_in_attempts: allauth's own limits would
# let strangers lock out the owner of an address, and count a whole office as one client.
RATE_LIMITS = {
    "request_sign_in": "20/h/ip,3/h/key",
    "login": None,
    "login_failed": None,
}
FORMS = {
    "login": "portal.account.forms.SignInForm",
    "reauthenticate": "portal.account.forms.ReauthenticateForm",
    "change_password": "portal.account.forms.PasswordChangeForm",
    "reset_password": "portal.account.forms.PasswordResetForm",
    "reset_password_from_key": "portal.account.forms.NewPasswordForm",
}
SECOND_FACTOR_FORMS = {
    "authenticate": "portal.account.second_factor.forms.CodeForm",
    "reauthenticate": "portal.account.second_factor.forms.CodeAgainForm",
    "activate_totp": "portal.account.second_factor.forms.ActivateAppForm",
    "authenticate_webauthn": "portal.account.second_factor.forms.PasskeyForm",
    "login_webauthn": "portal.account.second_factor.forms.PasskeySignInForm",
    "reauthenticate_webauthn": "portal.account.second_factor.forms.PasskeyAgainForm",
    "add_webauthn": "portal.account.second_factor.forms.AddPasskeyForm",
    "edit_webauthn": "portal.account.second_factor.forms.RenamePasskeyForm",
}
