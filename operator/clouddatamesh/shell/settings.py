"""The environment as values. Whatever is wrong with it ends the start with one sentence that names the variable."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from clouddatamesh import __version__
from clouddatamesh.api.fields import parse_duration
from clouddatamesh.model.settings import Settings

_MESH: Final = re.compile(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?")
_DIGITS: Final = 9
"""Python refuses to read numbers of thousands of digits."""


class SettingsError(Exception):
    """A variable is missing or wrong; the message names it and the way out."""


@dataclass(frozen=True)
class ShellSettings:
    """What only the shell needs. `core` goes to the reconcilers."""

    core: Settings
    pod: str
    """The name of this replica, by which it holds the Lease."""
    threads: int = 20
    health_port: int = 8080
    log_level: str = "INFO"
    log_format: str = "text"


def read_settings(env: Mapping[str, str]) -> ShellSettings:
    """Settings from environment variables."""
    core = Settings(
        mesh=_mesh(env),
        namespace=required(env, "POD_NAMESPACE", "the operator's own namespace"),
        version=__version__,
        drift_interval=_duration(env, "DRIFT_INTERVAL", "5m"),
        service_account=env.get("SERVICE_ACCOUNT") or "clouddatamesh",
        bindable_roles=tuple(env.get("BINDABLE_ROLES", "").split()),
    )
    return ShellSettings(
        core=core,
        pod=required(env, "POD_NAME", "the name of this replica, by which it holds the Lease"),
        threads=number(env, "THREADS", 20, most=128),
        health_port=number(env, "HEALTH_PORT", 8080, most=65535),
        log_level=choice(env, "LOG_LEVEL", ("INFO", "DEBUG", "WARNING", "ERROR")),
        log_format=choice(env, "LOG_FORMAT", ("TEXT", "JSON")).lower(),
    )


def required(env: Mapping[str, str], name: str, what: str) -> str:
    """A variable that must be set."""
    if not env.get(name):
        raise SettingsError(f"{name} is not set; set it to {what}")
    return env[name]


def _mesh(env: Mapping[str, str]) -> str:
    """As the chart's schema has it: the name is part of names in the store."""
    found = required(env, "CLOUDDATAMESH_MESH", "the name of the mesh that this operator serves")
    if not _MESH.fullmatch(found):
        rule = "1 to 40 of a-z, 0-9 and -, with a letter or digit at both ends"
        raise SettingsError(f"CLOUDDATAMESH_MESH must be {rule}, not {found!r}")
    return found


def _duration(env: Mapping[str, str], name: str, default: str) -> timedelta:
    try:
        found = parse_duration(env.get(name) or default)
    except ValueError as error:
        raise SettingsError(f"{name}: {error}") from None
    if found < timedelta(minutes=1):
        raise SettingsError(f"{name} must be at least 1m")
    return found


def number(env: Mapping[str, str], name: str, default: int, *, most: int) -> int:
    """A whole number from 1."""
    text = env.get(name) or str(default)
    if not (text.isascii() and text.isdigit() and len(text) <= _DIGITS) or not 1 <= int(text) <= most:
        raise SettingsError(f"{name} must be a number from 1 to {most}, not {text!r}")
    return int(text)


def choice(env: Mapping[str, str], name: str, choices: tuple[str, ...]) -> str:
    """One of these in capitals, however it is written; the first where it is not set."""
    text = (env.get(name) or choices[0]).upper()
    if text not in choices:
        raise SettingsError(f"{name} must be one of {', '.join(choices).lower()}, not {text.lower()!r}")
    return text
