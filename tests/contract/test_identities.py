"""What every Identities promises, on the fake and on real stores alike."""

from dataclasses import replace

import pytest

from clouddatamesh import reasons
from clouddatamesh.errors import MeshError, Terminal
from clouddatamesh.model.bucket import PREFIX
from clouddatamesh.model.evidence import Absent
from clouddatamesh.model.identity import Principal
from clouddatamesh.plan import policies
from tests.contract.worlds import World, fresh
from tests.support.evidence import seen

PATH = "/clouddatamesh/acme/"


@pytest.fixture
def user(world: World) -> Principal:
    """A new user, as wanted."""
    want = Principal(fresh("user"), PATH, tags=(("clouddatamesh.dev/mesh", "acme"),), policy=policies.producer("acme-orders"))
    world.identities.create(want)
    return want


def read(world: World, user: Principal) -> Principal:
    return seen(world.identities.observe(user.name))


def test_what_is_absent_is_none_and_can_be_taken_away(world: World) -> None:
    name = fresh("user")
    assert world.identities.observe(name) == Absent()
    world.identities.delete(name)


def test_a_user_is_made_bare_under_its_path_and_making_it_again_is_success(world: World, user: Principal) -> None:
    world.identities.create(user)
    found = read(world, user)
    assert (found.path, found.policy, found.other_policies, found.keys) == (PATH, None, (), ())
    assert found.tags in ((), user.tags), "tags are kept, or not at all"


def test_a_user_of_another_path_is_not_ours(world: World, user: Principal) -> None:
    with pytest.raises(Terminal) as caught:
        world.identities.create(replace(user, path="/clouddatamesh/other/"))
    assert caught.value.reason == reasons.NOT_OWNED


def test_the_policy_is_read_back_as_written_and_can_be_removed(world: World, user: Principal) -> None:
    world.identities.put_policy(user)
    assert sorted(read(world, user).policy or ()) == sorted(user.policy or ())
    world.identities.delete_policy(user.name, PREFIX)
    world.identities.delete_policy(user.name, PREFIX)
    assert read(world, user).policy is None


def test_a_key_is_handed_out_once_and_removed(world: World, user: Principal) -> None:
    key = world.identities.create_key(user.name)
    assert key.secret and key.secret not in repr(key)
    assert [(found.id, found.active) for found in read(world, user).keys] == [(key.id, True)]
    world.identities.delete_key(user.name, key.id)
    world.identities.delete_key(user.name, key.id)
    assert read(world, user).keys == ()


def test_a_user_goes_only_when_its_keys_and_policies_are_gone(world: World, user: Principal) -> None:
    world.identities.put_policy(user)
    key = world.identities.create_key(user.name)
    with pytest.raises(MeshError):
        world.identities.delete(user.name)
    world.identities.delete_policy(user.name, PREFIX)
    world.identities.delete_key(user.name, key.id)
    world.identities.delete(user.name)
    assert world.identities.observe(user.name) == Absent()
