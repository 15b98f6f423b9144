"""TLS reports that arrived, and the failures that they tell of."""

from __future__ import annotations

from django.db import models

NAME_LENGTH, HOST_LENGTH, REASON_LENGTH, ADDRESS_LENGTH = 200, 255, 300, 400


class Report(models.Model):
    """One report: how many sessions one organisation's servers had with ours in a time."""

    reporter = models.CharField(max_length=NAME_LENGTH, help_text="organization-name")
    report_id = models.CharField(max_length=NAME_LENGTH)
    contact = models.CharField(max_length=NAME_LENGTH, blank=True)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    received_at = models.DateTimeField(db_index=True)
    # Not a foreign key: the report outlives the organisation.
    organisation_id = models.BigIntegerField(
        default=0, help_text="whose connection it came by; 0 for no organisation"
    )
    sender = models.CharField(max_length=254, blank=True)
    successes = models.BigIntegerField(default=0, help_text="sessions")
    failures = models.BigIntegerField(default=0, help_text="sessions")

    class Meta:
        constraints = [
            # Not by the name alone, which anybody can write.
            models.UniqueConstraint(
                fields=["organisation_id", "reporter", "report_id"],
                name="tls_report_once",
            )
        ]
        indexes = [models.Index(fields=["starts_at", "id"], name="tls_report_day")]

    def __str__(self) -> str:
        return f"{self.reporter}: {self.report_id}"


class Failure(models.Model):
    """Sessions of one report that failed for one reason (RFC 8460 §4.3)."""

    report = models.ForeignKey(
        Report, on_delete=models.CASCADE, related_name="failure_details"
    )
    policy_domain = models.CharField(max_length=HOST_LENGTH)
    policy_type = models.CharField(max_length=20)
    result_type = models.CharField(max_length=40)
    sessions = models.BigIntegerField()
    receiving_host = models.CharField(max_length=HOST_LENGTH, blank=True)
    sending_address = models.CharField(max_length=45, blank=True)
    reason = models.CharField(max_length=REASON_LENGTH, blank=True)

    def __str__(self) -> str:
        return f"{self.result_type}: {self.sessions}"


class Session(models.Model):
    """One session with a next hop that was tried, kept until its day was reported."""

    at = models.DateTimeField()
    policy_type = models.CharField(max_length=20)
    policy_domain = models.CharField(max_length=HOST_LENGTH)
    policy = models.JSONField(
        default=list, help_text="its strings, as reports quote it"
    )
    host = models.CharField(max_length=HOST_LENGTH)
    result = models.CharField(max_length=40, blank=True, help_text="empty: encrypted")

    class Meta:
        indexes = [models.Index(fields=["at", "policy_domain"], name="tls_session_at")]

    def __str__(self) -> str:
        return f"{self.policy_domain}: {self.result or 'encrypted'}"


class SentReport(models.Model):
    """That a domain got its report of one day (UTC) at one address.

    One row without an address says that it wants no more, or never wanted any.
    """

    policy_domain = models.CharField(max_length=HOST_LENGTH)
    day = models.DateField()
    address = models.CharField(max_length=ADDRESS_LENGTH, blank=True)
    made_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["policy_domain", "day", "address"], name="tls_report_sent_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.policy_domain}: {self.day}"
