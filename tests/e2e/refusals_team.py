"""What the API server refuses of teams, their training and profiles."""

from tests.e2e.cases import Refusal
from tests.support.manifests import a_domain, a_product, a_profile, a_team

TEAM_RULES = (
    Refusal(
        "a member of a profile who leaves before coming",
        a_profile(team=a_team(("kim", "", "2026-02-01", "2026-01-01"))),
        "A member's dateOut is before dateIn; correct one of them",
    ),
    Refusal(
        "a member of a product's team who leaves before coming",
        a_product(team=a_team(("kim", "", "2026-02-01", "2026-01-01"))),
        "A member's dateOut is before dateIn; correct one of them",
    ),
    Refusal(
        "a training that is valid for no time",
        a_profile(training=[{"name": "gdpr", "validFor": "0d"}]),
        "A training's validFor is zero; set at least 1d, or remove it if the training need not be repeated",
    ),
    Refusal("a profile with empty documentation", a_profile(documentation={}), "spec.documentation is empty; set text"),
    Refusal(
        "a reserved name in a team with rights",
        a_domain(team=a_team(("system:masters", "owner", "", "")), access={"fromTeam": True}),
        "A member of spec.team is named system:*, which is reserved for the cluster; rename the member",
    ),
    Refusal(
        "rights for a team with a reserved name",
        a_domain(team=a_team(("system:masters", "owner", "", "")), access={"fromTeam": True}),
        "A member of spec.team is named system:*",
        after=a_domain(team=a_team(("system:masters", "owner", "", ""))),
    ),
)
TEAM_BOUNDS = (
    Refusal("two trainings of one name", a_profile(training=[{"name": "gdpr"}, {"name": "gdpr"}]), "Duplicate value"),
    Refusal(
        "a training that one person completed twice",
        a_profile(training=[{"name": "gdpr", "completedBy": [{"username": "kim", "date": f"2026-01-0{day}"} for day in (1, 2)]}]),
        "Duplicate value",
    ),
    Refusal(
        "a training that was completed on no day of the calendar",
        a_profile(training=[{"name": "gdpr", "completedBy": [{"username": "kim", "date": "2026-02-30"}]}]),
        "must be of type date",
    ),
)
"""Bounds of the schema, which have no sentence of their own."""
