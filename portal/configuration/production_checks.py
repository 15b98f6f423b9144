"""What must be right before the service serves real people."""

from __future__ import annotations

import math
import re
import ssl
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from ipaddress import IPv4Network, IPv6Network
from itertools import pairwise
from pathlib import Path
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from engine.certificates import CertificateError, Files
from portal.configuration import database_url
from portal.configuration.environment import DEVELOPMENT_SIGNING_KEY, Environment

# Written by the demo community beside the state that it fills.
DEMO_FILE = "demo.json"
SHORTEST_SECRET = 50
# Bits that the key must carry as `entropy` estimates them: what the digests of secrets
# stand on. Of 2,000 random keys of 50 hexadecimal digits the poorest showed 140.
LEAST_ENTROPY = 128
# Letters that may be a word, and the bits that one carries in English (Shannon, 1951).
_WORDS = re.compile(r"[A-Z]?[a-z]{4,}|[A-Z]{4,}")
_BITS_OF_ENGLISH = 1.5
# What POSTERN_SMTP_NAME is where nobody set it.
UNSET_NAMES = ("localhost", "127.0.0.1")
# Ofcom, "Telephone numbers for use in TV and radio drama programmes": a thousand each.
_DRAMA = re.compile(
    r"(?:011[3-8]496|01[2-6]1496|0191498|0207946|0289018|0292018)0\d{3}|02896496\d{3}"
    r"|(?:01632960|07700900|03069990|08081570|09098790)\d{3}"
)
# The widest network that one community's own proxies can fill, by IP version; the
# largest private block, 10.0.0.0/8, is no wider.
WIDEST_PROXIES = {4: 8, 6: 32}
_MAPPED = IPv6Network("::ffff:0:0/96")
# A proxy on the internet is one machine or a few.
WIDEST_PUBLIC_PROXIES = {4: 22, 6: 48}


class NotReadyError(ImproperlyConfigured):
    """The environment is not fit for production. The message says what to set."""


def check(environment: Environment) -> None:
    """Raise NotReadyError with every fault at once; nothing outside production."""
    if environment.env != "production":
        return
    faults = list(_faults(environment))
    if faults:
        lines = "\n".join(f"  - {fault}" for fault in faults)
        raise NotReadyError(
            f"Postern does not start with POSTERN_ENV=production:\n{lines}"
        )


def _faults(environment: Environment) -> Iterator[str]:
    yield from _faults_of_secrets(environment)
    yield from _faults_of_the_web(environment)
    yield from _faults_of_mail(environment)
    yield from _faults_of_tls(environment)


def _faults_of_secrets(environment: Environment) -> Iterator[str]:
    if environment.path(DEMO_FILE).exists():
        yield (
            f"{environment.path()} holds the demo community. "
            "Set POSTERN_VAR to an empty folder."
        )
    if environment.secret_key == DEVELOPMENT_SIGNING_KEY:
        yield "The secret key is the public one. Set POSTERN_SECRET_KEY."
    elif len(environment.secret_key) < SHORTEST_SECRET:
        yield f"Set POSTERN_SECRET_KEY to at least {SHORTEST_SECRET} characters."
    elif entropy(environment.secret_key) < LEAST_ENTROPY:
        yield (
            "The secret key can be guessed: it repeats itself. Set POSTERN_SECRET_KEY to "
            'what this prints: python3 -c "import secrets; print(secrets.token_urlsafe(48))"'
        )
    for earlier in environment.secret_key_fallbacks:
        if earlier == DEVELOPMENT_SIGNING_KEY or entropy(earlier) < LEAST_ENTROPY:
            yield (
                "One of the earlier secret keys can be guessed, and would open as much as "
                "the new one. Take it out of POSTERN_SECRET_KEY_FALLBACKS."
            )
    if environment.probe_private_addresses:
        yield (
            "Strangers could have our own network probed. "
            "Set POSTERN_PROBE_PRIVATE_ADDRESSES=false."
        )
    if environment.debug:
        yield "Debugging shows secrets. Set POSTERN_DEBUG=false."
    is_sqlite = database_url.is_sqlite(environment.database_url)
    if is_sqlite and not environment.sqlite_in_production:
        yield (
            "The database is SQLite, for one machine only. Set POSTERN_DATABASE_URL to "
            "PostgreSQL, or POSTERN_SQLITE_IN_PRODUCTION=true."
        )


def _faults_of_the_web(environment: Environment) -> Iterator[str]:
    site = urlsplit(environment.web_url)
    if site.scheme != "https" or not site.hostname:
        yield (
            "Links in letters and notices must lead to the service. "
            "Set POSTERN_WEB_URL to its https:// address."
        )
    elif site.hostname not in environment.allowed_hosts:
        yield f'Nobody would be answered. Set POSTERN_ALLOWED_HOSTS to ["{site.hostname}"].'
    for host in environment.allowed_hosts:
        # Django takes "*" and ".name" for all hosts and for all below a name.
        if "*" in host or host.startswith(".") or not host:
            yield (
                f'"{host}" lets a request choose the host of its links. Set '
                "POSTERN_ALLOWED_HOSTS to whole names only."
            )
    for network in environment.trusted_proxies:
        if _is_too_wide(network):
            yield (
                f"Whoever connects from {network} could say who they are. Set "
                "POSTERN_TRUSTED_PROXIES to the addresses of the proxies only."
            )
    if not environment.trusted_proxies:
        yield (
            "All visitors would seem to come from one address. Set "
            'POSTERN_TRUSTED_PROXIES to the networks of the proxies, such as ["10.0.0.0/28"].'
        )


def entropy(key: str) -> float:
    """The least of several estimates of how many bits somebody must guess.

    By the frequency of its characters, with letters in words at what English carries;
    by that of the steps between characters, which finds what counts up; and by what
    deflate leaves of it, which finds what repeats.
    """
    in_words = sum(map(len, _WORDS.findall(key)))
    by_character = _shannon(key) / len(key) if key else 0.0
    words = by_character * (len(key) - in_words) + _BITS_OF_ENGLISH * in_words
    steps = [ord(later) - ord(earlier) for earlier, later in pairwise(key)]
    # Deflate spends 8 bits on an octet of which base64 uses 6, and some on its frame.
    compressed = (len(zlib.compress(key.encode(), 9)) - 8) * 6
    return min(words, _shannon(steps), compressed)


def _shannon(symbols: Sequence[object]) -> float:
    total = len(symbols)
    counts = Counter(symbols).values()
    return -sum(count * math.log2(count / total) for count in counts)


def is_invented(phone: str) -> bool:
    """Whether a telephone number is one that Ofcom keeps for use in drama."""
    digits = re.sub(r"\D", "", phone.replace("(0)", ""))
    national = re.sub(r"^(?:0044|44)", "0", digits)
    return _DRAMA.fullmatch(national) is not None


def _is_too_wide(network: IPv4Network | IPv6Network) -> bool:
    if network.version == 6 and network.subnet_of(_MAPPED):
        first = int(network.network_address) & 0xFFFF_FFFF
        network = IPv4Network((first, network.prefixlen - 96))
    widest = WIDEST_PROXIES if network.is_private else WIDEST_PUBLIC_PROXIES
    return network.prefixlen < widest[network.version]


def _faults_of_mail(environment: Environment) -> Iterator[str]:
    if environment.community_domain.endswith(".example"):
        yield "Set POSTERN_COMMUNITY_DOMAIN to the community's own domain."
    if environment.smtp_name in UNSET_NAMES:
        yield "Set POSTERN_SMTP_NAME to the name that is in the mail certificate."
    if environment.provider_networks:
        yield (
            "Others could pass for a cloud provider. Unset POSTERN_PROVIDER_NETWORKS."
        )
    if is_invented(environment.helpdesk_phone):
        yield (
            f"{environment.helpdesk_phone} is a number for films, which nobody answers. "
            "Set POSTERN_HELPDESK_PHONE to the helpdesk's own."
        )
    if not environment.smarthost:
        yield (
            "Notices to everyday addresses would go nowhere. "
            "Set POSTERN_SMARTHOST to user:password@host:port."
        )
    if environment.clamd in ("", "off"):
        yield (
            "Mail would not be scanned by ClamAV. "
            "Set POSTERN_CLAMD to its socket or host:port."
        )


def _faults_of_tls(environment: Environment) -> Iterator[str]:
    files = {
        "POSTERN_TLS_CERT_FILE": environment.tls_cert_file,
        "POSTERN_TLS_KEY_FILE": environment.tls_key_file,
        "POSTERN_TLS_CA_FILE": environment.tls_ca_file,
    }
    missing = [name for name, file in files.items() if not Path(file).is_file()]
    for name in missing:
        yield f"{files[name] or 'No file'} cannot be read. Set {name}."
    if not missing:
        yield from _faults_of_certificate(environment, Files(*files.values()))


def _faults_of_certificate(environment: Environment, files: Files) -> Iterator[str]:
    try:
        files.load_into(ssl.create_default_context(ssl.Purpose.CLIENT_AUTH))
        is_ours = files.is_for(environment.smtp_name)
    except (CertificateError, OSError, ValueError) as error:
        yield f"{error} See POSTERN_TLS_CERT_FILE, _KEY_FILE and _CA_FILE."
        return
    if not is_ours and environment.smtp_name not in UNSET_NAMES:
        yield (
            f"The certificate in {files.cert} is not for {environment.smtp_name}: members' "
            "servers would not send. Set POSTERN_SMTP_NAME or POSTERN_TLS_CERT_FILE."
        )
