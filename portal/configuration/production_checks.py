"""Checks the environment before the service starts in production."""

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

from engine.blobs.s3_address import S3Address
from engine.secrets.certificates import CertificateError, CertificateFiles
from engine.secrets.key_files import HOW_TO_MAKE_ONE, parse_key, read_key_file
from portal.configuration import database_url
from portal.configuration.environment import DEVELOPMENT_SIGNING_KEY, Environment

# The demo community writes this file into the state folder.
DEMO_FILE = "demo.json"
SHORTEST_SECRET = 50
# Bits of entropy that the key must have, as `entropy` estimates them: every digest of a
# secret depends on it. Of 2,000 random keys of 50 hexadecimal digits the lowest had 140.
LEAST_ENTROPY = 128
# Letters that may form a word, and the bits of one letter in English (Shannon, 1951).
_WORDS = re.compile(r"[A-Z]?[a-z]{4,}|[A-Z]{4,}")
_BITS_OF_ENGLISH = 1.5
# The default values of POSTERN_SMTP_NAME.
UNSET_NAMES = ("localhost", "127.0.0.1")
# Ofcom, "Telephone numbers for use in TV and radio drama programmes".
_DRAMA = re.compile(
    r"(?:011[3-8]496|01[2-6]1496|0191498|0207946|0289018|0292018)0\d{3}|02896496\d{3}"
    r"|(?:01632960|07700900|03069990|08081570|09098790)\d{3}"
)
# The shortest prefix of a proxy network, by IP version: that of the largest private block,
# 10.0.0.0/8.
WIDEST_PROXIES = {4: 8, 6: 32}
_MAPPED = IPv6Network("::ffff:0:0/96")
# Public proxies are a few machines.
WIDEST_PUBLIC_PROXIES = {4: 22, 6: 48}


class NotReadyError(ImproperlyConfigured):
    """The environment is not fit for production. The message lists what to set."""


def check(environment: Environment) -> None:
    """Raises NotReadyError listing every fault. Does nothing outside production."""
    if environment.env != "production":
        return
    found = list(faults(environment))
    if found:
        lines = "\n".join(f"  - {fault}" for fault in found)
        raise NotReadyError(
            f"Postern does not start with POSTERN_ENV=production:\n{lines}"
        )


def faults(environment: Environment) -> Iterator[str]:
    """Yields a sentence for each fault, with what to set."""
    yield from _faults_of_secrets(environment)
    yield from _faults_of_the_web(environment)
    yield from _faults_of_mail(environment)
    yield from _faults_of_tls(environment)
    yield from _faults_of_master_keys(environment)


def _faults_of_secrets(environment: Environment) -> Iterator[str]:
    if environment.path(DEMO_FILE).exists():
        yield (
            f"{environment.path()} holds the demo community. "
            "Set POSTERN_VAR to an empty folder."
        )
    if environment.secret_key == DEVELOPMENT_SIGNING_KEY:
        yield "The secret key is the published development key. Set POSTERN_SECRET_KEY."
    elif len(environment.secret_key) < SHORTEST_SECRET:
        yield f"Set POSTERN_SECRET_KEY to at least {SHORTEST_SECRET} characters."
    elif entropy(environment.secret_key) < LEAST_ENTROPY:
        yield (
            "The secret key is too regular and can be guessed. Set POSTERN_SECRET_KEY to "
            'what this prints: python3 -c "import secrets; print(secrets.token_urlsafe(48))"'
        )
    for earlier in environment.secret_key_fallbacks:
        if earlier == DEVELOPMENT_SIGNING_KEY or entropy(earlier) < LEAST_ENTROPY:
            yield (
                "One of the earlier secret keys can be guessed, and is as powerful as the "
                "current one. Remove it from POSTERN_SECRET_KEY_FALLBACKS."
            )
    if environment.probe_private_addresses:
        yield (
            "Applicants could make the service probe our own network. "
            "Set POSTERN_PROBE_PRIVATE_ADDRESSES=false."
        )
    if environment.debug:
        yield "Debug pages show secrets. Set POSTERN_DEBUG=false."
    for name in ("blob_url", "blob_second_url", "backup_target"):
        url: str = getattr(environment, name)
        if url.startswith("s3:") and not _is_encrypted(S3Address.parse(url).endpoint):
            yield (
                "Bodies of messages would cross the network in clear. Set the endpoint in "
                f"POSTERN_{name.upper()} to its https:// address."
            )
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
        yield f'The site would refuse every request. Set POSTERN_ALLOWED_HOSTS to ["{site.hostname}"].'
    for host in environment.allowed_hosts:
        # Django reads "*" as all hosts, and ".name" as all hosts below a name.
        if "*" in host or host.startswith(".") or not host:
            yield (
                f'"{host}" lets a request choose the host of its links. Set '
                "POSTERN_ALLOWED_HOSTS to whole names only."
            )
    for network in environment.trusted_proxies:
        if _is_too_wide(network):
            yield (
                f"Any client in {network} could claim any IP address. Set "
                "POSTERN_TRUSTED_PROXIES to the addresses of the proxies only."
            )
    for network in environment.mail_balancers:
        if _is_too_wide(network):
            yield (
                f"Any client in {network} could claim any IP address. Set "
                "POSTERN_MAIL_BALANCERS to the addresses of the load balancers only."
            )
    if not environment.trusted_proxies:
        yield (
            "All visitors would appear to have one IP address. Set "
            'POSTERN_TRUSTED_PROXIES to the networks of the proxies, such as ["10.0.0.0/28"].'
        )


def _is_encrypted(endpoint: str) -> bool:
    """Returns whether an S3 endpoint is reached over TLS, or is on this machine."""
    found = urlsplit(endpoint or "https://")
    return found.scheme == "https" or found.hostname in (
        "127.0.0.1",
        "::1",
        "localhost",
    )


def entropy(key: str) -> float:
    """Returns the lowest of several estimates of a key's entropy, in bits.

    They use the frequency of characters, with letters in words counted as English text;
    the frequency of steps between characters, which detects sequences; and the size after
    deflate, which detects repetition.
    """
    in_words = sum(map(len, _WORDS.findall(key)))
    by_character = _shannon(key) / len(key) if key else 0.0
    words = by_character * (len(key) - in_words) + _BITS_OF_ENGLISH * in_words
    steps = [ord(later) - ord(earlier) for earlier, later in pairwise(key)]
    # A byte of base64 carries 6 of its 8 bits; 8 bytes are zlib's own header and trailer.
    compressed = (len(zlib.compress(key.encode(), 9)) - 8) * 6
    return min(words, _shannon(steps), compressed)


def _shannon(symbols: Sequence[object]) -> float:
    total = len(symbols)
    counts = Counter(symbols).values()
    return -sum(count * math.log2(count / total) for count in counts)


def is_invented(phone: str) -> bool:
    """Returns whether a telephone number is one that Ofcom reserves for drama."""
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
            "Other servers could impersonate a cloud provider. Unset POSTERN_PROVIDER_NETWORKS."
        )
    if is_invented(environment.helpdesk_phone):
        yield (
            f"{environment.helpdesk_phone} is a number reserved for drama. "
            "Set POSTERN_HELPDESK_PHONE to the helpdesk's own."
        )
    if not environment.smarthost:
        yield (
            "Notices to everyday addresses could not be sent. "
            "Set POSTERN_SMARTHOST to user:password@host:port."
        )
    if environment.clamd in ("", "off"):
        yield (
            "Mail would not be scanned by ClamAV. "
            "Set POSTERN_CLAMD to its socket or host:port."
        )


def _faults_of_master_keys(environment: Environment) -> Iterator[str]:
    sources = {
        "POSTERN_MASTER_KEY_FILE": environment.master_key_file,
        "POSTERN_MASTER_KEY": environment.master_key,
        "POSTERN_MASTER_KEY_COMMAND": environment.master_key_command,
    }
    given = [name for name, value in sources.items() if value]
    if len(given) > 1:
        yield f"There is one master key. Set one of {', '.join(given)} only."
    if environment.encryption and not given:
        yield (
            "POSTERN_ENCRYPTION needs a master key. Keep what this prints in a file of mode "
            f"600 and set POSTERN_MASTER_KEY_FILE: {HOW_TO_MAKE_ONE}. If it is lost, "
            "so is all encrypted mail: keep a copy apart from the backups."
        )
    files = [environment.master_key_file, *environment.master_key_fallback_files]
    texts = [environment.master_key, *environment.master_key_fallbacks]
    for read, value in [
        *((read_key_file, file) for file in files if file),
        *((parse_key, text) for text in texts if text),
    ]:
        try:
            read(value)
        except ImproperlyConfigured as error:
            yield str(error)


def _faults_of_tls(environment: Environment) -> Iterator[str]:
    files = {
        "POSTERN_TLS_CERT_FILE": environment.tls_cert_file,
        "POSTERN_TLS_KEY_FILE": environment.tls_key_file,
        "POSTERN_TLS_CA_FILE": environment.tls_ca_file,
    }
    missing = [name for name, file in files.items() if not Path(file).is_file()]
    for name in missing:
        problem = f"{files[name]} cannot be read. " if files[name] else ""
        yield f"{problem}Set {name} to a file in PEM."
    if not missing:
        yield from _faults_of_certificate(
            environment, CertificateFiles(*files.values())
        )


def _faults_of_certificate(
    environment: Environment, files: CertificateFiles
) -> Iterator[str]:
    try:
        files.load_into(ssl.create_default_context(ssl.Purpose.CLIENT_AUTH))
        is_ours = files.covers_host(environment.smtp_name)
    except (CertificateError, OSError, ValueError) as error:
        yield f"{error} See POSTERN_TLS_CERT_FILE, _KEY_FILE and _CA_FILE."
        return
    if not is_ours and environment.smtp_name not in UNSET_NAMES:
        yield (
            f"The certificate in {files.cert} is not for {environment.smtp_name}: members' "
            "servers would not send. Set POSTERN_SMTP_NAME or POSTERN_TLS_CERT_FILE."
        )
