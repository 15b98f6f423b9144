"""Ready-made configurations for mail servers and providers, with a connection's values.

Text from strangers, such as an organisation's name, ends up in scripts that an
administrator runs, so everything inserted is quoted.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.template.loader import render_to_string

from engine.registry.models import Proof, Provider
from onboarding.connecting.connection_values import ConnectionValues

# PowerShell treats each of these as a single quotation mark.
_QUOTES = "'\u2018\u2019\u201a\u201b"


@dataclass(frozen=True, slots=True)
class Guide:
    """A guide for a kind of server or provider. `file_name` is "" if it has no file."""

    key: str
    title: str
    file_name: str


POSTFIX = Guide("postfix", "Postfix", "postern-main.cf")
EXIM = Guide("exim", "Exim", "postern-exim.conf")
EXCHANGE = Guide("exchange", "Exchange Server", "postern-exchange.ps1")
MICROSOFT = Guide("microsoft", "Microsoft 365", "postern-microsoft365.ps1")
GOOGLE = Guide("google", "Google Workspace", "")
OWN_SERVERS = (POSTFIX, EXIM, EXCHANGE)


def guides_for(values: ConnectionValues) -> tuple[Guide, ...]:
    """Returns the guides for the connection's kind of server."""
    connection = values.connection
    if connection.proof != Proof.CLOUD:
        return OWN_SERVERS
    match connection.provider:
        case Provider.MICROSOFT_365:
            return (MICROSOFT,)
        case Provider.GOOGLE_WORKSPACE:
            return (GOOGLE,)
    return (MICROSOFT, GOOGLE)


def find(key: str, values: ConnectionValues) -> Guide | None:
    """Returns a guide by its key if it fits the connection, or None."""
    return next((guide for guide in guides_for(values) if guide.key == key), None)


def render(guide: Guide, values: ConnectionValues) -> str:
    """Returns the configuration file with the connection's values."""
    q = quote_powershell
    context = {
        "values": values,
        "connection": values.connection,
        "proof": values.connection.proof,
        "title": script_comment(values.organisation_name),
        "community": script_comment(values.community_name),
        "quoted": {
            "name": q(f"Secure mail ({values.suffix})"),
            "comment": q(f"{values.community_name}: {values.organisation_name}"),
            "host": q(values.host),
            "suffix": q(values.suffix),
            "below": q(f"*.{values.suffix}"),
            "username": q(values.username),
            "spaces": quote_powershell_list(
                [f"SMTP:{values.suffix};1", f"SMTP:*.{values.suffix};1"]
            ),
            "senders": quote_powershell_list(
                [f"smtp:{values.suffix};1", f"smtp:*.{values.suffix};1"]
            ),
        },
    }
    return render_to_string(f"connecting/{guide.key}.txt", context)


def quote_powershell(text: str) -> str:
    """Returns a single-quoted string, in which PowerShell expands nothing."""
    doubled = "".join(c * 2 if c in _QUOTES else c for c in _one_line(text))
    return f"'{doubled}'"


def quote_powershell_list(texts: tuple[str, ...] | list[str]) -> str:
    """Returns the items of a PowerShell array."""
    return ", ".join(map(quote_powershell, texts))


def script_comment(text: str) -> str:
    """Returns text that can end neither a comment line nor a PowerShell block comment."""
    return _one_line(text).replace("#>", "# >")


def _one_line(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text).strip()
