"""The other files that operators install, each read by the program that it is for."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import compose_spec
import pytest
import yaml

from portal.configuration import production_checks
from portal.configuration.environment import Environment
from portal.demo.certificates import Authority
from portal.launcher import entry
from tests.portal.test_production import FIT, tls

FOLDER = Path(__file__).parents[2] / "deploy"
EXAMPLE = FOLDER / "postern.env.example"


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate with its key in one file."""
    made = Authority(tmp_path / "authority").issue("mail.justice.test")
    both = tmp_path / "site.pem"
    both.write_bytes(made.cert_file.read_bytes() + made.key_file.read_bytes())
    return both


def test_haproxy_takes_its_configuration(tmp_path: Path, certificate: Path) -> None:
    file = tmp_path / "haproxy.cfg"
    text = (FOLDER / "haproxy.cfg").read_text()
    file.write_text(text.replace("/etc/haproxy/site.pem", str(certificate)))

    done = run("haproxy", "-c", "-f", str(file))

    assert done.returncode == 0, done.stdout + done.stderr
    assert "WARNING" not in done.stdout + done.stderr


def test_nginx_takes_its_configuration(tmp_path: Path, certificate: Path) -> None:
    text = (FOLDER / "nginx.conf").read_text()
    for name in ("site.pem", "site.key"):
        text = text.replace(f"/etc/postern/tls/{name}", str(certificate))
    # -t binds nothing; the rest of the file is what Debian's nginx.conf has around it.
    (tmp_path / "nginx.conf").write_text(
        f"pid {tmp_path}/nginx.pid;\nerror_log stderr;\nevents {{}}\n"
        f"http {{\naccess_log off;\n{text}\n}}\n"
    )

    done = run("nginx", "-t", "-p", str(tmp_path), "-c", str(tmp_path / "nginx.conf"))

    assert done.returncode == 0, done.stderr
    assert "[warn]" not in done.stderr


def test_the_image_passes_its_linter() -> None:
    hadolint = Path(sys.executable).with_name("hadolint")

    done = run(str(hadolint), str(FOLDER / "containers/Containerfile"))

    assert (done.returncode, done.stdout) == (0, "")


def test_the_compose_file_follows_the_specification() -> None:
    # compose-spec knows no merge keys of YAML 1.1 (`<<`), which Compose resolves first.
    merged = yaml.safe_load((FOLDER / "containers/compose.yml").read_text())

    found = compose_spec.PyCompose.from_json(json.dumps(merged))

    found.validate()
    assert {"web", "engine", "worker", "prepare"} <= set(found.service_names())


def settings() -> dict[str, str]:
    return entry.parsed(EXAMPLE.read_text(), EXAMPLE)


def test_the_example_of_settings_names_variables_that_exist() -> None:
    fields = {f"POSTERN_{name}".upper() for name in Environment.model_fields}

    assert set(settings()) <= fields


def test_the_example_of_settings_starts_once_it_is_filled_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in settings().items():
        monkeypatch.setenv(name, value)
    own = {name: FIT[name] for name in ("secret_key", "smarthost", "helpdesk_phone")}

    chosen = Environment(**own, **tls(), var=tmp_path)

    production_checks.check(chosen)
    assert (chosen.smtp_port, chosen.pop3s_port) == (25, 995)
