"""Label selectors, as Kubernetes reads them."""

from collections.abc import Mapping

from clouddatamesh.api.fields import LabelSelector, LabelSelectorRequirement


def matches(selector: LabelSelector | None, labels: Mapping[str, str]) -> bool:
    """Whether labels fit a selector. None and an empty selector fit everything."""
    if selector is None:
        return True
    exact = all(labels.get(key) == value for key, value in selector.match_labels.items())
    return exact and all(_fits(requirement, labels) for requirement in selector.match_expressions)


def _fits(requirement: LabelSelectorRequirement, labels: Mapping[str, str]) -> bool:
    if requirement.operator == "Exists":
        return requirement.key in labels
    if requirement.operator == "DoesNotExist":
        return requirement.key not in labels
    within = labels.get(requirement.key) in requirement.values
    return within if requirement.operator == "In" else not within
