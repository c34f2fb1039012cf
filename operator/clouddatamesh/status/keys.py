"""What a status says of a principal's key that was read back."""

from clouddatamesh import reasons
from clouddatamesh.plan.keys import History, Moment
from clouddatamesh.plan.marks import ROTATE_ANNOTATION


def told_of_keys(history: History, when: Moment) -> tuple[str, str]:
    """Reason and message of the condition. A new key that was asked for while the former one still works has to wait for its end."""
    if history.is_asked and history.works_on(when):
        at = f"at {history.until:%H:%M} UTC, when" if history.until is not None else "once"
        why = f"{ROTATE_ANNOTATION}={history.token[:64]} replaces it {at} the key that was replaced before ends"
        return reasons.ROTATION_PENDING, f"Principal, policy, key and Secret were read back; annotation {why}"
    return reasons.READY, "Principal, policy, key and Secret were read back"
