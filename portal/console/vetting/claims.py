"""An applicant's claims, as sections of labels and values."""

from __future__ import annotations

from dataclasses import dataclass

from engine.registry.models import AccountType, Proof
from onboarding.models import Application

Rows = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Section:
    """Claims under one heading, as label and value, without empty values."""

    title: str
    rows: Rows


def sections(application: Application) -> list[Section]:
    """Returns the claims by section."""
    made = [
        Section("Organisation", _organisation(application)),
        Section("Connection", _connection(application)),
        Section("Applicant", _applicant(application)),
        Section("Second administrator", _second(application)),
    ]
    return [
        Section(section.title, [row for row in section.rows if row[1]])
        for section in made
        if section.rows
    ]


def _organisation(application: Application) -> Rows:
    return [
        ("Name", application.organisation_name),
        ("Kind", application.get_kind_display()),
        ("Town", application.town),
        ("Only one user", "Yes" if application.is_sole_user else "No"),
    ]


def _connection(application: Application) -> Rows:
    is_relayed = not application.is_hosted
    proof = Proof(application.proof).label if application.proof else ""
    server = f"{application.next_hop_host}, port {application.next_hop_port}"
    return [
        ("Account type", AccountType(application.account_type).label),
        ("Own domain", application.member_domain),
        ("Domain in the community", application.community_domain),
        ("Server that receives", server if is_relayed else ""),
        ("Proof when sending", proof),
        ("Sends from", ", ".join(application.source_networks)),
        ("Client certificate", application.certificate_name),
        ("Provider", application.get_provider_display()),
        ("Tenant", application.tenant_id),
    ]


def _applicant(application: Application) -> Rows:
    return [
        ("Name", application.applicant_name),
        ("Job title", application.applicant_job_title),
        ("Telephone", application.applicant_phone),
        ("Everyday email address", f"{application.everyday_address}, confirmed"),
        ("Future secure address", str(application.administrator_address)),
    ]


def _second(application: Application) -> Rows:
    if not application.second_address:
        return []
    return [
        ("Name", application.second_name),
        ("Job title", application.second_job_title),
        ("Everyday email address", application.second_address),
        ("Future secure address", str(application.second_administrator_address)),
    ]
