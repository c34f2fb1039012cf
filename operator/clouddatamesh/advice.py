"""What to do about each reason, by subject. With the meanings of reasons.py it becomes docs/operations/reasons.md."""

from collections.abc import Mapping
from typing import Final

from clouddatamesh import reasons as r

NOTHING: Final = "Nothing."
_WAITS: Final = "Nothing: it resolves without you."
_RETRIES: Final = "Nothing: the operator retries with backoff. If it lasts, check {}."

ADVICE: Final[Mapping[str, Mapping[str, str]]] = {
    "The state of an object": {
        r.READY: NOTHING,
        r.PENDING: "Check that an operator runs, holds the Lease and is installed with this mesh's name.",
        r.RECONCILING: _WAITS,
        r.SUSPENDED: "To resume, set `spec.suspend` to false.",
        r.OBSERVED: "To let the operator write, set `spec.mode` to Manage.",
        r.PLANNED: "Read `status.plan`. To apply it, set `spec.mode` to Manage.",
        r.PROPOSED: "To create the storage, set `spec.lifecycle` to draft or active.",
        r.RETIRED: NOTHING,
        r.DRIFTED: NOTHING + " In mode Manage the operator repairs it.",
        r.IN_SYNC: NOTHING,
        r.DELETING: _WAITS,
        r.EMPTYING: _WAITS,
        r.IN_USE: "Delete or end what the message names. For a product, its AccessInbox lists the consumers.",
        r.INVALID_SPEC: "Correct the field that the message names.",
        r.UNREADABLE: "Run the newer version of the operator that wrote the object, or correct the field that its status names.",
    },
    "Domains and namespaces": {
        r.DOMAIN_NOT_FOUND: "Name the namespace in a Domain's `spec.namespaces`. If one names it already, look at that Domain's status.",
        r.PARENT_NOT_FOUND: "Create the parent, or correct `spec.parentRef`.",
        r.CYCLE: "Correct `spec.parentRef` of one Domain in the cycle.",
        r.CORDONED: "Use another Domain, or ask the platform team to set `cordoned` to false.",
        r.FORMER_MEMBERS: "Remove the users from the Domain's `spec.access`, or correct their `dateOut`.",
        r.PROFILE_IGNORED: "Create the profile with the name and in the namespace that the message names, and remove this one.",
        r.TRAINING_OVERDUE: "Complete the training, and set its day in `spec.training[].completedBy` of the DomainProfile.",
        r.CONSENT_MISSING: "Choose another namespace, or have an administrator set the consent that the message names.",
        r.PROTECTED_NAMESPACE: "Choose another namespace.",
        r.ROLE_NOT_BINDABLE: "Remove the role from the Domain, or add it to the chart's value `access.bindableRoles`.",
        r.NAMESPACE_TERMINATING: _WAITS,
        r.QUOTA_NOT_COUNTED: "Wait a minute. If it lasts, correct the limit that the message names, or check kube-controller-manager.",
        r.NAMESPACE_RELEASED: NOTHING,
        r.TAKEN_BACK: NOTHING,
    },
    "Policies": {
        r.COMPLIANT: NOTHING,
        r.POLICY_VIOLATION: "Follow `remediation` of each entry of `status.compliance.violations`, or ask for a PolicyWaiver.",
        r.POLICY_COMPLIED: NOTHING,
        r.INVALID_RULE: "Correct the rule that the message names.",
        r.POLICY_CONFLICT: "Rename the rule that the message names, or make it at least as strict as the one above it.",
        r.OUTSIDE_HOME: "Move the DomainPolicy to the home namespace of the Domain.",
        r.INSTALLED: NOTHING,
        r.NOT_AT_GATE: NOTHING,
        r.LEFT_BEHIND: "Wait a minute for the gate program. Where it did not make the admission policy, delete that and its binding, or"
        " remove them from the repository that applies them.",
        r.NOT_INSTALLED: "Set the chart's value `governance.gate.enabled`, or apply what `clouddatamesh policies render` prints.",
        r.NOT_RENDERED: "Change the rule that the message names.",
        r.DIFFERS: "Wait a minute for the gate program. Where it did not make the admission policy, apply again what `clouddatamesh"
        " policies render` prints.",
        r.NOT_YET_IN_EFFECT: _WAITS,
        r.POLICY_NOT_FOUND: "Create another PolicyWaiver with the right `policyRef` and `rule`.",
        r.WAIVER_EXPIRED: "Delete the PolicyWaiver, or set a later `spec.validUntil`.",
    },
    "Object stores": {
        r.STORE_NOT_FOUND: "Correct `spec.storage.storeRef`, or create the ObjectStore.",
        r.STORE_NOT_READY: "Look at the status of the ObjectStore. Existing access and storage stay as they are.",
        r.NOT_ALLOWED: "Ask the platform team to change `allowedDomains`, or use another store. To end access, use `cut-off`.",
        r.CREDENTIALS_INVALID: "Correct the Secret. The operator reads it again within a minute.",
        r.CREDENTIALS_MISSING: "Create the Secret with the keys `access-key-id` and `secret-access-key` in the operator's namespace.",
        r.CERTIFICATE_INVALID: "Set `spec.caBundle` to the CA that signed the store's certificate.",
        r.CAPABILITY_MISSING: (
            "Do what the message names: relax `spec.baseline`, or use another store. On AWS everything is required, so give the credentials"
            " the permission instead. With `Ready=Unknown`, wait for the next probe, a few minutes."
        ),
        r.STORE_IN_USE: "If the other cluster is gone for good, add its UID to `spec.takeOverFrom`. Otherwise use another mesh name.",
        r.NOT_THE_SAME_STORE: "Restore the endpoint or the Secret. To accept the new store, set the annotation `account` or `recreate`.",
        r.OTHER_MESH: "Restore the chart's value `mesh`.",
        r.ACCESS_DENIED: "Give the operator the permission that the message names.",
        r.STORE_REFUSED: "Change what the message names. It has the store's own words.",
        r.LIMIT_EXCEEDED: "Raise the quota, or remove what is not needed.",
        r.NOT_VISIBLE_YET: _WAITS,
        r.STORE_UNAVAILABLE: _RETRIES.format("the store and the network to it"),
        r.THROTTLED: _RETRIES.format("the store's limits, and raise the chart's value `driftInterval`"),
        r.ORPHANED: (
            "Up to 20: nothing, the operator removes them. More than 20: apply the missing objects, or remove the users by hand."
            " If a user cannot be removed, the condition has the store's reason."
        ),
        r.UNCLAIMED: "Apply the objects that own them, or end them with the annotation `end-taken-over`.",
        r.ABANDONED: "Clean up what the event lists, if you still reach the store.",
    },
    "Buckets": {
        r.NOT_OWNED: "Choose another name, remove the other resource, or give the consent that the message names.",
        r.NOT_ADOPTED: (
            "Set `adoptionPolicy: IfOwned`, give the Domain its former name, or hand the bucket over by the tag `transfer-to`."
            " A bucket without marks: restore its tags, or consent as the message says."
        ),
        r.BUCKET_MISSING: "Restore the bucket, or confirm the loss with the annotation `recreate`.",
        r.BUCKET_NOT_EMPTY: (
            "Empty the bucket, set `deletionPolicy: Retain`, or keep it with the annotation `orphan`."
            " `forceDestroy` counts only if it was set before the deletion. If the message says that the store lists nothing, remove"
            " what the store still counts by its own means (in Ceph: `radosgw-admin bucket check --fix`)."
        ),
        r.DELETION_DISABLED: "Set `deletionPolicy: Retain`, or ask the platform team to set `deletionEnabled`.",
        r.MARKS_MISSING: "Restore the tags, or tag the bucket `adopt-by`.",
        r.LOSS_UNCONFIRMED: "If this is a mistake, restore the tags within half a minute.",
        r.STORAGE_LOSS_BRAKE: "Check the stores, and what writes tags there. Restore the tags, or release a bucket by the tag `released`.",
        r.RELEASED: "To keep the bucket, remove the tag.",
        r.ADOPTION_PLANNED: "Read `status.plan`: it names first who loses access. Agree by `apply-plan`, or remove the tag or the product.",
        r.ADOPTION_BLOCKED: (
            "Do what the message names. For grants of the bucket's ACL: remove them (canned ACL `private`), or, on a store that is not AWS,"
            " set `spec.baseline.objectOwnership` of the ObjectStore to `Off`."
        ),
        r.CREATED: NOTHING,
        r.ADOPTED: NOTHING,
        r.REPAIRED: NOTHING,
        r.RETAINED: "Delete the bucket by hand when nobody needs the data.",
        r.DESTROYED: NOTHING,
    },
    "Access": {
        r.AWAITING_GRANT: "The owner finds the request in the product's AccessInbox and answers it with an AccessGrant.",
        r.GRANTED: NOTHING,
        r.DENIED: "Ask the owner. A Deny has no end; the owner changes it.",
        r.EXPIRED: "To get access again, set `spec.renewal`.",
        r.EXPIRING: "To keep access, set `spec.renewal`.",
        r.REVOKED: "Ask the owner, or request access again with `spec.renewal`.",
        r.NO_NEW_GRANTS: "The message names the product, port or Domain that prevents it.",
        r.PRODUCT_NOT_FOUND: "Correct `spec.dataProductRef` in a new request, or create the product.",
        r.PRODUCT_NOT_READY: "Look at the status of the product.",
        r.NOT_OFFERED: "Ask the owner to set the product's lifecycle to active.",
        r.PORT_NOT_FOUND: "Create a new request for a port that the message names.",
        r.MODE_NOT_OFFERED: "Create a new request with a mode that the port offers.",
        r.PERMANENT_NOT_ALLOWED: "Request a duration, or ask the owner to set the port's `allowPermanent`.",
        r.CONSUMER_NOT_FOUND: "Create the consumer that the message names.",
        r.INPUTS_MISSING: "Look at `status.inputPorts`: it says what each input port lacks.",
        r.REQUEST_NOT_FOUND: "Create the request, or delete the grant.",
        r.GRANT_MISMATCH: "Create a new grant with the values of the request. The message names both values.",
        r.SUPERSEDED: "Nothing. You can delete the grant.",
        r.OUTLASTED: NOTHING,
        r.AWAITING_APPROVERS: "Another person approves with a grant of their own. `status.approvals` of the request names who has.",
        r.NO_APPROVER: "Create another grant with `spec.approver`, as `kubectl mesh approve` does.",
        r.NOT_ANSWERED: "An owner answers the request. The product's AccessInbox shows it.",
        r.REASSESSMENT_DUE: "Create a newer grant if the access is still right, or delete the grant.",
        r.CUT_OFF: "To give access again, remove the annotation. If the message says that it names no port, correct it.",
        r.GIVEN: NOTHING,
        r.TAKEN: NOTHING,
    },
    "Keys and Secrets": {
        r.ROTATED: "Restart Pods that read the key from environment variables within the hour.",
        r.ROTATION_PENDING: "Wait until the time in the message. To get a new key now, delete the Secret; that ends the previous key.",
        r.SECRET_TERMINATING: "Wait. If it lasts, remove the finalizer that holds the Secret.",
        r.SECRET_IMMUTABLE: "Nothing. If the operator cannot replace it, delete the Secret.",
    },
    "The operator and the API server": {
        r.ADMISSION_REFUSED: "Change the policy or webhook that the message names.",
        r.CLOCK_SKEWED: "Synchronize the clocks.",
        r.CLUSTER_UNAVAILABLE: _RETRIES.format("the API server"),
        r.CONFLICT: _RETRIES.format("who else writes the object"),
        r.INTERNAL: "Report it with the traceback from the log.",
    },
}

_BY_REASON: Final = {reason: said for rows in ADVICE.values() for reason, said in rows.items()}


def advice_of(reason: str) -> str:
    """What the page of reasons says to do about a reason."""
    return _BY_REASON.get(reason, "Read the message; docs/operations/reasons.md explains reasons.")
