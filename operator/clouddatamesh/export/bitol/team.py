"""The team of a foreign document, and the one owner that a DataProduct has. Members never become rights."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from clouddatamesh.api.fields import Email
from clouddatamesh.export.bitol.mapping import Part
from clouddatamesh.export.bitol.report import changed, kept, mapped
from clouddatamesh.export.bitol.values import Node

_EMAIL: Final = TypeAdapter(Email)
_ROLES: Final = frozenset(
    {"owner", "dataproductowner", "dataproduct owner", "data product owner", "product owner", "productowner", "data owner"}
)
_ROLE: Final = "owner"


@dataclass(frozen=True)
class Team:
    """`team`: the first member who is an owner and has no date of leaving becomes the owner. The rest stays as it is.

    A product that has a team of its own is exported with that.
    """

    theirs: str = "team"

    def take(self, node: Node, path: str) -> Part:
        team = node.get(self.theirs)
        if team is None:
            return Part()
        place = _place(team)
        if place is None:
            return Part(rest={self.theirs: team}, report=(kept(path, "It names no owner in office with a name"),))
        member = _members(team)[place]
        at = f"{path}[{place}]" if isinstance(team, list) else f"{path}.members[{place}]"
        owner = _owner(member)
        if team == _written(owner):
            return Part({"owner": owner}, {}, (mapped(at, "owner"),))
        others = kept(path, "Only the owner has a field of ours")
        done = mapped(at, "owner") if member == _written(owner)["members"][0] else changed(at, "owner", "Name and address were taken")
        return Part({"owner": owner}, {self.theirs: team}, (done, others))

    def give(self, ours: Node, rest: Node) -> dict[str, Any]:
        owner, team = ours.get("owner"), rest.get(self.theirs)
        if team is None or ours.get("team"):
            return {self.theirs: found} if (found := _of_product(owner, ours.get("team"))) else {}
        place = _place(team)
        if (None if place is None else _owner(_members(team)[place])) == owner:
            return {self.theirs: team}
        others = [member for at, member in enumerate(_members(team)) if at != place]
        members = [*(_written(owner)["members"] if owner else ()), *others]
        return {self.theirs: members if isinstance(team, list) else {**(team if isinstance(team, Mapping) else {}), "members": members}}


TEAM: Final = Team()


def _members(team: Any) -> list[Any]:
    found = team.get("members") if isinstance(team, Mapping) else team
    return found if isinstance(found, list) else []


def _place(team: Any) -> int | None:
    for place, member in enumerate(_members(team)):
        if isinstance(member, Mapping) and not member.get("dateOut") and _is_owner(member) and _owner(member):
            return place
    return None


def _is_owner(member: Node) -> bool:
    role = member.get("role")
    return isinstance(role, str) and " ".join(role.replace("_", " ").replace("-", " ").split()).casefold() in _ROLES


def _owner(member: Node) -> dict[str, str]:
    """Name and address; without a name the user name. Empty where neither fits."""
    user, name = member.get("username"), member.get("name")
    said = name if isinstance(name, str) and name else user
    if not isinstance(said, str) or not 1 <= len(said) <= 256:
        return {}
    return {"name": said, **({"email": user} if isinstance(user, str) and _is_email(user) else {})}


def _is_email(said: str) -> bool:
    try:
        _EMAIL.validate_python(said)
    except ValidationError:
        return False
    return True


def _of_product(owner: Node | None, team: Any) -> dict[str, Any]:
    """The team of a product, with its owner as the first member where no member has that name or address."""
    members = _members(team)
    known = {said for member in members for said in (member.get("username"), member.get("name"))}
    first = _written(owner)["members"] if owner and not known & {owner.get("email"), owner["name"]} else []
    said = {**({"name": team["name"]} if isinstance(team, Mapping) and team.get("name") else {}), "members": [*first, *members]}
    return said if said["members"] or "name" in said else {}


def _written(owner: Node) -> dict[str, Any]:
    return {"members": [{"username": owner.get("email") or owner["name"], "name": owner["name"], "role": _ROLE}]}
