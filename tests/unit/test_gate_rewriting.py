"""What is put into an admission policy of a rule's expression, and what is refused because it could mean something else there."""

import pytest

from clouddatamesh.governance.gate.literals import literal
from clouddatamesh.governance.gate.rewriting import rewrite
from clouddatamesh.governance.gate.tokens import Unsafe


@pytest.mark.parametrize(
    ("written", "rendered"),
    [
        ("params.a == 1", "variables.params.a == 1"),
        ("params == {'a': 1} && params['a'] == 1", "variables.params == {'a': 1} && variables.params['a'] == 1"),
        ("object.params == 1", "object.params == 1"),
        ("object.?params.orValue(1) == 1", "object.?params.orValue(1) == 1"),
        ("'params' == \"params\"", "'params' == \"params\""),
        (r"'it\'s params' == r'\d' + params.a", r"'it\'s params' == r'\d' + variables.params.a"),
        ("'''a'params'b''' == params.a", "'''a'params'b''' == variables.params.a"),
        ('"""\nparams""" == params.a', '"""\nparams""" == variables.params.a'),
        ("true // == params\n&& params.a", "true \n&& variables.params.a"),
        ("object.spec.tags.all(t, t in params.tags)", "object.spec.tags.all(t, t in variables.params.tags)"),
        ("{'params': params}['params'].a", "{'params': variables.params}['params'].a"),
        ("params1 == 1 || my_params == 1", "params1 == 1 || my_params == 1"),
        ("has(params.a) ? params.a : 1.5e3 == 0x1fu", "has(variables.params.a) ? variables.params.a : 1.5e3 == 0x1fu"),
        ("size (params)>0", "size (variables.params)>0"),
    ],
)
def test_only_the_name_params_is_rewritten(written: str, rendered: str) -> None:
    assert rewrite(written).expression == rendered


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("true) || (true", "closes a bracket by )"),
        ("(true", "opens a bracket by ("),
        ("[1)", "closes a bracket by )"),
        ("'abc", "does not end"),
        ("'abc\n'", "does not end"),
        ("r'\\", "does not end"),
        (r"r'\' + params.a == 'x'", "read differently"),
        ("'abc\\'", "does not end"),
        ("a # b", "has the character '#'"),
        ("[1].exists(params, params > 0)", "calls a variable of its own params"),
        ("[1].all(i, object, true)", "calls a variable of its own object"),
        ("cel.bind(oldObject, 1, oldObject)", "calls a variable of its own oldObject"),
        ("object.spec.map(request, true)", "calls a variable of its own request"),
        ("request.userInfo.username == 'kim'", "reads request"),
        ("variables.params.a", "reads variables"),
        ("authorizer.group('').resource('pods').check('get').allowed()", "reads authorizer"),
        ("namespaceObject.metadata.name == 'a'", "reads namespaceObject"),
        (".params.a == 1", "dot with nothing before it"),
        ("true ? .params.a : 1", "dot with nothing before it"),
        ("object. ?params", "dot before ?"),
        ("google.protobuf.Duration{seconds: 1} == params.a", "constructs a message"),
    ],
)
def test_what_could_mean_something_else_is_refused(written: str, why: str) -> None:
    with pytest.raises(Unsafe, match=why.replace("(", r"\(").replace(")", r"\)").replace("?", r"\?")):
        rewrite(written)


@pytest.mark.parametrize(
    ("written", "reads"),
    [
        ("object.spec.a == params.a && oldObject == null", {"object", "params", "oldObject"}),
        ("domain.metadata.name == 'sales'", {"domain"}),
        ("live.encryption && object.live", {"live", "object"}),
        ("'live' == 'domain'", set()),
        ("domain(1)", set()),
    ],
)
def test_a_rule_reads_what_it_names(written: str, reads: set[str]) -> None:
    assert rewrite(written).reads == reads


@pytest.mark.parametrize(
    ("written", "metadata"),
    [
        ("object.spec.a == 1 && oldObject != null && object.kind == 'Domain'", False),
        ("object.?spec.a == oldObject.spec.a", False),
        ("object.metadata.labels['a'] == 'b'", True),
        ("object['metadata'].name == 'a'", True),
        ("[object].all(one, one.metadata.name == 'a')", True),
        ("object == oldObject", True),
    ],
)
def test_more_than_the_spec_is_read_where_that_is_not_excluded(written: str, metadata: bool) -> None:
    assert rewrite(written).reads_metadata == metadata


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (None, "dyn(null)"),
        (True, "dyn(true)"),
        (-3, "dyn(-3)"),
        (1.0, "dyn(1)"),
        (1e22, "dyn(1e+22)"),
        ('a "b" \\ \n\u0000ä😀', 'dyn("a \\"b\\" \\\\ \\n\\u0000ä😀")'),
        ([1, "a", []], 'dyn([dyn(1), dyn("a"), dyn([])])'),
        ({"a b": {"c": 1}}, 'dyn({"a b": dyn({"c": dyn(1)})})'),
    ],
)
def test_params_are_literals_of_cel(value: object, written: str) -> None:
    assert literal(value) == written


def test_what_cel_does_not_have_is_no_literal() -> None:
    deep: list[object] = []
    for _ in range(20):
        deep = [deep]
    for value, why in ((2**63, "64 bits"), (float("inf"), "finite"), (deep, "16 levels")):
        with pytest.raises(Unsafe, match=why):
            literal(value)
