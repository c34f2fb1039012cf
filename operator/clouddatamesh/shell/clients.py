"""The clients of one replica at the API server. They share who they say they are, and what the API server asked them to wait for."""

from collections.abc import Callable
from typing import Final

from clouddatamesh.kube.client import Client, Manner
from clouddatamesh.kube.patience import Patience
from clouddatamesh.kube.skew import Skew
from clouddatamesh.shell.settings import ShellSettings

LEASE_TIMEOUT: Final = (2.0, 2.5)
"""Seconds for the connection and for the answer: a renewal that gets none ends in time for a second one within the leader's deadline."""


class Clients:
    """`plain` reads and asks for permissions, `lease` holds the Lease: no other request and no throttling of others is in its way."""

    def __init__(self, settings: ShellSettings, *, skew: Skew, report: Callable[[str, str], object]) -> None:
        self._threads, self._report = settings.threads, report
        self.agent = f"clouddatamesh/{settings.core.version} ({settings.pod})"
        """Of every request, so that an audit log and the log of a store tell which replica it was."""
        self.patience = Patience()
        self.plain = Client(skew=skew, report=report, manner=Manner(self.agent, patience=self.patience, connections=8))
        self.lease = Client(report=report, manner=Manner(self.agent, connections=2, timeout=LEASE_TIMEOUT))

    def fenced(self, gate: Callable[[], object]) -> Client:
        """The client of the workers: `gate` is asked before each request that writes."""
        return Client(report=self._report, manner=Manner(self.agent, gate, self.patience, connections=self._threads + 8))
