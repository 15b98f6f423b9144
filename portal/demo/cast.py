"""Who is in the demo community: plain facts, the same in every copy."""

from __future__ import annotations

from dataclasses import dataclass, field

from engine.registry.models import AccountType, Kind, Posting, Proof, Provider, RoleName


@dataclass(frozen=True)
class Gate:
    """How an organisation's own server is joined. `hop` counts from the demo's first
    next-hop port; `tls_name` is in the certificate that the server must show.
    """

    proof: Proof
    hop: int
    tls_name: str
    provider: Provider | None = None
    tenant_id: str = ""


@dataclass(frozen=True)
class Who:
    """A person; their role tells what they do in their organisation or for everyone."""

    local: str
    name: str
    job_title: str
    role: RoleName = RoleName.MEMBER
    is_ex_directory: bool = False


@dataclass(frozen=True)
class Team:
    """A group mailbox, and the rights in it: r(ead), w(rite), s(end), by local part."""

    local: str
    name: str
    rights: dict[str, str]


@dataclass(frozen=True)
class Circle:
    """A distribution list; members in community form, from anywhere."""

    local: str
    name: str
    posting: Posting
    members: tuple[str, ...]


@dataclass(frozen=True)
class Place:
    """An organisation. `{suffix}` in a domain stands for the community's own."""

    name: str
    kind: Kind
    account_type: AccountType
    town: str
    domain: str
    people: tuple[Who, ...]
    gate: Gate | None = None
    teams: tuple[Team, ...] = ()
    circles: tuple[Circle, ...] = ()
    aliases: dict[str, str] = field(default_factory=dict)


SERVICE = Place(
    name="Postern service desk",
    kind=Kind.OPERATOR,
    account_type=AccountType.WEBMAIL,
    town="Leeds",
    domain="{suffix}",
    people=(
        Who("vera", "Vera Lindsay", "Vetting officer", RoleName.VETTING_OFFICER),
        Who("hugh", "Hugh Bell", "Helpdesk agent", RoleName.HELPDESK_AGENT),
        Who("olive", "Olive Grant", "Operator", RoleName.OPERATOR),
        Who("edith", "Edith Moss", "Guide editor", RoleName.GUIDE_EDITOR),
        Who("arun", "Arun Das", "Auditor", RoleName.AUDITOR),
        # For public bodies two officers must agree.
        Who("nora", "Nora Webb", "Vetting officer", RoleName.VETTING_OFFICER),
    ),
    teams=(Team("helpdesk", "Helpdesk", {"hugh": "rws", "olive": "rws"}),),
    aliases={"postmaster": "helpdesk", "notices": "helpdesk"},
)
COURT = Place(
    name="Northgate Crown Court",
    kind=Kind.COURT,
    account_type=AccountType.WEBMAIL,
    town="Northgate",
    domain="northgate.{suffix}",
    people=(
        Who("alice", "Alice Marsh", "Delivery manager", RoleName.ADMINISTRATOR),
        Who("ben", "Ben Okafor", "Listing officer"),
        Who("priya", "Priya Nair", "Court clerk"),
    ),
    teams=(
        Team("listing", "Listing office", {"alice": "rws", "ben": "rws", "priya": "r"}),
    ),
    circles=(
        Circle(
            "court-users",
            "Northgate court users",
            Posting.MEMBERS,
            (
                "listing@northgate.{suffix}",
                "alice@northgate.{suffix}",
                "grace@harbour.{suffix}",
                "jane@marlowfinch.example.{suffix}",
                "helen@eastvale.example.{suffix}",
            ),
        ),
    ),
)
CHAMBERS = Place(
    name="Harbour Chambers",
    kind=Kind.BARRISTER,
    account_type=AccountType.WEBMAIL,
    town="Harbour Quay",
    domain="harbour.{suffix}",
    people=(
        Who("grace", "Grace Lindqvist", "Senior clerk", RoleName.ADMINISTRATOR),
        Who("david", "David Osei", "Barrister"),
        Who("mei", "Mei Tan", "Barrister", is_ex_directory=True),
    ),
)
FIRM = Place(
    name="Marlow Finch Solicitors",
    kind=Kind.LAW_FIRM,
    account_type=AccountType.SMTP,
    town="Northgate",
    domain="marlowfinch.example",
    people=(
        Who("jane", "Jane Finch", "Partner", RoleName.ADMINISTRATOR),
        Who("tom", "Tom Hale", "Solicitor"),
    ),
    gate=Gate(Proof.CREDENTIAL, 0, "mail.marlowfinch.example"),
    teams=(Team("crime", "Crime team", {"jane": "rws", "tom": "rw"}),),
)
COUNCIL = Place(
    name="Eastvale Council",
    kind=Kind.COUNCIL,
    account_type=AccountType.CLOUD_GATEWAY,
    town="Eastvale",
    domain="eastvale.example",
    people=(
        Who("helen", "Helen Shaw", "Systems manager", RoleName.ADMINISTRATOR),
        Who("omar", "Omar Aziz", "Youth justice worker"),
    ),
    gate=Gate(
        Proof.CLOUD,
        1,
        "eastvale-example.mail.protection.outlook.com",
        provider=Provider.MICROSOFT_365,
        tenant_id="5b1f2c9e-6d0a-4f7b-9a35-0c8e7d2f4b61",
    ),
)
POLICE = Place(
    name="Fenland Police",
    kind=Kind.POLICE,
    account_type=AccountType.TRUSTED_DOMAIN,
    town="Fenland",
    domain="fenland.police.example",
    people=(Who("ruth", "Ruth Cole", "Disclosure officer"),),
    gate=Gate(Proof.CERTIFICATE, 2, "mail.fenland.police.example"),
)
PLACES = (SERVICE, COURT, CHAMBERS, FIRM, COUNCIL, POLICE)
