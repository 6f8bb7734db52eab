"""The systemd units: their directives, what they run, what they may; and systemd's opinion where it is."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from lis_online.settings.meanings import MEANINGS
from streams.roles import ROLES
from tests.documents import ROOT
from tests.test_readme import check_lis_online

FOLDER = ROOT / "deploy" / "systemd"
SERVICES = sorted(FOLDER.glob("*.service"))
UNITS = [*SERVICES, *FOLDER.glob("*.timer"), *FOLDER.glob("*/*.conf")]
PROGRAM = "/opt/lis-online/bin/lis-online"
PAGE = (ROOT / "docs" / "systemd.md").read_text(encoding="utf-8")
EXPOSURE = 20
"""Tenths of what `systemd-analyze security` calls exposure: up to 2.0 of 10 is its best class."""

HARDENED = {
    "CapabilityBoundingSet": "",
    "LockPersonality": "yes",
    "NoNewPrivileges": "yes",
    "PrivateDevices": "yes",
    "PrivateTmp": "yes",
    "ProtectHome": "yes",
    "ProtectSystem": "strict",
    "RestrictNamespaces": "yes",
    "SystemCallArchitectures": "native",
    "UMask": "0077",
    "User": "lis-online",
}

KNOWN = {
    "Unit": "After Description StartLimitBurst StartLimitIntervalSec Wants",
    "Install": "WantedBy",
    "Timer": "OnCalendar Persistent RandomizedDelaySec",
    "Service": """
        AmbientCapabilities CacheDirectory CapabilityBoundingSet Environment EnvironmentFile ExecStart Group KillMode
        LoadCredential LockPersonality MemoryMax NoNewPrivileges PrivateDevices PrivateTmp PrivateUsers ProcSubset
        ProtectClock ProtectControlGroups ProtectHome ProtectHostname ProtectKernelLogs ProtectKernelModules
        ProtectKernelTunables ProtectProc ProtectSystem RemoveIPC Restart RestartPreventExitStatus RestartSec
        RestrictAddressFamilies RestrictNamespaces RestrictRealtime RestrictSUIDSGID StateDirectory StateDirectoryMode
        SystemCallArchitectures SystemCallErrorNumber SystemCallFilter TasksMax TimeoutStartSec TimeoutStopSec Type
        UMask User WorkingDirectory
    """,
}
"""The directives that the units use, as systemd.unit(5), .service(5), .exec(5) and .timer(5) spell them."""


def directives(unit: Path) -> list[tuple[str, str, str]]:
    """Return (section, name, value) of every line of a unit that sets something."""
    found, section = [], ""
    for line in unit.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        elif line and not line.startswith("#"):
            name, _, value = line.partition("=")
            found.append((section, name, value))
    return found


def values(unit: Path, wanted: str) -> list[str]:
    """Return the values of one directive of a unit and of what drops in on it."""
    files = [unit, *FOLDER.glob(f"{unit.name}.d/*.conf")]
    if "@" in unit.name:
        files += FOLDER.glob("lis-online@*.service.d/*.conf")
    else:
        files += FOLDER.glob("lis-online-.service.d/*.conf")
    return [value for file in dict.fromkeys(files) for _, name, value in directives(file) if name == wanted]


def unit_name(unit: Path) -> str:
    """Name a parameter."""
    return unit.relative_to(FOLDER).as_posix()


@pytest.mark.parametrize("unit", UNITS, ids=unit_name)
def test_every_directive_is_one_of_its_section(unit: Path) -> None:
    """Systemd ignores what it does not know, with a line in the journal: a misspelled limit is none."""
    for section, name, _ in directives(unit):
        assert name in KNOWN[section].split(), f"[{section}] {name}"


@pytest.mark.parametrize("unit", SERVICES, ids=unit_name)
def test_every_command_exists(unit: Path) -> None:
    """For every role that the template is for."""
    [command] = values(unit, "ExecStart")
    for role in ROLES if "@" in unit.name else [""]:
        program, *words = command.replace("%i", role).split()
        assert program == PROGRAM
        check_lis_online(words)


@pytest.mark.parametrize("unit", SERVICES, ids=unit_name)
def test_services_have_no_rights_that_they_do_not_need(unit: Path) -> None:
    """The same walls round each: what one of them lacks, an intruder takes."""
    own = {name: value for section, name, value in directives(unit) if section == "Service"}
    assert HARDENED.items() <= own.items()


@pytest.mark.parametrize("unit", SERVICES, ids=unit_name)
def test_secrets_are_credentials(unit: Path) -> None:
    """Every file that a variable names is loaded, and on the page; every variable is a setting; no secret is in one."""
    named = set()
    for variable in values(unit, "Environment"):
        name, _, value = variable.partition("=")
        if name.startswith("LIS_"):
            setting = name.removeprefix("LIS_").removesuffix("_FILE").lower().replace("__", ".")
            assert setting in MEANINGS
        if value.startswith("%d/"):
            named.add(value.removeprefix("%d/"))
    loaded = dict(value.split(":") for value in values(unit, "LoadCredential"))
    assert loaded == {name: f"/etc/lis-online/secrets/{name}" for name in named}
    assert all(f"`{name}`" in PAGE for name in named)


def test_worker_is_started_again_unless_a_person_is_needed() -> None:
    """Exit code 2 is what settings, topics and tables end with; a last checkpoint takes up to 20 s."""
    worker = FOLDER / "lis-online@.service"
    assert values(worker, "Restart") == ["on-failure"]
    assert values(worker, "RestartPreventExitStatus") == ["2"]
    assert int(values(worker, "TimeoutStopSec")[0]) >= 40
    assert values(worker, "StateDirectory") == ["lis-online/checkpoints"]
    assert "LIS_CHECKPOINTS__DIRECTORY=/var/lib/lis-online/checkpoints" in values(worker, "Environment")


def test_drop_ins_are_of_units_that_there_are() -> None:
    """A folder for a role that was renamed drops in on nothing."""
    folders = {path.name.removesuffix(".service.d") for path in FOLDER.iterdir() if path.is_dir()}
    assert folders <= {"lis-online-", "lis-online@", *(f"lis-online@{role}" for role in ROLES)}
    user = (FOLDER / "lis-online.sysusers.conf").read_text(encoding="utf-8")
    assert re.search(r"^u lis-online - ", user, re.MULTILINE)


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
def test_systemd_finds_nothing_to_say(tmp_path: Path) -> None:
    """Its own parser, and its own opinion of what an intruder could do."""
    for source in UNITS:
        target = tmp_path / source.relative_to(FOLDER)
        target.parent.mkdir(exist_ok=True)
        target.write_text(source.read_text(encoding="utf-8").replace(PROGRAM, "/bin/true"), encoding="utf-8")
    for role in ROLES:
        shutil.copy(tmp_path / "lis-online@.service", tmp_path / f"lis-online@{role}.service")
    (tmp_path / "lis-online@.service").unlink()
    services = sorted(tmp_path.glob("*.service"))
    verify = ["systemd-analyze", "verify", "--man=no", *services, *tmp_path.glob("*.timer")]
    done = subprocess.run(verify, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    for service in services:
        judge = ["systemd-analyze", "security", "--no-pager", "--offline=true", f"--threshold={EXPOSURE}", service]
        judged = subprocess.run(judge, capture_output=True, text=True, timeout=60)
        assert judged.returncode == 0, judged.stdout
