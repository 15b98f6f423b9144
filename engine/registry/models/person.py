"""People, and their roles."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth.models import (
    AbstractBaseUser,
    BaseUserManager,
    PermissionsMixin,
)
from django.db import models
from django.utils import timezone
from django.utils.crypto import salted_hmac

from engine.folding.columns import FoundByWords, unwritten_index
from engine.registry.models.change import ChangeKind, Logged, LoggedQuerySet
from engine.registry.models.organisation import Organisation


class RoleName(models.TextChoices):
    """Names of the roles: two inside an organisation, and five of staff."""

    MEMBER = "member", "Member"
    ADMINISTRATOR = "administrator", "Organisation administrator"
    VETTING_OFFICER = "vetting_officer", "Vetting officer"
    HELPDESK_AGENT = "helpdesk_agent", "Helpdesk agent"
    OPERATOR = "operator", "Operator"
    GUIDE_EDITOR = "guide_editor", "Guide editor"
    AUDITOR = "auditor", "Auditor"


class PersonManager(BaseUserManager["Person"]):
    """Creates people for Django's own commands, and for registry.actions."""

    def get_queryset(self) -> LoggedQuerySet[Person]:
        return LoggedQuerySet(self.model, using=self._db)

    def create_user(
        self, address: str, password: str | None = None, **fields: Any
    ) -> Person:
        """Creates a person. Screens and commands use registry.actions, which audits it."""
        person = self.model(address=address.casefold(), **fields)
        person.set_password(password)
        person.save(using=self._db)
        return person

    def create_superuser(
        self, address: str, password: str | None = None, **fields: Any
    ) -> Person:
        """Creates a person with every right, for Django's createsuperuser."""
        return self.create_user(address, password, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> Person:
        """Returns the person with the address, in whatever case it is typed."""
        return self.get(address=(username or "").casefold())


class Person(FoundByWords, AbstractBaseUser, PermissionsMixin):
    """A user of the service, with their address in the community."""

    FOUND_BY = ("name", "address", "job_title")

    address = models.CharField("secure address", max_length=254, unique=True)
    organisation = models.ForeignKey(
        Organisation,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="people",
    )
    name = models.CharField(max_length=150)
    job_title = models.CharField(max_length=150, blank=True)
    phone = models.CharField(max_length=40, blank=True)
    town = models.CharField(max_length=100, blank=True)
    is_ex_directory = models.BooleanField(default=False)
    everyday_address = models.CharField(
        max_length=254,
        blank=True,
        help_text="outside the community, for notices without content and for links "
        "that open the account; only registry.actions.recovery changes it",
    )
    # When a doubtful recovery shut the mailbox, and when it opens again. The end is not
    # set before the first sign-in, since the time runs from there.
    mail_shut_at = models.DateTimeField(null=True, blank=True)
    mail_shut_until = models.DateTimeField(null=True, blank=True)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    first_signed_in_at = models.DateTimeField(
        null=True, blank=True, help_text="when the time to set up a second factor began"
    )
    session_generation = models.PositiveIntegerField(
        default=0,
        help_text="raised to end every session of before: web, POP3 and submission",
    )

    objects = PersonManager()
    logged = Logged.of(ChangeKind.PERSON, "address", "organisation", "is_active")

    USERNAME_FIELD = "address"
    EMAIL_FIELD = "everyday_address"
    REQUIRED_FIELDS = ["name"]

    class Meta:
        ordering = ["name", "id"]
        verbose_name_plural = "people"
        # A page of people by name, everywhere or in one organisation; and of the few who
        # are suspended or kept out of the directory.
        indexes = [
            models.Index(fields=["name", "id"], name="person_by_name"),
            models.Index(
                fields=["organisation", "name", "id"], name="person_in_organisation"
            ),
            models.Index(
                fields=["name", "id"],
                condition=models.Q(is_active=False),
                name="person_suspended",
            ),
            models.Index(
                fields=["organisation", "id"],
                condition=models.Q(is_active=False),
                name="suspended_in_organisation",
            ),
            models.Index(
                fields=["name", "id"],
                condition=models.Q(is_ex_directory=True),
                name="person_ex_directory",
            ),
            unwritten_index("person_no_words"),
        ]

    def __str__(self) -> str:
        return self.address

    @property
    def notice_address(self) -> str:
        """The address for links and notices; empty if there is none.

        The everyday address, or the person's own if another server keeps its mailbox. A
        mailbox kept here would not do: a person who cannot sign in cannot read it.
        """
        is_kept_elsewhere = (
            self.organisation is not None and not self.organisation.is_hosted
        )
        return self.everyday_address or (self.address if is_kept_elsewhere else "")

    @property
    def is_mail_shut(self) -> bool:
        """True while a recovery keeps this person from every mailbox.

        `actions/shut_mail.py` sets it, `permissions` and `credentials` enforce it.
        """
        if self.mail_shut_at is None:
            return False
        return self.mail_shut_until is None or self.mail_shut_until > timezone.now()

    @property
    def audit_key(self) -> str:
        """The key in the audit trail, which tells people from systems."""
        return str(self.pk)

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        """Returns the hash that a web session must carry to be this person's.

        Django compares it at every request (django.contrib.auth.get_user, 5.2), so a
        new password or a new generation ends every session. The generation is a count
        rather than a time: hosts' clocks differ, and a session opened in the millisecond
        of its end could be either side of it.
        """
        return salted_hmac(
            "engine.registry.models.person.session",
            f"{self.session_generation} {self.password}",
            secret=secret or settings.SECRET_KEY,
            algorithm="sha256",
        ).hexdigest()

    def get_full_name(self) -> str:
        """Returns the name, for Django and Wagtail."""
        return self.name

    def get_short_name(self) -> str:
        """Returns the first word of the name, for Django and Wagtail."""
        return self.name.partition(" ")[0]


class OrganisationRole(models.Model):
    """A person's role in an organisation; a supplier may administer several."""

    person = models.ForeignKey(
        Person, on_delete=models.CASCADE, related_name="organisation_roles"
    )
    organisation = models.ForeignKey(
        Organisation, on_delete=models.CASCADE, related_name="roles"
    )
    role = models.CharField(max_length=20, choices=RoleName.choices)
    given_at = models.DateTimeField(
        null=True, blank=True, help_text="when somebody gave it; unset for the first"
    )

    objects = LoggedQuerySet["OrganisationRole"].as_manager()
    # As the organisation's, so that processes of an older version can follow it too.
    logged = Logged.of(
        ChangeKind.ORGANISATION, "person", "organisation", "role", key="organisation_id"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["person", "organisation", "role"], name="organisation_role_once"
            ),
            models.CheckConstraint(
                condition=models.Q(role__in=["member", "administrator"]),
                name="organisation_role_is_not_staff",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person}: {self.role} of {self.organisation}"


class StaffRole(models.Model):
    """A person's staff role, which counts in every organisation."""

    person = models.ForeignKey(
        Person, on_delete=models.CASCADE, related_name="staff_roles"
    )
    role = models.CharField(max_length=20, choices=RoleName.choices)
    given_at = models.DateTimeField(
        null=True, blank=True, help_text="when somebody gave it; unset for the first"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["person", "role"], name="staff_role_once"),
            models.CheckConstraint(
                condition=~models.Q(role__in=["member", "administrator"]),
                name="staff_role_is_staff",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person}: {self.role}"
