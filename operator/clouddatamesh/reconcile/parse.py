"""Step 1: a manifest becomes a model, or a sentence that names the field."""

from typing import TypeVar

from pydantic import ValidationError

from clouddatamesh import reasons
from clouddatamesh.api.base import Resource
from clouddatamesh.errors import Terminal
from clouddatamesh.model.objects import Manifest

R = TypeVar("R", bound=Resource)
_SHOWN = 3


def parse(model: type[R], manifest: Manifest) -> R:
    """The manifest as a model. What does not fit is Terminal(InvalidSpec); values are never echoed, they may be secrets."""
    try:
        return model.model_validate(manifest)
    except ValidationError as error:
        faults = [f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors(include_input=False, include_url=False)]
        raise Terminal(reasons.INVALID_SPEC, "; ".join(sorted(faults)[:_SHOWN])) from None
