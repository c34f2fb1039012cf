"""What every check is told: who asks, where the operator is, what time it is by the API server, and whether an operator leads."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from shlex import quote
from typing import Final

from clouddatamesh.doctor.reading import Reader
from clouddatamesh.kube.access import Need

DEPLOYMENT: Final = "clouddatamesh"
CONTAINER: Final = "operator"
BINDABLE: Final = "BINDABLE_ROLES"
"""The variable that tells the operator which additional roles it may bind."""


@dataclass
class Subject:
    """One installation as one caller sees it. `leads` is set by the check of the Lease: None until it is known."""

    reader: Reader
    namespace: str
    user: str
    version: str
    now: Callable[[], datetime]
    own: frozenset[Need] = frozenset()
    """What the operator itself may do by the chart."""
    leads: bool | None = None
    deployed: bool | None = None
    """Whether the Deployment exists; None where that is not known."""
    release: str = ""
    """The name of the Helm release; empty where it is not known."""
    installed: str = ""
    """The version of the release by its Deployment; empty where it is not known."""
    mesh: str = ""
    """As the cluster recorded it; else as it was given."""
    is_recorded: bool = False
    """Whether the cluster recorded the name of the mesh."""
    bindable: tuple[str, ...] = ()
    """Additional roles that the operator may bind."""
    homes: frozenset[str] | None = None
    """Namespaces that Domains have; None until they were listed."""

    @property
    def account(self) -> str:
        """The name by which the operator's ServiceAccount is known to the API server."""
        return f"system:serviceaccount:{self.namespace}:{DEPLOYMENT}"

    @property
    def is_operator(self) -> bool:
        """Whether the operator's own ServiceAccount asks, as in its Pod."""
        return self.user == self.account

    @property
    def is_installed(self) -> bool:
        """Whether the release is known to be of this program's version."""
        return self.installed == self.version or (self.is_operator and not self.installed)

    def is_by_design(self, need: Need) -> bool:
        """Whether the operator asks for what the chart does not let it do."""
        plain = replace(need, name="")
        return self.is_operator and not {need, plain, replace(plain, namespace="")} & self.own

    def helm(self, verb: str, rest: str = "") -> str:
        """A Helm command for the release. Where its name is not known, the reader fills it in: `helm list` shows it."""
        name = quote(self.release) if self.release else "<release>"
        return f"helm {verb} {name}{rest} -n {self.namespace}"

    def start(self) -> str:
        """The command that brings an operator back."""
        if self.deployed:
            return f"kubectl scale deployment {DEPLOYMENT} -n {self.namespace} --replicas=2"
        mesh = quote(self.mesh) if self.mesh else "<the same mesh>"
        install = self.helm("upgrade --install", " charts/clouddatamesh")
        return f"{install} --create-namespace --wait --set mesh={mesh} --set image.repository=<registry>/clouddatamesh"

    def upgrade(self, setting: str = "") -> str:
        """The command that repairs the chart's objects. Server-side apply leaves what somebody else changed, unless it is forced.

        None for a release of another version, which the chart of this one would replace.
        """
        further = f" --set {setting}" if setting else ""
        if self.deployed is False:
            return f"{self.start()}{further}"
        if self.installed not in ("", self.version):
            return f"{self.other_doctor(self.installed)}: the release is of that version, and the chart of {self.version} would replace it"
        return f"{self.helm('upgrade', ' charts/clouddatamesh')} --reset-then-reuse-values --wait --force-conflicts{further}"

    def other_doctor(self, version: str) -> str:
        """What to do where this program is of another version than what it looks at."""
        return f"Run the doctor of version {version} from its checkout or its image"
