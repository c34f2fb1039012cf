"""The admission policies that the chart renders, by the value that switches them off."""

from collections.abc import Mapping
from typing import Final

GUARDS: Final[Mapping[str, tuple[tuple[str, ...], str]]] = {
    "enabled": (
        tuple(f"clouddatamesh-operator-guard-{part}" for part in ("children", "namespaces", "answers", "specs")),
        "a stolen token of the operator may bind roles and write in every namespace",
    ),
    "ports": (("clouddatamesh-port-guard",), "everyone who may change a product opens its ports"),
    "deletion": (("clouddatamesh-deletion-guard",), "a product that is being deleted may be changed to destroy its data or to give access"),
    "finalizers": (("clouddatamesh-finalizer-guard",), "a finalizer may be removed by others, which leaves users and keys in the store"),
    "status": (("clouddatamesh-status-guard",), "others may write status, the operator's record of what to revoke"),
    "owners": (("clouddatamesh-owner-guard",), "who names an owner has objects deleted by the garbage collector"),
    "cutOff": (("clouddatamesh-cut-off-guard",), "consumers that an owner cut off may be let in by others"),
    "approvers": (("clouddatamesh-approver-guard",), "one owner may approve in the name of several, where a port asks for several people"),
    "roles": (("clouddatamesh-role-guard",), "a role that the operator does not bind is told of by the Domain's status only"),
    "namespaces": (("clouddatamesh-namespace-guard",), "everyone who may change a namespace decides which Domain has it"),
}
"""By the chart's value guard.<name>: the policies that it renders, and what their absence allows. A test compares it with the chart."""
