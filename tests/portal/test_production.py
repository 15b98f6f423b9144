from __future__ import annotations

import base64
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from random import Random
from string import ascii_letters

import pytest
from django.conf import settings
from django.utils.crypto import RANDOM_STRING_CHARS

from portal.configuration import production_checks
from portal.configuration.environment import DEVELOPMENT_SIGNING_KEY, Environment
from portal.demo.certificates import Authority, Certificate
from tests.encryption import OTHER_KEY

LOOPBACK = {"microsoft_365": ["127.0.0.0/8"]}
SITE = "mail.justice.test"
SPOKEN = "please-change-this-secret-key-before-going-to-production"
FIT = {
    "env": "production",
    "secret_key": "u3cTq9ZxN1aVbE7_LmR2wYk0sHf8GdJ5pXoQi4Ct-6vBnAeWzKy3rM1U",
    "database_url": "postgresql://postern@db.example/postern",
    "clamd": "/run/clamav/clamd.ctl",
    "web_url": "https://mail.justice.test",
    "allowed_hosts": ["mail.justice.test"],
    "trusted_proxies": ["10.0.0.0/28"],
    "community_domain": "justice.test",
    "smtp_name": "gate.justice.test",
    "smarthost": "postern:secret@relay.justice.test:587",
    "helpdesk_phone": "0300 555 0100",
}


@cache
def authority() -> Authority:
    """Not a fixture, as parametrised values need its certificates."""
    return Authority(Path(tempfile.mkdtemp(prefix="postern-authority-")))


@cache
def issued(name: str) -> Certificate:
    return authority().issue(name)


def tls(cert: str = "gate.justice.test", key: str = "") -> dict[str, object]:
    return {
        "tls_cert_file": str(issued(cert).cert_file),
        "tls_key_file": str(issued(key or cert).key_file),
        "tls_ca_file": str(authority().ca_file),
    }


def environment(var: Path, **over: object) -> Environment:
    return Environment(var=var, **(FIT | tls() | over))


def test_fit_environment_starts(tmp_path: Path) -> None:
    production_checks.check(environment(tmp_path))


@pytest.mark.parametrize(
    ("over", "names"),
    [
        ({"secret_key": DEVELOPMENT_SIGNING_KEY}, "POSTERN_SECRET_KEY"),
        ({"secret_key": "short"}, "POSTERN_SECRET_KEY"),
        ({"secret_key": "k" * 64}, "POSTERN_SECRET_KEY"),
        ({"secret_key": "aB3$" * 16}, "POSTERN_SECRET_KEY"),
        ({"secret_key": "0123456789" * 6}, "POSTERN_SECRET_KEY"),
        ({"secret_key": "Welcome2026" * 6}, "POSTERN_SECRET_KEY"),
        ({"secret_key": ascii_letters}, "POSTERN_SECRET_KEY"),
        ({"secret_key": SPOKEN}, "POSTERN_SECRET_KEY"),
        ({"secret_key": "qwertyuiopasdfghjklzxcvbnm" * 2}, "POSTERN_SECRET_KEY"),
        ({"debug": True}, "POSTERN_DEBUG"),
        ({"database_url": ""}, "POSTERN_SQLITE_IN_PRODUCTION"),
        ({"database_url": "sqlite:////srv/mail.db"}, "POSTERN_SQLITE_IN_PRODUCTION"),
        ({"clamd": ""}, "POSTERN_CLAMD"),
        ({"clamd": "off"}, "POSTERN_CLAMD"),
        ({"web_url": ""}, "POSTERN_WEB_URL"),
        ({"web_url": "http://mail.justice.test"}, "POSTERN_WEB_URL"),
        ({"allowed_hosts": ["localhost"]}, "POSTERN_ALLOWED_HOSTS"),
        ({"allowed_hosts": [SITE, "*"]}, "POSTERN_ALLOWED_HOSTS"),
        ({"allowed_hosts": [SITE, ".justice.test"]}, "POSTERN_ALLOWED_HOSTS"),
        ({"allowed_hosts": [SITE, "*.justice.test"]}, "POSTERN_ALLOWED_HOSTS"),
        ({"allowed_hosts": [SITE, ""]}, "POSTERN_ALLOWED_HOSTS"),
        ({"trusted_proxies": []}, "POSTERN_TRUSTED_PROXIES"),
        ({"trusted_proxies": ["0.0.0.0/0"]}, "POSTERN_TRUSTED_PROXIES"),
        ({"trusted_proxies": ["128.0.0.0/1"]}, "POSTERN_TRUSTED_PROXIES"),
        ({"trusted_proxies": ["8.0.0.0/8"]}, "POSTERN_TRUSTED_PROXIES"),
        ({"trusted_proxies": ["100.64.0.0/10"]}, "POSTERN_TRUSTED_PROXIES"),
        ({"trusted_proxies": ["::/0"]}, "POSTERN_TRUSTED_PROXIES"),
        ({"trusted_proxies": ["2000::/3"]}, "POSTERN_TRUSTED_PROXIES"),
        ({"trusted_proxies": ["::ffff:0:0/96"]}, "POSTERN_TRUSTED_PROXIES"),
        ({"mail_balancers": ["0.0.0.0/0"]}, "POSTERN_MAIL_BALANCERS"),
        ({"community_domain": "secure.example"}, "POSTERN_COMMUNITY_DOMAIN"),
        ({"smtp_name": "localhost"}, "POSTERN_SMTP_NAME"),
        ({"smtp_name": "other.justice.test"}, "POSTERN_TLS_CERT_FILE"),
        ({"helpdesk_phone": "020 7946 0000"}, "POSTERN_HELPDESK_PHONE"),
        ({"helpdesk_phone": "+44 (0)1632 960 123"}, "POSTERN_HELPDESK_PHONE"),
        ({"helpdesk_phone": "0044 7700 900999"}, "POSTERN_HELPDESK_PHONE"),
        ({"secret_key_fallbacks": [DEVELOPMENT_SIGNING_KEY]}, "SECRET_KEY_FALLBACKS"),
        ({"secret_key_fallbacks": ["k" * 64]}, "POSTERN_SECRET_KEY_FALLBACKS"),
        ({"smarthost": ""}, "POSTERN_SMARTHOST"),
        ({"provider_networks": LOOPBACK}, "POSTERN_PROVIDER_NETWORKS"),
        ({"tls_cert_file": ""}, "POSTERN_TLS_CERT_FILE"),
        ({"tls_key_file": "/nowhere"}, "POSTERN_TLS_KEY_FILE"),
        ({"tls_ca_file": ""}, "POSTERN_TLS_CA_FILE"),
        ({"encryption": True}, "POSTERN_MASTER_KEY_FILE"),
        ({"encryption": True, "master_key": "short"}, "openssl rand -base64 32"),
        ({"master_key": OTHER_KEY, "master_key_command": "kms"}, "Set one of"),
        ({"master_key_file": "/nowhere"}, "/nowhere"),
        ({"master_key_fallback_files": [__file__]}, "chmod 600"),
        ({"master_key_fallbacks": ["short"]}, "openssl rand -base64 32"),
    ],
)
def test_each_fault_says_what_to_set(
    tmp_path: Path, over: dict[str, object], names: str
) -> None:
    with pytest.raises(production_checks.NotReadyError) as raised:
        production_checks.check(environment(tmp_path, **over))

    assert names in str(raised.value)
    assert str(raised.value).count("\n  - ") == 1


@pytest.mark.parametrize(
    "make",
    [
        lambda random: "".join(random.choices("0123456789abcdef", k=50)),
        lambda random: base64.urlsafe_b64encode(random.randbytes(48)).decode(),
        lambda random: "".join(random.choices(RANDOM_STRING_CHARS, k=50)),
    ],
    ids=["hexadecimal", "base64", "letters and digits"],
)
def test_random_keys_are_strong_enough(make: Callable[[Random], str]) -> None:
    for seed in range(300):
        assert (
            production_checks.entropy(make(Random(seed)))
            >= production_checks.LEAST_ENTROPY
        )


@pytest.mark.parametrize(
    "networks", [["10.0.0.0/8"], ["192.168.0.0/16"], ["fd00::/32"], ["198.51.100.7/32"]]
)
def test_networks_of_ones_own_proxies_are_trusted(
    tmp_path: Path, networks: list[str]
) -> None:
    production_checks.check(environment(tmp_path, trusted_proxies=networks))


def test_a_key_of_another_certificate_is_refused(tmp_path: Path) -> None:
    mixed = tls("gate.justice.test", key="mail.justice.test")

    with pytest.raises(production_checks.NotReadyError, match="does not belong to"):
        production_checks.check(environment(tmp_path, **mixed))


def test_a_file_that_is_no_certificate_is_refused(tmp_path: Path) -> None:
    with pytest.raises(production_checks.NotReadyError, match="POSTERN_TLS_CERT_FILE"):
        production_checks.check(environment(tmp_path, tls_cert_file=__file__))


@pytest.mark.parametrize(
    ("name", "is_ours"),
    [
        ("gate.justice.test", True),
        ("GATE.justice.test", True),
        ("*.justice.test", True),
        ("justice.test", False),
        ("*.gate.justice.test", False),
        ("agate.justice.test", False),
    ],
)
def test_the_certificate_must_carry_our_name(
    tmp_path: Path, name: str, is_ours: bool
) -> None:
    found = environment(tmp_path, **tls(name))
    if is_ours:
        production_checks.check(found)
        return
    with pytest.raises(
        production_checks.NotReadyError, match=r"is not for gate\.justice"
    ):
        production_checks.check(found)


@pytest.mark.parametrize("phone", ["020 7947 0000", "01632 961000", "+44 20 7123 4567"])
def test_other_numbers_are_taken_for_real(tmp_path: Path, phone: str) -> None:
    production_checks.check(environment(tmp_path, helpdesk_phone=phone))


def test_demo_data_is_refused(tmp_path: Path) -> None:
    (tmp_path / production_checks.DEMO_FILE).touch()

    with pytest.raises(production_checks.NotReadyError, match="POSTERN_VAR"):
        production_checks.check(environment(tmp_path))


def test_sqlite_is_accepted_when_said_outright(tmp_path: Path) -> None:
    production_checks.check(
        environment(tmp_path, database_url="", sqlite_in_production=True)
    )


def test_every_fault_is_told_at_once(tmp_path: Path) -> None:
    (tmp_path / production_checks.DEMO_FILE).touch()
    worst = Environment(env="production", var=tmp_path, debug=True, database_url="")

    with pytest.raises(production_checks.NotReadyError) as raised:
        production_checks.check(worst)

    assert str(raised.value).count("\n  - ") == 14


@pytest.mark.parametrize("env", ["development", "test"])
def test_elsewhere_nothing_is_asked(tmp_path: Path, env: str) -> None:
    production_checks.check(Environment(env=env, var=tmp_path, debug=True))


@pytest.mark.slow
def test_no_command_starts_on_an_unfit_environment(tmp_path: Path) -> None:
    environ = {
        **os.environ,
        "POSTERN_ENV": "production",
        "POSTERN_VAR": str(tmp_path),
        "DJANGO_SETTINGS_MODULE": "portal.settings",
    }

    done = subprocess.run(
        [sys.executable, "manage.py", "migrate"],
        cwd=settings.BASE_DIR,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode != 0
    assert "Set POSTERN_SECRET_KEY" in done.stderr
    assert list(tmp_path.iterdir()) == []
