"""What the kinds are called. A command line reads it without waiting for the models."""

from dataclasses import dataclass
from typing import Final, Literal


@dataclass(frozen=True)
class Name:
    """One kind as manifests, paths and kubectl call it."""

    kind: str
    plural: str
    short_names: tuple[str, ...]
    scope: Literal["Cluster", "Namespaced"] = "Namespaced"

    @property
    def singular(self) -> str:
        return self.kind.lower()


NAMES: Final = (
    Name("ObjectStore", "objectstores", ("ostore",), "Cluster"),
    Name("Domain", "domains", ("dom",), "Cluster"),
    Name("DataProduct", "dataproducts", ("dp",)),
    Name("AccessRequest", "accessrequests", ("areq",)),
    Name("AccessGrant", "accessgrants", ("agrant",)),
    Name("AccessInbox", "accessinboxes", ("ainbox",)),
    Name("GovernancePolicy", "governancepolicies", ("gpol",), "Cluster"),
    Name("DomainPolicy", "domainpolicies", ("dpol",)),
    Name("DomainProfile", "domainprofiles", ("dprof",)),
    Name("PolicyWaiver", "policywaivers", ("pwaiv",), "Cluster"),
)
NAME_BY_KIND: Final = {name.kind: name for name in NAMES}
