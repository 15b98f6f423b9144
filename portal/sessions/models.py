"""Tables of sign-ins and browser sessions."""

from __future__ import annotations

from importlib import import_module
from typing import ClassVar, cast

from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.base_session import (
    AbstractBaseSession,
    BaseSessionManager,
)
from django.db import models
from django.utils import timezone

from engine.registry.models import Person


class SignIn(models.Model):
    """One attempt to sign in to the website, successful or failed.

    `address` is what was typed, whether or not it exists. `peer` is the client's IP
    address, `network` its network, and `device` the known browser's id.
    """

    address = models.CharField(max_length=254)
    person = models.ForeignKey(
        Person, null=True, on_delete=models.CASCADE, related_name="sign_ins"
    )
    at = models.DateTimeField(default=timezone.now, db_index=True)
    succeeded = models.BooleanField(default=False)
    is_code = models.BooleanField(
        default=False, help_text="failed at the second factor, after the password"
    )
    is_known = models.BooleanField(
        default=False, help_text="from a browser or network that signed in before"
    )
    peer = models.CharField(max_length=45)
    network = models.CharField(max_length=50)
    browser = models.CharField(max_length=60)
    device = models.CharField(max_length=32, blank=True)
    generation = models.PositiveIntegerField(
        default=0, help_text="of the person's sessions when they got in"
    )

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["address", "-at"], name="sign_in_by_address"),
            models.Index(fields=["peer", "-at"], name="sign_in_by_peer"),
            models.Index(fields=["network", "-at"], name="sign_in_by_network"),
            models.Index(fields=["person", "-at"], name="sign_in_by_person"),
        ]

    def __str__(self) -> str:
        return f"{self.address} at {self.at}"


class WebSessionManager(BaseSessionManager["WebSession"]):
    """Finds sessions by person."""

    def open_of(self, person: Person) -> models.QuerySet[WebSession]:
        """Returns the sessions in which the person is signed in, last used first.

        Sessions of an earlier generation are void, whatever their rows say.
        """
        return self.filter(
            person=person,
            generation=person.session_generation,
            expire_date__gt=timezone.now(),
        ).order_by("-seen_at")


class WebSession(AbstractBaseSession):
    """A browser session, with what its owner needs to recognise it.

    It replaces Django's table instead of describing it from a second one: deleting the
    row ends the session, and the list of sessions cannot be stale.
    """

    person = models.ForeignKey(
        Person, null=True, on_delete=models.CASCADE, related_name="web_sessions"
    )
    generation = models.PositiveIntegerField(default=0)
    public_id = models.CharField(
        max_length=32, blank=True, help_text="names it in a page; opens nothing"
    )
    opened_at = models.DateTimeField(null=True)
    seen_at = models.DateTimeField(null=True)
    peer = models.CharField(max_length=45, blank=True)
    browser = models.CharField(max_length=60, blank=True)

    objects: ClassVar[WebSessionManager] = WebSessionManager()

    class Meta:
        indexes = [models.Index(fields=["person", "-seen_at"], name="session_of")]

    @classmethod
    def get_session_store_class(cls) -> type[SessionBase]:
        store = import_module(settings.SESSION_ENGINE)
        return cast(type[SessionBase], store.SessionStore)

    def __str__(self) -> str:
        # Never the session key, which is a credential.
        return f"{self.person or 'Nobody'} by {self.browser or 'no browser'}"
