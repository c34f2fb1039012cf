"""What a change of manifests does, said before it is applied."""

from clouddatamesh.view.effects.changes import find_effects
from clouddatamesh.view.effects.effect import Effect, Sign

__all__ = ["Effect", "Sign", "find_effects"]
