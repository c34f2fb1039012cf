"""Whether a Domain may hand out the roles that it names: only those in the platform team's list, and none while a policy refuses it."""

from dataclasses import replace

from clouddatamesh import reasons
from clouddatamesh.api.v1alpha1.domain import Domain
from clouddatamesh.errors import Terminal
from clouddatamesh.model.plan import Operation, Part, Steps, stopped
from clouddatamesh.model.settings import Settings
from clouddatamesh.plan.children import OPERATOR_BINDING


def plan_roles(domain: Domain, settings: Settings) -> Steps:
    """Nothing to do: why the Domain is not Ready where it names a role that the operator does not bind.

    The admission policy refuses such a role when it is written. This is for what was written before, or without the policy.
    """
    refused = sorted(entry.role for entry in domain.spec.access.additional_roles if entry.role not in settings.bindable_roles)
    return stopped(_not_bindable(refused, settings.bindable_roles)) if refused else Steps()


def _not_bindable(refused: list[str], bindable: tuple[str, ...]) -> Terminal:
    listed = f"which lists {', '.join(bindable)}" if bindable else "which is empty"
    why = f"spec.access.additionalRoles names {', '.join(refused)}, not in the chart's value access.bindableRoles, {listed}"
    return Terminal(reasons.ROLE_NOT_BINDABLE, f"{why}; nobody has it through this Domain. Remove it, or have the platform team list it")


def without_rights(part: Part) -> Part:
    """Of what is made for a Domain that a policy refuses: limits, isolation and the operator's own binding. What it has stays."""
    return replace(part, steps=replace(part.steps, operations=tuple(one for one in part.operations if not _gives_rights(one))))


def _gives_rights(operation: Operation) -> bool:
    manifest = getattr(operation, "manifest", None)
    return manifest is not None and manifest["kind"] == "RoleBinding" and manifest["metadata"]["name"] != OPERATOR_BINDING
