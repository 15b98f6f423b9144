"""Which ready configurations suit a connection, and the text of each."""

from __future__ import annotations

from dataclasses import dataclass

from django.template.loader import render_to_string

from engine.registry.models import Proof, Provider
from onboarding.connecting.setup import quoting
from onboarding.connecting.setup.values import Values


@dataclass(frozen=True, slots=True)
class Guide:
    """One kind of server or provider. `file_name` is empty where there is none."""

    key: str
    title: str
    file_name: str


POSTFIX = Guide("postfix", "Postfix", "postern-main.cf")
EXIM = Guide("exim", "Exim", "postern-exim.conf")
EXCHANGE = Guide("exchange", "Exchange Server", "postern-exchange.ps1")
MICROSOFT = Guide("microsoft", "Microsoft 365", "postern-microsoft365.ps1")
GOOGLE = Guide("google", "Google Workspace", "")
OWN_SERVERS = (POSTFIX, EXIM, EXCHANGE)


def suiting(values: Values) -> tuple[Guide, ...]:
    """Those for the connection's own kind of server."""
    connection = values.connection
    if connection.proof != Proof.CLOUD:
        return OWN_SERVERS
    match connection.provider:
        case Provider.MICROSOFT_365:
            return (MICROSOFT,)
        case Provider.GOOGLE_WORKSPACE:
            return (GOOGLE,)
    return (MICROSOFT, GOOGLE)


def find(key: str, values: Values) -> Guide | None:
    return next((guide for guide in suiting(values) if guide.key == key), None)


def text(guide: Guide, values: Values) -> str:
    """The configuration, with the connection's values in it."""
    q = quoting.powershell
    context = {
        "values": values,
        "connection": values.connection,
        "proof": values.connection.proof,
        "title": quoting.comment(values.organisation_name),
        "community": quoting.comment(values.community_name),
        "quoted": {
            "name": q(f"Secure mail ({values.suffix})"),
            "comment": q(f"{values.community_name}: {values.organisation_name}"),
            "host": q(values.host),
            "suffix": q(values.suffix),
            "below": q(f"*.{values.suffix}"),
            "username": q(values.username),
            "spaces": quoting.powershell_list(
                [f"SMTP:{values.suffix};1", f"SMTP:*.{values.suffix};1"]
            ),
            "senders": quoting.powershell_list(
                [f"smtp:{values.suffix};1", f"smtp:*.{values.suffix};1"]
            ),
        },
    }
    return render_to_string(f"connecting/{guide.key}.txt", context)
