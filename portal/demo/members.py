"""The organisations and people of the demo community, the same in every copy."""

from __future__ import annotations

from dataclasses import dataclass, field

from engine.registry.models import AccountType, Kind, Posting, Proof, Provider, RoleName


@dataclass(frozen=True)
class DemoConnection:
    """The connection of an organisation's own mail server.

    `hop` is added to the demo's first next-hop port. `tls_name` is the name in the
    certificate that the server must present.
    """

    proof: Proof
    hop: int
    tls_name: str
    provider: Provider | None = None
    tenant_id: str = ""


@dataclass(frozen=True)
class DemoPerson:
    """A person, with a role in their organisation or on the community's staff."""

    local: str
    name: str
    job_title: str
    role: RoleName = RoleName.MEMBER
    is_ex_directory: bool = False


@dataclass(frozen=True)
class DemoGroupMailbox:
    """A group mailbox. `rights` maps local parts to r(ead), w(rite) and s(end)."""

    local: str
    name: str
    rights: dict[str, str]


@dataclass(frozen=True)
class DemoList:
    """A distribution list. Members are community addresses of any organisation."""

    local: str
    name: str
    posting: Posting
    members: tuple[str, ...]


@dataclass(frozen=True)
class DemoOrganisation:
    """An organisation. `{suffix}` in a domain stands for the community's domain."""

    name: str
    kind: Kind
    account_type: AccountType
    town: str
    domain: str
    people: tuple[DemoPerson, ...]
    connection: DemoConnection | None = None
    group_mailboxes: tuple[DemoGroupMailbox, ...] = ()
    lists: tuple[DemoList, ...] = ()
    aliases: dict[str, str] = field(default_factory=dict)


SERVICE = DemoOrganisation(
    name="Postern service desk",
    kind=Kind.OPERATOR,
    account_type=AccountType.WEBMAIL,
    town="Leeds",
    domain="{suffix}",
    people=(
        DemoPerson("vera", "Vera Lindsay", "Vetting officer", RoleName.VETTING_OFFICER),
        DemoPerson("hugh", "Hugh Bell", "Helpdesk agent", RoleName.HELPDESK_AGENT),
        DemoPerson("olive", "Olive Grant", "Operator", RoleName.OPERATOR),
        DemoPerson("edith", "Edith Moss", "Guide editor", RoleName.GUIDE_EDITOR),
        DemoPerson("arun", "Arun Das", "Auditor", RoleName.AUDITOR),
        # For public bodies two officers must agree.
        DemoPerson("nora", "Nora Webb", "Vetting officer", RoleName.VETTING_OFFICER),
        # Two operators must approve what a third asks to withdraw.
        DemoPerson("omar", "Omar Reid", "Operator", RoleName.OPERATOR),
        DemoPerson("oona", "Oona Price", "Operator", RoleName.OPERATOR),
    ),
    group_mailboxes=(
        DemoGroupMailbox("helpdesk", "Helpdesk", {"hugh": "rws", "olive": "rws"}),
    ),
    aliases={"postmaster": "helpdesk", "notices": "helpdesk"},
)
COURT = DemoOrganisation(
    name="Northgate Crown Court",
    kind=Kind.COURT,
    account_type=AccountType.WEBMAIL,
    town="Northgate",
    domain="northgate.{suffix}",
    people=(
        DemoPerson("alice", "Alice Marsh", "Delivery manager", RoleName.ADMINISTRATOR),
        DemoPerson("ben", "Ben Okafor", "Listing officer"),
        DemoPerson("priya", "Priya Nair", "Court clerk"),
    ),
    group_mailboxes=(
        DemoGroupMailbox(
            "listing", "Listing office", {"alice": "rws", "ben": "rws", "priya": "r"}
        ),
    ),
    lists=(
        DemoList(
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
CHAMBERS = DemoOrganisation(
    name="Harbour Chambers",
    kind=Kind.BARRISTER,
    account_type=AccountType.WEBMAIL,
    town="Harbour Quay",
    domain="harbour.{suffix}",
    people=(
        DemoPerson("grace", "Grace Lindqvist", "Senior clerk", RoleName.ADMINISTRATOR),
        DemoPerson("david", "David Osei", "Barrister"),
        DemoPerson("mei", "Mei Tan", "Barrister", is_ex_directory=True),
    ),
)
FIRM = DemoOrganisation(
    name="Marlow Finch Solicitors",
    kind=Kind.LAW_FIRM,
    account_type=AccountType.SMTP,
    town="Northgate",
    domain="marlowfinch.example",
    people=(
        DemoPerson("jane", "Jane Finch", "Partner", RoleName.ADMINISTRATOR),
        DemoPerson("tom", "Tom Hale", "Solicitor"),
    ),
    connection=DemoConnection(Proof.CREDENTIAL, 0, "mail.marlowfinch.example"),
    group_mailboxes=(
        DemoGroupMailbox("crime", "Crime team", {"jane": "rws", "tom": "rw"}),
    ),
)
COUNCIL = DemoOrganisation(
    name="Eastvale Council",
    kind=Kind.COUNCIL,
    account_type=AccountType.CLOUD_GATEWAY,
    town="Eastvale",
    domain="eastvale.example",
    people=(
        DemoPerson("helen", "Helen Shaw", "Systems manager", RoleName.ADMINISTRATOR),
        DemoPerson("omar", "Omar Aziz", "Youth justice worker"),
    ),
    connection=DemoConnection(
        Proof.CLOUD,
        1,
        "eastvale-example.mail.protection.outlook.com",
        provider=Provider.MICROSOFT_365,
        tenant_id="5b1f2c9e-6d0a-4f7b-9a35-0c8e7d2f4b61",
    ),
)
POLICE = DemoOrganisation(
    name="Fenland Police",
    kind=Kind.POLICE,
    account_type=AccountType.TRUSTED_DOMAIN,
    town="Fenland",
    domain="fenland.police.example",
    people=(DemoPerson("ruth", "Ruth Cole", "Disclosure officer"),),
    connection=DemoConnection(Proof.CERTIFICATE, 2, "mail.fenland.police.example"),
)
ORGANISATIONS = (SERVICE, COURT, CHAMBERS, FIRM, COUNCIL, POLICE)
