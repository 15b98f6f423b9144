"""What a link to choose another password is signed with."""

from __future__ import annotations

from django.contrib.auth.tokens import PasswordResetTokenGenerator

from engine.registry.models import Person


class ResetTokens(PasswordResetTokenGenerator):
    """Django's, which end by use and after PASSWORD_RESET_TIMEOUT.

    They also end with the person's sessions: a link that an intruder asked for must not
    outlive the moment at which its owner signed out everywhere.
    """

    def _make_hash_value(self, user: Person, timestamp: int) -> str:
        facts = super()._make_hash_value(user, timestamp)
        return f"{facts}{user.session_generation}"
