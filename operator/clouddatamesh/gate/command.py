"""`clouddatamesh gate`: the log-in, the loop, and the health endpoint."""

import logging
import signal
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from clouddatamesh.errors import MeshError
from clouddatamesh.gate.bells import Bells
from clouddatamesh.gate.rounds import SOURCES, TARGETS, Outcome, Rounds
from clouddatamesh.kube.client import LOGIN_ERRORS, Client, Manner
from clouddatamesh.kube.skew import Skew
from clouddatamesh.shell import logs, settings
from clouddatamesh.shell.health import Checks, HealthServer

_log = logging.getLogger(__name__)
RESYNC: Final = 60.0
"""Seconds between rounds where nothing rings."""
_SETTLE: Final = 1.0
"""Seconds in which further changes join a round."""
_STUCK: Final = 600.0
ACCOUNT: Final = "clouddatamesh"


@dataclass(frozen=True)
class GateSettings:
    """The environment of the gate program."""

    operator: str
    """The user name of the operator's ServiceAccount."""
    health_port: int
    log_level: str
    log_format: str


def read_settings(env: Mapping[str, str]) -> GateSettings:
    """Raises settings.SettingsError, whose message names the variable."""
    namespace = settings.required(env, "POD_NAMESPACE", "the namespace of the operator and of this program")
    return GateSettings(
        operator=f"system:serviceaccount:{namespace}:{env.get('SERVICE_ACCOUNT') or ACCOUNT}",
        health_port=settings.number(env, "HEALTH_PORT", 8080, most=65535),
        log_level=settings.choice(env, "LOG_LEVEL", ("INFO", "DEBUG", "WARNING", "ERROR")),
        log_format=settings.choice(env, "LOG_FORMAT", ("TEXT", "JSON")).lower(),
    )


class Loop:
    """Rounds until it is told to end: when something rings, when a waiver ends, and each minute."""

    def __init__(
        self, rounds: Callable[[], Outcome], *, now: Callable[[], datetime], monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._rounds, self._now, self._monotonic = rounds, now, monotonic
        self._rung, self._ended = threading.Event(), threading.Event()
        self._began = monotonic()
        self._against: tuple[str, ...] = ("the first round has not ended yet",)

    def ring(self) -> None:
        """Something may have changed."""
        self._rung.set()

    def end(self) -> None:
        """End after the round that runs."""
        self._ended.set()
        self._rung.set()

    def run(self) -> None:
        """Until `end`."""
        while not self._ended.is_set():
            self._rung.wait(self.once())
            self._ended.wait(_SETTLE if self._rung.is_set() else 0.0)

    def once(self) -> float:
        """One round; for how many seconds it is good."""
        self._began = self._monotonic()
        self._rung.clear()
        try:
            outcome = self._rounds()
        except MeshError as error:
            return self._failed(error.message)
        except Exception:
            _log.exception("A round failed")
            return self._failed("The program met a fault of its own; its log has the trace")
        self._against = outcome.failures
        left = (outcome.until - self._now()).total_seconds() if outcome.until else RESYNC
        return min(max(left, 0.0) + 0.001, RESYNC)

    def _failed(self, why: str) -> float:
        said = f"{why}; every admission policy is kept as it is, because nothing is removed on an incomplete list"
        if (said,) != self._against:
            _log.warning("%s", said)
        self._against = (said,)
        return RESYNC / 6

    def find_stuck(self) -> tuple[str, ...]:
        """What speaks against the process being alive."""
        passed = self._monotonic() - self._began
        return (f"the last round began {passed:.0f} s ago",) if passed > _STUCK else ()

    def find_unready(self) -> tuple[str, ...]:
        """What speaks against the admission policies being as they are rendered."""
        return self._against


def run(given: GateSettings) -> int:
    """Until SIGTERM or SIGINT; 2 where there is no way to log in."""
    logs.configure(level=given.log_level, style=given.log_format)
    skew = Skew()
    try:
        client = Client(skew=skew, manner=Manner("clouddatamesh-gate"))
    except LOGIN_ERRORS as error:
        _log.error("There is no way to log in to an API server: %s", error)
        return 2

    def now() -> datetime:
        return datetime.now(UTC) - timedelta(seconds=skew.seconds())

    loop = Loop(Rounds(client, operator=given.operator, now=now).run, now=now)
    bells = Bells(client, (*SOURCES, *TARGETS), loop.ring)
    health = HealthServer(given.health_port, Checks(lambda: (*loop.find_stuck(), *bells.ended()), loop.find_unready, lambda: b""))
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: loop.end())
    health.start()
    bells.start()
    loop.run()
    bells.end()
    health.stop()
    return 0
