"""Routes of the account: ours, and those of allauth's that this service offers.

Sign-up, additional addresses and codes by e-mail are left out. Password reset and second
factor keep allauth's route names, because allauth's own code reverses them.
"""

from __future__ import annotations

from allauth.account import views as account
from allauth.mfa.base import views as mfa
from allauth.mfa.recovery_codes import views as recovery_codes
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as webauthn
from django.urls import include, path, re_path
from django.views.generic import RedirectView

from engine.registry.permissions.view_guards import public, signed_in
from portal.account.second_factor import views as second_factor_views
from portal.account.views import (
    directory_entry,
    directory_sign_in_link,
    everyday_address,
    mailbox_openings,
    overview,
    sessions,
)
from portal.ui import navigation

own = (
    [
        path("", overview.home, name="home"),
        path(
            "directory-sign-in/",
            directory_sign_in_link.request_sign_in,
            name="request_sign_in",
        ),
        path("entry/", directory_entry.edit, name="entry"),
        path("everyday-address/", everyday_address.show, name="recovery"),
        path(
            "everyday-address/change/", everyday_address.change, name="recovery_change"
        ),
        path(
            "everyday-address/refuse/", everyday_address.refuse, name="recovery_refuse"
        ),
        path(
            "everyday-address/refuse/<str:token>/",
            everyday_address.refuse_by_link,
            name="refuse_by_link",
        ),
        path("sessions/", sessions.index, name="sessions"),
        path("sessions/everywhere/", sessions.everywhere, name="sign_out_everywhere"),
        path("sessions/<str:session_id>/end/", sessions.end, name="end_session"),
        path("openings/", mailbox_openings.index, name="openings"),
        path(
            "openings/<int:mailbox_id>/",
            mailbox_openings.index,
            name="mailbox_openings",
        ),
        path("app-passwords/", overview.app_passwords, name="app_passwords"),
        path(
            "app-passwords/<int:app_password_id>/revoke/",
            overview.revoke_app_password,
            name="revoke_app_password",
        ),
    ],
    "account",
)

signing_in = [
    path("login/", public(account.login), name="account_login"),
    path("logout/", public(account.logout), name="account_logout"),
    path("inactive/", public(account.account_inactive), name="account_inactive"),
    path(
        "signup/",
        public(RedirectView.as_view(url=navigation.APPLY)),
        name="account_signup",
    ),
    path(
        "reauthenticate/",
        signed_in(account.reauthenticate),
        name="account_reauthenticate",
    ),
]

password = [
    path("change/", signed_in(account.password_change), name="account_change_password"),
    # allauth sends a person here who wants to change a password and has none.
    path(
        "set/",
        signed_in(RedirectView.as_view(pattern_name="account_reset_password")),
        name="account_set_password",
    ),
    path("reset/", public(account.password_reset), name="account_reset_password"),
    path(
        "reset/done/",
        public(account.password_reset_done),
        name="account_reset_password_done",
    ),
    re_path(
        r"^reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        public(account.password_reset_from_key),
        name="account_reset_password_from_key",
    ),
    path(
        "reset/key/done/",
        public(account.password_reset_from_key_done),
        name="account_reset_password_from_key_done",
    ),
]

second_factor = [
    path("", signed_in(second_factor_views.SecondFactor.as_view()), name="mfa_index"),
    path("authenticate/", public(mfa.authenticate), name="mfa_authenticate"),
    path("reauthenticate/", signed_in(mfa.reauthenticate), name="mfa_reauthenticate"),
    path("totp/activate/", signed_in(totp.activate_totp), name="mfa_activate_totp"),
    path(
        "totp/deactivate/", second_factor_views.remove_app, name="mfa_deactivate_totp"
    ),
    path(
        "recovery-codes/",
        signed_in(recovery_codes.view_recovery_codes),
        name="mfa_view_recovery_codes",
    ),
    path(
        "recovery-codes/generate/",
        signed_in(recovery_codes.generate_recovery_codes),
        name="mfa_generate_recovery_codes",
    ),
    path(
        "recovery-codes/download/",
        signed_in(recovery_codes.download_recovery_codes),
        name="mfa_download_recovery_codes",
    ),
    path("passkeys/", signed_in(webauthn.list_webauthn), name="mfa_list_webauthn"),
    path("passkeys/add/", signed_in(webauthn.add_webauthn), name="mfa_add_webauthn"),
    path(
        "passkeys/reauthenticate/",
        signed_in(webauthn.reauthenticate_webauthn),
        name="mfa_reauthenticate_webauthn",
    ),
    path(
        "passkeys/<int:pk>/remove/",
        second_factor_views.remove_passkey,
        name="mfa_remove_webauthn",
    ),
    path(
        "passkeys/<int:pk>/edit/",
        signed_in(webauthn.edit_webauthn),
        name="mfa_edit_webauthn",
    ),
    path("passkeys/login/", public(webauthn.login_webauthn), name="mfa_login_webauthn"),
]

urlpatterns = [
    path("", include(own)),
    path("", include(signing_in)),
    path("password/", include(password)),
    path("second-factor/", include(second_factor)),
]
