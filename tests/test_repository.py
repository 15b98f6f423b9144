"""Checks of the whole repository, which no test of a single feature makes."""

from __future__ import annotations

import ast
import codecs
import itertools
import pickle
import re
import socket
import subprocess
import sys
import tokenize
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command, get_commands
from django.db.migrations.loader import MigrationLoader
from django.urls import URLPattern, URLResolver, get_resolver
from pytest_socket import SocketConnectBlockedError

from api.framework.viewsets import Resource
from engine.lanes import Lane
from engine.queue.models import RECIPIENT_TRANSITIONS, RecipientStatus
from engine.registry.models.organisation import (
    ORGANISATION_TRANSITIONS,
    OrganisationStatus,
)
from engine.secrets import secret_keys
from onboarding.status import TRANSITIONS, Status
from portal.account.second_factor import one_time_codes
from portal.configuration.environment import Environment
from portal.helpdesk.status import TRANSITIONS as TICKET_TRANSITIONS
from portal.helpdesk.status import Status as TicketStatus
from portal.sessions import known_browsers

ROOT = Path(__file__).parent.parent
PACKAGES = ("engine", "onboarding", "api", "portal")
HTTP_VERBS = {"get", "post", "create", "partial_update", "destroy"}
DEFINITIONS = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef

# Routes of others that are behind a guard of their own: Wagtail asks for access_admin
# on each view, allauth for a session; both sit behind SecondFactorMiddleware.
GUARDED_ELSEWHERE = ("wagtail.", "allauth.", "django.views.i18n")
SAYS_NOTHING = {
    "admin/test404/",
    "api/v1/oauth/token/",
    r"api/^[\s\S]*$",
}


def views() -> Iterator[tuple[str, object]]:
    def walk(patterns: list[URLPattern | URLResolver], prefix: str) -> Iterator:
        for pattern in patterns:
            route = prefix + str(pattern.pattern)
            if isinstance(pattern, URLResolver):
                yield from walk(pattern.url_patterns, route)
            else:
                yield route, pattern.callback

    yield from walk(get_resolver().url_patterns, "")


def sources() -> list[Path]:
    return [path for name in PACKAGES for path in sorted((ROOT / name).rglob("*.py"))]


def test_no_test_is_named_after_octets(request: pytest.FixtureRequest) -> None:
    parametrised = [one for one in request.session.items if hasattr(one, "callspec")]
    named = [
        item.nodeid
        for item in parametrised
        for value in item.callspec.params.values()
        if isinstance(value, bytes)
        and len(value) > 15
        and codecs.escape_encode(value)[0].decode() in item.callspec.id
    ]

    assert not named


def test_journeys_stand_where_the_run_of_journeys_looks() -> None:
    marked = {
        path.parent.name
        for path in (ROOT / "tests").rglob("test_*.py")
        if "mark.journey" in path.read_text() and path != Path(__file__)
    }

    assert marked == {*("journeys", "benchmarks", "soak", "cluster", "scale", "corpus")}


def tracked() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True
    )
    return [ROOT / name for name in listed.stdout.decode().split("\0") if name]


def test_imports_flow_one_way() -> None:
    # As a program of its own: it sets up logging for the whole process.
    command = [Path(sys.executable).with_name("lint-imports"), "--no-cache"]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout


def test_every_route_says_who_may_enter() -> None:
    open_doors = [
        route
        for route, view in views()
        if not hasattr(view, "access")
        and not getattr(view, "__module__", "").startswith(GUARDED_ELSEWHERE)
        and not issubclass(getattr(view, "cls", object), Resource)
        and route not in SAYS_NOTHING
    ]

    assert open_doors == []


@pytest.mark.parametrize(
    ("statuses", "transitions"),
    [
        (OrganisationStatus, ORGANISATION_TRANSITIONS),
        (RecipientStatus, RECIPIENT_TRANSITIONS),
        (Status, TRANSITIONS),
        (TicketStatus, TICKET_TRANSITIONS),
    ],
)
def test_every_status_has_its_transitions(statuses: type, transitions: dict) -> None:
    assert set(transitions) == set(statuses)
    assert set().union(*transitions.values()) <= set(statuses)


@pytest.mark.django_db
def test_no_model_has_changed_without_a_migration() -> None:
    said = StringIO()

    call_command("makemigrations", check=True, dry_run=True, stdout=said)

    assert "No changes detected" in said.getvalue()


def test_migrations_of_each_app_form_one_line() -> None:
    loader = MigrationLoader(None)
    ours = {key for key in loader.disk_migrations if _is_ours(loader, key)}

    for app in {app for app, _ in ours}:
        assert len(loader.graph.leaf_nodes(app)) == 1
    assert [name for _, name in ours if "_auto_" in name] == []


def _is_ours(loader: MigrationLoader, key: tuple[str, str]) -> bool:
    return loader.disk_migrations[key].__module__.startswith(PACKAGES)


def test_no_test_reaches_beyond_this_machine() -> None:
    with (
        socket.socket() as probe,
        pytest.warns(UserWarning, match="A test tried"),
        pytest.raises(SocketConnectBlockedError),
    ):
        probe.connect(("192.0.2.1", 25))


def test_every_package_says_what_it_is_in_charge_of() -> None:
    silent = [
        path
        for path in sources()
        if path.name == "__init__.py"
        and path.parent.name not in {"migrations", "commands", "models", "templatetags"}
        and not ast.get_docstring(ast.parse(path.read_text()))
    ]

    assert silent == []


def test_no_other_top_level_folder_is_kept() -> None:
    folders = {path.relative_to(ROOT).parts[0] for path in tracked()}

    assert {name for name in folders if (ROOT / name).is_dir()} == {
        ".ci",
        "deploy",
        "findings",
        "tests",
        *PACKAGES,
    }


def _public_without_docstring(path: Path) -> Iterator[str]:
    tree = ast.parse(path.read_text())
    name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for node in tree.body:
        if isinstance(node, DEFINITIONS) and not node.name.startswith("_"):
            if not ast.get_docstring(node):
                yield f"{name}.{node.name}"
            if isinstance(node, ast.ClassDef):
                yield from _methods_without_docstring(name, node)


def _methods_without_docstring(module: str, node: ast.ClassDef) -> Iterator[str]:
    for method in node.body:
        if (
            isinstance(method, ast.FunctionDef | ast.AsyncFunctionDef)
            and not method.name.startswith("_")
            and not ast.get_docstring(method)
            and not _is_called_by_a_framework(module, method.name)
            and not _is_override(module, node.name, method.name)
        ):
            yield f"{module}.{node.name}.{method.name}"


def _is_called_by_a_framework(module: str, method: str) -> bool:
    """Whether its name alone makes Django or the REST framework call it.

    Docstrings of the API's methods would appear in its OpenAPI document, which has
    descriptions of its own.
    """
    if module.startswith("api."):
        return method in HTTP_VERBS or method.startswith("get_")
    return method.startswith(("clean_", "process_"))


def _is_override(module: str, of: str, method: str) -> bool:
    """Whether a base class has the method: its docstring says what it does."""
    bases = getattr(import_module(module), of).__mro__[1:]
    return any(method in vars(base) for base in bases)


def test_every_public_function_class_and_method_has_a_docstring() -> None:
    silent = [
        name
        for path in sources()
        if "migrations" not in path.parts
        for name in _public_without_docstring(path)
    ]

    assert silent == []


def test_no_module_has_outgrown_the_house() -> None:
    long = [
        path
        for path in sources()
        if "migrations" not in path.parts and len(path.read_text().splitlines()) > 300
    ]

    assert long == []


# An import that does not begin its line: parsing every file takes ten times as long.
INNER_IMPORT = re.compile(
    r"^[^\S\n]+(import|from)\b|[:;]\s*(import|from)\b", re.MULTILINE
)


def _imports_in_functions(text: str) -> Iterator[int]:
    """Yields the lines of imports inside functions."""
    if not INNER_IMPORT.search(text):
        return
    for function in ast.walk(ast.parse(text)):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            for inner in ast.walk(function):
                if isinstance(inner, ast.Import | ast.ImportFrom):
                    yield inner.lineno


def test_no_function_imports_anything() -> None:
    hidden = [
        f"{path}:{line}"
        for path in sources()
        for line in _imports_in_functions(path.read_text())
    ]

    assert hidden == []


@pytest.mark.parametrize(
    "text",
    [
        "def f():\n    import os\n",
        "def f():\n\tfrom os import path\n",
        "def f(): import os\n",
        "async def f():\n    pass; from os import path\n",
        "class A:\n    def f(self):\n        if a:import os\n",
        "def f():\n    try: \\\n        import os\n    finally: pass\n",
    ],
)
def test_an_import_in_a_function_is_found(text: str) -> None:
    assert list(_imports_in_functions(text))


LIBRARIES_AT_HOME = {
    "aiosmtpd": lambda path: path.parts[:2] == ("engine", "smtp"),
    "django_q": lambda path: (
        path.name == "tasks.py" or path.parts[:2] == ("engine", "jobs")
    ),
    "vobject": lambda path: path.name in ("vcard.py", "vcard_lines.py"),
    "weasyprint": lambda path: path.name == "pdf_renderer.py",
    "wagtail": lambda path: path.parts[0] == "portal",
    "rest_framework": lambda path: path.parts[0] == "api",
}


@pytest.mark.parametrize("library", LIBRARIES_AT_HOME)
def test_each_library_stays_in_its_own_corner(library: str) -> None:
    strays = [
        path
        for path in sources()
        if library in _imported(path)
        and not LIBRARIES_AT_HOME[library](path.relative_to(ROOT))
    ]

    assert strays == []


@cache
def _imported(path: Path) -> frozenset[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names.update(alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            names.add((node.module or "").partition(".")[0])
    return frozenset(names)


def test_the_readme_is_short() -> None:
    text = (ROOT / "README.md").read_text()

    assert len(text.splitlines()) < 150


def test_the_changelog_has_each_change_once() -> None:
    text = _text(ROOT / "CHANGELOG.md")
    entries = [
        frozenset(re.findall(r"\w{4,}", entry.casefold()))
        for entry in re.findall(r"^- (?:.+\n)(?:  .+\n)*", text, re.MULTILINE)
    ]
    repeated = [
        sorted(one & other)
        for one, other in itertools.combinations(entries, 2)
        if len(one & other) > 0.5 * len(one | other)
    ]

    assert repeated == []


# What README files name in backticks and in blocks of commands.
CODE = re.compile(r"```.*?```|`[^`\n]+`", re.DOTALL)
ENDINGS = "css|html|js|json|lock|md|py|sh|toml|txt|xsl|yml"
PATH = re.compile(
    rf"(?<![\w/.*<{{}}$-])[\w.-]+(?:/[\w.-]+)*(?:/(?![\w*])|\.(?:{ENDINGS})\b)"
)
MODULE = re.compile(rf"(?<![\w/.])(?:{'|'.join(PACKAGES)}|tests)(?:\.\w+)+(?![\w/])")
MAKE = re.compile(r"\bmake ([a-z]+)\b")
COMMAND = re.compile(r"\bmanage\.py ([a-z_]+)")
VARIABLE = re.compile(r"\bPOSTERN_[A-Z0-9_]*[A-Z0-9]\b")
# The state folder, which no release contains, and paths of a request or of another system.
ELSEWHERE = ("var/",)


def _readmes() -> list[Path]:
    return [path for path in tracked() if path.name == "README.md"]


def _named(readme: Path, pattern: re.Pattern[str]) -> list[str]:
    code = "\n".join(CODE.findall(readme.read_text()))
    return [match[match.lastindex or 0] for match in pattern.finditer(code)]


def _exists(name: str, readme: Path) -> bool:
    """A path from the root or from the README's folder, or a file's name below it."""
    if (ROOT / name).exists() or (readme.parent / name).exists():
        return True
    return "/" not in name and any(readme.parent.rglob(name))


def _module_exists(dotted: str) -> bool:
    """A package, a module, or a name that a module defines."""
    path = ROOT / dotted.replace(".", "/")
    defining = path.parent.with_suffix(".py")
    if path.is_dir() or path.with_suffix(".py").exists():
        return True
    return re.search(rf"\b{path.name}\b", _text(defining)) is not None


def test_paths_in_readmes_exist() -> None:
    missing = [
        f"{readme.relative_to(ROOT)}: {name}"
        for readme in _readmes()
        for name in _named(readme, PATH)
        if not name.startswith(ELSEWHERE) and not _exists(name, readme)
    ]

    assert missing == []


def test_links_and_pictures_in_readmes_lead_to_files() -> None:
    missing = [
        f"{readme.relative_to(ROOT)}: {target}"
        for readme in _readmes()
        for target in re.findall(r"\]\(([^)#:]+)", readme.read_text())
        if not (readme.parent / target).exists()
    ]

    assert missing == []


def test_rooms_in_the_tables_of_readmes_exist() -> None:
    missing = [
        f"{readme.relative_to(ROOT)}: {name}"
        for readme in _readmes()
        for header, table in re.findall(
            r"^\| (room|package|folder|file) \|.*\n\|[-|]+\n((?:\|.*\n)+)",
            readme.read_text(),
            re.MULTILINE,
        )
        for row in table.splitlines()
        for name in re.findall(r"`([^`]+)`", row.split("|")[1])
        if not _exists(name, readme) and not _exists(f"{name}.py", readme)
    ]

    assert missing == []


def test_modules_in_readmes_exist() -> None:
    missing = [
        f"{readme.relative_to(ROOT)}: {name}"
        for readme in _readmes()
        for name in _named(readme, MODULE)
        if not _module_exists(name) and not _exists(name, readme)
    ]

    assert missing == []


def test_commands_in_readmes_exist() -> None:
    targets = re.findall(r"^([a-z]+):", _text(ROOT / "Makefile"), re.MULTILINE)
    missing = [
        f"{readme.relative_to(ROOT)}: {name}"
        for readme in _readmes()
        for pattern, known in ((MAKE, targets), (COMMAND, get_commands()))
        for name in _named(readme, pattern)
        if name not in known
    ]

    assert missing == []


def test_variables_in_readmes_exist() -> None:
    fields = {f"POSTERN_{name}".upper() for name in Environment.model_fields}
    missing = [
        f"{readme.relative_to(ROOT)}: {name}"
        for readme in _readmes()
        for name in _named(readme, VARIABLE)
        if name not in fields
    ]

    assert missing == []


def test_nothing_is_left_half_done() -> None:
    marks = ("TO" + "DO", "FIX" + "ME", "XX" + "X:")
    found = [
        path
        for path in tracked()
        if path.suffix in {".py", ".html", ".css", ".js", ".sh"} and path.exists()
        for mark in marks
        if mark in path.read_text(errors="replace")
    ]

    assert found == []


# Words that a reader has to decode, and for which plain ones exist.
DECODED = re.compile(
    r"\b(whoever|whom|anew|for ever|begets?|begotten|hurry|robbed)\b", re.IGNORECASE
)
# As a whole identifier or file name these do not describe what they hold.
RIDDLES = {
    "door",
    "doors",
    "errand",
    "errands",
    "habits",
    "leaving",
    "sight",
    "stamp",
    "told",
    "turns",
}
# Splitting every file into tokens takes four times as long.
RIDDLE = re.compile(rf"\b({'|'.join(RIDDLES)})\b", re.IGNORECASE)
READ = {".css", ".html", ".js", ".md", ".py", ".sh", ".toml", ".txt", ".yml"}
# Each with its reason.
KEPT_WORDS = {
    # It lists the words.
    "tests/test_repository.py",
}


def _written() -> Iterator[Path]:
    """Yields our own files, except migrations, which stay as they were applied."""
    for path in tracked():
        relative = path.relative_to(ROOT)
        if (
            path.suffix in READ
            and path.is_file()
            and str(relative) not in KEPT_WORDS
            and not (path.parent.name == "migrations" and path.stem[:4].isdigit())
        ):
            yield path


@pytest.mark.parametrize(
    ("found", "kept"),
    [
        (one_time_codes.SALT, "portal.account.codes"),
        (known_browsers.SALT, "portal.sessions.devices"),
        (secret_keys.KEY_ID_SALT, "engine.keys.name"),
    ],
)
def test_salts_do_not_follow_renamed_modules(found: str, kept: str) -> None:
    """A code that was used would work again, every browser be unknown, every key too."""
    assert found == kept


def test_waiting_jobs_of_earlier_versions_find_their_lane() -> None:
    """django-q2 pickles it into the job, under the name of its module."""
    pickled = b"\x80\x05\x8c\x0cengine.lanes\x8c\x04Lane\x93\x8c\x04long\x85R."

    assert pickle.loads(pickled) is Lane.LONG


def test_the_english_is_plain() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}: {match[0]}"
        for path in _written()
        for number, line in enumerate(path.read_text().splitlines(), 1)
        for match in DECODED.finditer(line)
    ]

    assert found == []


def test_no_name_is_a_riddle() -> None:
    files = [path for path in _written() if path.stem.lower() in RIDDLES]
    names = [
        f"{path.relative_to(ROOT)}:{token.start[0]}: {token.string}"
        for path in _written()
        if path.suffix == ".py" and RIDDLE.search(path.read_text())
        for token in tokenize.generate_tokens(StringIO(path.read_text()).readline)
        if token.type == tokenize.NAME and token.string.lower() in RIDDLES
    ]

    assert (files, names) == ([], [])


def test_each_row_of_the_table_of_proof_names_tests_that_exist() -> None:
    text = (ROOT / "tests/README.md").read_text()
    rows = re.findall(r"^\| (S\d+) \|.*\|(.*)\|$", text, re.MULTILINE)
    words = re.findall(r"^\| (P\d+) \| (.*) \|(.*)\|$", text, re.MULTILINE)
    built = [word for word in words if word[2].strip() != "not built"]
    cells = [*rows, *((f"{row} {word}", cell) for row, word, cell in built)]
    named = {row: re.findall(r"`([\w/]+\.py)`", cell) for row, cell in cells}

    assert [row for row, _ in rows] == [f"S{number}" for number in range(1, 18)]
    assert len(named) == len(cells) > 17 + 20
    assert [row for row, files in named.items() if not files] == []
    missing = [
        file
        for files in named.values()
        for file in files
        if "def test_" not in _text(ROOT / "tests" / file)
    ]
    assert missing == []


def _text(path: Path) -> str:
    return path.read_text() if path.exists() else ""


# Where days are taken from a moment as so many times 24 hours, and why that is right.
DURATIONS = {
    "engine/antivirus/quarantine.py": "kept so long; no date is named",
    "engine/certificates/purge.py": "kept so long; no date is named",
    "engine/incidents/withdrawn.py": "kept so long; no date is named",
    "engine/incidents/key_index.py": "kept so long; no date is named",
    "engine/incidents/rescans.py": "so many times 24 hours back",
    "engine/linked_files/ending.py": "kept so long; no date is named",
    "engine/queue/notifications/tls_report_sending.py": "days of UTC",
    "engine/tls_reports/incoming.py": "how old a report may be, in UTC",
    "engine/tls_reports/tasks.py": "kept so long; no date is named",
    "engine/trace/event_purge.py": "kept so long; no date is named",
    "engine/trace/stranger_counts.py": "kept so long; no date is named",
    "portal/console/dashboard_counts.py": "the last 24 hours, and 168",
    "portal/console/mail/delivered_search.py": "the last 168 hours",
    "portal/console/operations/tls_reports.py": "reports are by days of UTC",
    "portal/demo/certificates.py": "a certificate's own period, in UTC",
    "portal/home/views.py": "what ended lately",
}
# Where a date, not a moment, is moved.
ON_DATES = {
    "engine/calendar_days.py",
    "engine/mail/reading/event.py",
    "portal/console/helpdesk/statistics.py",
    "portal/organisation/mail/figures.py",
    "portal/ui/helpdesk_hours.py",
    "portal/webmail/arrival_notices/weekly_digest.py",
}


def _adds_days(path: Path) -> bool:
    """Whether the module adds or subtracts a timedelta of days that it makes there."""
    return any(
        _is_days(side)
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.BinOp | ast.AugAssign)
        and isinstance(node.op, ast.Add | ast.Sub)
        for side in (
            (node.left, node.right) if isinstance(node, ast.BinOp) else (node.value,)
        )
    )


def _is_days(node: ast.expr) -> bool:
    if not isinstance(node, ast.Call) or not ast.unparse(node.func).endswith(
        "timedelta"
    ):
        return False
    return bool(node.args) or any(k.arg in ("days", "weeks") for k in node.keywords)


def test_days_are_added_on_the_calendar() -> None:
    """A timedelta of days added to a moment loses a date where the clocks change.

    `engine/calendar_days.py` counts dates. A duration, such as how long rows are kept,
    is named in DURATIONS with its reason.
    """
    found = {str(path.relative_to(ROOT)) for path in sources() if _adds_days(path)}

    assert found == DURATIONS.keys() | ON_DATES
