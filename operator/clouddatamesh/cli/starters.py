"""The first text of a Domain or a DataProduct: what was said, and commented what may be added."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from clouddatamesh.api.fields import GROUP, VERSION
from clouddatamesh.checking.scalars import resolve

_PLAIN: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._/@-]*")


@dataclass(frozen=True)
class DomainStart:
    """What has to be said of a Domain. Owners and engineers are names of groups."""

    name: str
    purpose: str
    owners: Sequence[str]
    engineers: Sequence[str] = ()
    team: str = ""


@dataclass(frozen=True)
class ProductStart:
    """What has to be said of a product. `ports` are names; each is a folder of the bucket."""

    name: str
    namespace: str
    purpose: str
    owner: str
    email: str
    store: str
    ports: Sequence[str]
    format: str
    classification: str
    personal: bool


def start_domain(said: DomainStart) -> str:
    """A manifest that the API server takes as it is."""
    title = said.name.replace("-", " ").capitalize()
    engineers = f"\n    engineers: [{_groups(said.engineers)}]" if said.engineers else "\n    # engineers: [{kind: Group, name: …}]"
    return f"""\
# A business area: its team, its namespaces, its rights and its limits. Reference: docs/reference.md, docs/domains.md
apiVersion: {GROUP}/{VERSION}
kind: Domain
metadata:
  name: {_word(said.name)}            # without spec.namespaces also the name of its namespace
spec:
  displayName: {_word(title)}
  description:
    purpose: {_word(said.purpose)}
  # type: sourceAligned               # or aggregate, consumerAligned
  team:
    name: {_word(said.team or title)}
    # members:
    # - {{username: kim, name: Kim Roe, role: dataProductOwner, dateIn: "2026-01-01"}}
  access:
    owners: [{_groups(said.owners)}]  # they answer requests{engineers}
    # viewers: [{{kind: Group, name: …}}]
    # fromTeam: true                  # members of spec.team have the rights of their role
  # namespaces: [{{name: {_word(said.name)}}}, {{name: {_word(f"{said.name}-jobs")}}}]  # the first is home and stays first
  # resources:
  #   quota: {{requests.cpu: "20", persistentvolumeclaims: "10"}}
  #   maxDataProducts: 50
  #   networkIsolation: {{mode: Domain}}
"""


def start_profile(said: DomainStart) -> str:
    """The profile of that Domain, which its owners keep."""
    title = said.name.replace("-", " ").capitalize()
    return f"""\
# What the team itself says of its domain. It gives no rights. Reference: docs/reference.md, docs/how-to/teams.md
apiVersion: {GROUP}/{VERSION}
kind: DomainProfile
metadata:
  name: {_word(said.name)}            # the name of the Domain
  namespace: {_word(said.name)}       # its home namespace
spec:
  description:
    purpose: {_word(said.purpose)}
    # limitations: …
    # usage: …
  team:
    name: {_word(said.team or title)}
    # members:
    # - {{username: kim, name: Kim Roe, role: dataProductOwner, dateIn: "2026-01-01"}}
  # training:
  # - {{name: gdpr-basics, requiredFor: [dataProductOwner], validFor: 365d, completedBy: [{{username: kim, date: "2026-01-15"}}]}}
  # stakeholders:
  # - {{name: …, role: …, email: …}}
  # dataSources:
  # - {{name: …, type: postgres, description: …, owner: …}}
  # dataModels:
  # - {{name: …, version: "1"}}
  # processing:
  # - {{name: …, type: batch, description: …}}
"""


def start_product(said: ProductStart) -> str:
    """A manifest that the API server takes as it is. It is a draft: storage is made, and nobody can ask for access yet."""
    title = said.name.replace("-", " ").capitalize()
    email = f", email: {_word(said.email)}" if said.email else ""
    return f"""\
# A data product: storage, ports, terms of access and documentation. Reference: docs/reference.md, docs/how-to/describe-a-product.md
apiVersion: {GROUP}/{VERSION}
kind: DataProduct
metadata:
  name: {_word(said.name)}
  namespace: {_word(said.namespace)}
spec:
  displayName: {_word(title)}
  version: 0.1.0
  lifecycle: draft                    # draft: storage and no consumers. Then active, deprecated, retired
  description:
    purpose: {_word(said.purpose)}
    # limitations: …
    # usage: …
  owner: {{name: {_word(said.owner)}{email}}}
  # support:
  # - {{channel: {_word(f"#{said.namespace}-data")}, url: "https://…", tool: slack}}
  # tags: [{_word(said.namespace)}]
  classification: {_word(said.classification):20}# public, internal, confidential or restricted
  personalData: {str(said.personal).lower()}
  storage:
    storeRef: {{name: {_word(said.store)}}}
    deletionPolicy: Retain            # Delete: the bucket goes with the product
    # lifecycleRules:
    # - {{prefix: tmp/, expireAfter: 7d}}
  # inputPorts:
  # - {{name: stock, from: {{namespace: inventory, dataProduct: stock-levels, outputPort: {{name: daily, version: 1.0.0}}}}}}
  outputPorts:
{"".join(_port(port, said.format) for port in said.ports)}\
  producer:
    secretName: {_word(f"{said.name}-producer")}   # a key that writes the whole bucket, in this namespace
"""


def _port(name: str, format_: str) -> str:
    return f"""\
  - name: {_word(name)}
    version: 1.0.0
    # description: one row per …, partitioned by day
    path: {_word(f"{name}/")}
    format: {_word(format_)}
    access:
      approval: Manual                # Auto: requests are granted at once
      maxDuration: 90d
      modes: [ReadOnly]
"""


def _groups(names: Sequence[str]) -> str:
    return ", ".join(f"{{kind: Group, name: {_word(name)}}}" for name in names)


def _word(text: str) -> str:
    """As YAML reads it back: plain where that is the same text, else quoted."""
    is_same = bool(_PLAIN.fullmatch(text)) and resolve(text, None, is_plain=True) == text and text == text.strip()
    quoted = json.dumps(text, ensure_ascii=False)
    return text if is_same else "".join(letter if letter.isprintable() else f"\\U{ord(letter):08x}" for letter in quoted)
