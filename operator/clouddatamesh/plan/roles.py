"""Whether a Domain may hand out the roles that it names: only those in the platform team's list."""

from clouddatamesh import reasons
from clouddatamesh.api.v1alpha1.domain import Domain
from clouddatamesh.errors import Terminal
from clouddatamesh.model.plan import Steps, stopped
from clouddatamesh.model.settings import Settings


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
