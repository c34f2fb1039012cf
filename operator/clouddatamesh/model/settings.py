"""What the operator was told at its start; read once from the environment by the shell."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True)
class Settings:
    """`mesh` is the name of the mesh that this operator serves, `namespace` its own namespace."""

    mesh: str
    namespace: str
    version: str = "0.0.0"
    drift_interval: timedelta = timedelta(minutes=5)
    """How often each store object is read again, jittered by a tenth."""
    probe_interval: timedelta = timedelta(hours=24)
    waiting_interval: timedelta = timedelta(seconds=20)
    """The slow net below Waiting: the watch on what is waited for is what normally wakes a key."""
    rotation_grace: timedelta = timedelta(hours=1)
    """How long a key that was replaced still works."""
    service_account: str = "clouddatamesh"
    """The operator's own ServiceAccount, subject of the RoleBinding that lets it handle Secrets of a domain."""
    bindable_roles: tuple[str, ...] = ()
    """ClusterRoles that a Domain may name in spec.access.additionalRoles."""


@dataclass(frozen=True)
class Next:
    """When a key is to be reconciled again: after some seconds at the latest, and with growing backoff where something may pass by itself.

    `failures` are the reasons of what failed, for the metrics. `brief`: nothing but the API server's return is waited for.
    """

    after: float | None = None
    backoff: bool = False
    failures: tuple[str, ...] = ()
    brief: bool = False
