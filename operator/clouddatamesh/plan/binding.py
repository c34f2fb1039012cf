"""One principal: whose it is, what it should be, and what takes its rights away. The Secret with its key is plan/secrets.py's."""

import re
from collections.abc import Container, Iterator
from dataclasses import dataclass, replace
from typing import Final

from clouddatamesh import reasons
from clouddatamesh.api.v1alpha1.objectstore import ObjectStore
from clouddatamesh.errors import Terminal
from clouddatamesh.model.bucket import PREFIX
from clouddatamesh.model.identity import Principal
from clouddatamesh.model.plan import Operation
from clouddatamesh.model.store_operations import DeleteKey, DeletePolicy, DeletePrincipal, DetachPolicy, LeaveGroup, PutPolicy
from clouddatamesh.plan import features, marks, names, policies
from clouddatamesh.plan.marks import Owner

PRODUCER: Final = "Producer"
_QUARANTINE: Final = re.compile(r"arn:[\w-]+:iam::aws:policy/AWSCompromisedKeyQuarantine(V\d+)?")
"""Managed policies of AWS's own, which it attaches to users whose keys leaked; they only deny. Anybody may name one of his own so."""


@dataclass(frozen=True)
class Binding:
    """Whose the principal is, what it may reach, and where its key lies. An empty path is the whole bucket."""

    owner: Owner
    store: ObjectStore
    bucket: str
    secret_name: str
    path: str = ""
    mode: str = PRODUCER
    recorded: str = ""
    """Name of the principal as status has it; empty where none was made yet."""
    region: str = ""
    """Of the bucket, where it was read; empty: as the store's spec says."""

    @property
    def principal(self) -> str:
        """Name of the principal."""
        return self.recorded or names.principal_name(self.owner.mesh, self.owner.cluster, self.owner.key)

    @property
    def account(self) -> str:
        """The account to which the policy is bound: where names of buckets are global."""
        return (self.store.status.account or "") if features.is_aws(self.store) else ""


def want_principal(binding: Binding) -> Principal:
    """The IAM user as it should be, without its keys."""
    bucket, mode = binding.bucket, binding.mode
    bounds = {"account": binding.account, "partition": features.partition_of(binding.store)}
    whole = mode == PRODUCER
    return Principal(
        name=binding.principal,
        path=names.principal_path(binding.owner.mesh, binding.owner.cluster),
        tags=binding.owner.tags,
        policy=policies.producer(bucket, **bounds) if whole else policies.consumer(bucket, binding.path, mode, **bounds),
    )


def is_ours(observed: Principal, owner: Owner) -> bool:
    """Whether a user found by our name is this owner's: by its path, and by its tags where the store keeps them.

    In this cluster's own path the name alone says it, whatever some tool did to the tags: it holds a hash of the owner.
    A tag that is missing is no other's tag. Users of before a mesh knew its cluster are found by their recorded name alone.
    """
    own = names.principal_name(owner.mesh, owner.cluster, owner.key)
    if (observed.path, observed.name) == (names.principal_path(owner.mesh, owner.cluster), own):
        return True
    if observed.path not in (names.principal_path(owner.mesh, owner.cluster), names.mesh_path(owner.mesh)):
        return False
    seen = dict(observed.tags)
    return all(seen.get(tag, value) == value for tag, value in _tags_of(owner))


def was_made_for(observed: Principal, owner: Owner, issued: Container[str]) -> bool:
    """Whether a user is this owner's wherever somebody moved it: also by all of its tags, or by a key that was `issued` to this owner.

    By that access is taken away; nothing is given to such a user. One without our path, our tags and our keys is another's of that name.
    A user at the place, or with the mark, of another cluster is that one's: a status that was restored elsewhere records its keys too.
    """
    if is_ours(observed, owner):
        return True
    seen = dict(observed.tags)
    elsewhere = observed.path.startswith(names.ROOT_PATH) and observed.path != names.mesh_path(owner.mesh)
    if elsewhere or seen.get(marks.CLUSTER_TAG, owner.cluster) != owner.cluster:
        return False
    return all(seen.get(tag) == value for tag, value in _tags_of(owner)) or any(key.id in issued for key in observed.keys)


def _tags_of(owner: Owner) -> tuple[tuple[str, str], ...]:
    """The tags by which a user is told to be this owner's."""
    return (*owner.identity, (marks.CLUSTER_TAG, owner.cluster))


def principal_is_foreign(name: str) -> Terminal:
    """The error for a user of our name that is not ours."""
    return Terminal(reasons.NOT_OWNED, f"IAM user {name} exists and is not of this mesh; remove or rename it")


def put_policy(binding: Binding) -> PutPolicy:
    """The write of the one inline policy, with the bounds that the second reader holds it to."""
    partition = features.partition_of(binding.store)
    return PutPolicy(want_principal(binding), binding.bucket, binding.path, binding.mode, binding.account, partition)


def has_policy(binding: Binding, observed: Principal) -> bool:
    """Whether the inline policy says what it should."""
    return sorted(observed.policy or ()) == sorted(want_principal(binding).policy or ())


def narrowing(observed: Principal, binding: Binding, *allowed: Binding, given: bool) -> Iterator[Operation]:
    """Our own policy, cut down where somebody widened it: it says more than these bindings do.

    Only those statements of the first binding are kept that the policy covers already: what takes away gives nothing. Where none is,
    as with a policy that cannot be read, the whole is written if the binding was `given` and read back before; else the policy is deleted.
    """
    held, known = observed.policy or (), [one for bound in (binding, *allowed) for one in want_principal(bound).policy or ()]
    if all(policies.is_within(statement, known) for statement in held):
        return
    kept = tuple(statement for statement in want_principal(binding).policy or () if policies.is_within(statement, held))
    put = put_policy(binding)
    if kept or given:
        yield replace(put, want=replace(put.want, policy=kept or put.want.policy))
    else:
        yield DeletePolicy(observed.name, PREFIX)


def surplus_rights(observed: Principal) -> Iterator[Operation]:
    """What takes away every right that our one policy does not give. AWS's own quarantine of leaked keys is left."""
    yield from (DeletePolicy(observed.name, policy) for policy in sorted(observed.other_policies))
    yield from (DetachPolicy(observed.name, arn) for arn in sorted(observed.attached) if not _QUARANTINE.fullmatch(arn))
    yield from (LeaveGroup(observed.name, group) for group in sorted(observed.groups))


def all_rights(observed: Principal) -> tuple[Operation, ...]:
    """What takes every right away."""
    own = (DeletePolicy(observed.name, PREFIX),) if observed.policy is not None else ()
    quarantine = (DetachPolicy(observed.name, arn) for arn in sorted(observed.attached) if _QUARANTINE.fullmatch(arn))
    return (*own, *surplus_rights(observed), *quarantine)


def end_of(observed: Principal) -> tuple[Operation, ...]:
    """What ends a user: each right and each key, of which none needs another; once they are read back as gone, the user."""
    keys = (DeleteKey(observed.name, key.id) for key in sorted(observed.keys))
    return (*all_rights(observed), *keys) or (DeletePrincipal(observed.name),)
