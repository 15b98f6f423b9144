"""The command `postern`: prepares the environment and runs a command of manage.py.

It reads the same file of settings as the systemd units, so that a command in a shell acts
on the same service, and it never acts as root on a state folder of another user.

It runs before Django and the settings exist, and imports the standard library only.
"""

from __future__ import annotations

import os
import pwd
import re
import sys
from collections.abc import Mapping
from pathlib import Path

RELEASE = Path(__file__).resolve().parents[2]
# Names the file of settings, for installations that keep it elsewhere.
FILE_VARIABLE = "POSTERN_ENV_FILE"
DEFAULT_FILE = "/etc/postern/postern.env"

# Short names of commands; every other command has its own name, with - for _.
ALIASES = {
    "web": "run_web",
    "engine": "run_engine",
    "worker": "run_worker",
    "check": "check_service",
}
# What `postern help` prints first.
SUMMARIES = {
    "check": "report what is missing or wrong before a start; --json",
    "prepare": "migrate the database, collect static files, load the guides",
    "web": "serve the website",
    "engine": "serve SMTP and POP3, and deliver mail",
    "worker": "run background jobs",
    "backup": "back up the database and the blobs while they serve",
    "restore": "restore a backup into an empty host",
    "settle-restored": "send or drop the mail that is held after a restore",
    "found-community": "create the operator's organisation and the first operator",
    "health": "print whether this host is ready, as JSON",
    "rekey": "seal with the current secret key what earlier ones have sealed",
    "audit-key": "print the public keys that sign the audit trail",
    "verify-audit": "name what was changed in the audit trail",
}

_ASSIGNMENT = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=(.*)")


class SettingsFileError(Exception):
    """The file of settings cannot be used. The message says what to change."""


def main(arguments: list[str]) -> None:
    """Replaces this process by the command. Exits with 1 where that is impossible."""
    if not arguments or arguments == ["help"]:
        print(usage())  # noqa: T201
        return
    try:
        environment = with_settings(os.environ)
        become_owner_of(Path(environment.get("POSTERN_VAR", "var")), environment)
    except SettingsFileError as error:
        sys.exit(f"postern: {error}")
    command = [sys.executable, str(RELEASE / "manage.py"), *translated(arguments)]
    os.execve(command[0], command, environment)  # noqa: S606


def usage() -> str:
    """Returns the commands that operators use, one on each line."""
    lines = [f"  {name:17} {summary}" for name, summary in SUMMARIES.items()]
    return "\n".join(
        [
            "postern COMMAND [OPTION...]",
            "",
            *lines,
            "",
            "postern COMMAND --help describes a command. Any other command of manage.py",
            "works too. Settings come from the environment, then from",
            f"{settings_file(os.environ)}.",
        ]
    )


def translated(arguments: list[str]) -> list[str]:
    """Returns the arguments for manage.py: its own name of the command, and the options."""
    name, *options = arguments
    return [ALIASES.get(name, name.replace("-", "_")), *options]


def settings_file(environment: Mapping[str, str]) -> Path:
    """Returns the path of the file of settings, which may be missing."""
    return Path(environment.get(FILE_VARIABLE) or DEFAULT_FILE)


def with_settings(environment: Mapping[str, str]) -> dict[str, str]:
    """Returns the environment and, for variables that it lacks, the settings of the file.

    Raises SettingsFileError.
    """
    file = settings_file(environment)
    try:
        text = file.read_text()
    except FileNotFoundError:
        if environment.get(FILE_VARIABLE):
            raise SettingsFileError(f"{file} of {FILE_VARIABLE} is missing.") from None
        return dict(environment)
    except PermissionError:
        # The service manager has read it as root, and passes what is in it.
        if "POSTERN_ENV" in environment:
            return dict(environment)
        raise SettingsFileError(
            f"{file} cannot be read by this user. Run the command as root."
        ) from None
    return {**parsed(text, file), **environment}


def parsed(text: str, file: Path) -> dict[str, str]:
    """Parses lines of NAME=value, as systemd.exec(5) describes EnvironmentFile=.

    Refuses what systemd reads in a way of its own (backslashes, a quotation mark that
    opens a value without closing it), so that both always find the same. Raises
    SettingsFileError.
    """
    found = {}
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.strip()
        if not stripped or stripped[0] in "#;":
            continue
        match = _ASSIGNMENT.fullmatch(stripped)
        value = _unquoted(match[2].strip()) if match else None
        if match is None or value is None:
            raise SettingsFileError(
                f"Line {number} of {file} is not NAME=value, without backslashes and with "
                "quotation marks around the whole value or none."
            )
        found[match[1]] = value
    return found


def _unquoted(value: str) -> str | None:
    """Returns the value without its quotation marks; None if it has a form of its own."""
    if "\\" in value:
        return None
    if value[:1] not in ("'", '"'):
        return value
    quote, inner = value[0], value[1:-1]
    is_whole = len(value) > 1 and value.endswith(quote) and quote not in inner
    return inner if is_whole else None


def become_owner_of(folder: Path, environment: dict[str, str]) -> None:
    """Gives up root for the owner of the state folder, unless that is root itself.

    Files that root creates there could not be changed by the service.
    """
    if os.geteuid() != 0 or not folder.exists():
        return
    owner = folder.stat()
    if owner.st_uid == 0:
        return
    try:
        account = pwd.getpwuid(owner.st_uid)
    except KeyError:
        raise SettingsFileError(
            f"{folder} belongs to user {owner.st_uid}, who has no account here. "
            "Give it to the user that runs the service: chown -R postern: FOLDER"
        ) from None
    os.initgroups(account.pw_name, account.pw_gid)
    os.setgid(account.pw_gid)
    os.setuid(account.pw_uid)
    environment |= {"HOME": account.pw_dir, "USER": account.pw_name}


if __name__ == "__main__":
    main(sys.argv[1:])
