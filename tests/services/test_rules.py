"""Rules: three answers, a closed list of operators, a budget, and no surprise errors."""

from __future__ import annotations

import contextlib
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services import loading, rules
from services.rules import UNKNOWN, BudgetExceeded, RuleFailed, RuleRefused, Verdict, compile_rule

TODAY = date(2026, 1, 4)


def value(rule: Any, **data: Any) -> Any:
    return compile_rule(rule).evaluate({"today": "2026-01-04", "answers": {}, **data})


def test_a_missing_answer_is_unknown_and_not_false() -> None:
    assert value({">": [{"var": "answers.wage"}, 1]}) is UNKNOWN
    assert not UNKNOWN
    assert rules.without_nulls({"a": None, "b": [None, 1]}) == {"b": [1]}


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ({"and": [{">": [{"var": "answers.no"}, 1]}, {"==": [1, 2]}]}, False),
        ({"and": [{">": [{"var": "answers.no"}, 1]}, {"==": [1, 1]}]}, UNKNOWN),
        ({"or": [{">": [{"var": "answers.no"}, 1]}, {"==": [1, 1]}]}, True),
        ({"or": [{"==": [1, 2]}, {">": [{"var": "answers.no"}, 1]}]}, UNKNOWN),
    ],
)
def test_one_known_part_may_decide(rule: Any, expected: Any) -> None:
    assert value(rule) is expected


def test_our_own_operators() -> None:
    members = [{"income": 5, "kind": "child"}, {"income": 7, "kind": "self"}]
    answers = {"members": members}
    listed = {"var": "answers.members"}
    assert value({"sum": [listed, {"var": "item.income"}]}, answers=answers) == 12
    assert value({"count": [listed]}, answers=answers) == 2
    child = {"==": [{"var": "item.kind"}, "child"]}
    assert value({"count": [listed, child]}, answers=answers) == 1
    assert value({"some": [listed, child]}, answers=answers) is True
    assert value({"all": [listed, child]}, answers=answers) is False
    assert value({"years_between": ["2000-02-29", "2018-02-28"]}) == 17
    assert value({"years_between": ["2000-02-29", "2018-03-01"]}) == 18
    assert value({"days_between": ["2026-01-01", {"var": "today"}]}) == 3
    assert value({"months_between": ["2025-01-31", "2026-01-30"]}) == 11
    assert value({"add_months": ["2024-02-29", 12]}) == "2025-02-28"
    assert value({"add_days": [{"var": "today"}, 30]}) == "2026-02-03"
    assert value({"in_list": ["nurse", "occupations#medical"]}) is True
    assert value({"in_list": ["mason", "occupations#medical"]}) is False
    assert value({"round_up_fils": [{"/": [10, 4]}]}) == 3
    assert value({"sum": [listed, {"var": "item.income"}]}, answers={"members": [{}]}) is UNKNOWN


@pytest.mark.parametrize(
    "rule",
    [
        {"cat": ["a", "b"]},
        {"log": [1]},
        {"try": [1, 2]},
        {"var": "session.user"},
        {"var": "answers"},
        {"var": ["answers.a", 1]},
        {"var": ""},
        {"==": [1, 1], "!=": [1, 2]},
        {"+": [1.5, 1]},
        {"in_list": ["x", "../../etc/passwd"]},
        {"in_list": ["x", "no_such_list"]},
        {"sum": [{"var": "answers.m"}, {"var": "answers.other"}]},
        {"years_between": ["2000-01-01"]},
        {"some": [{"var": "answers.m"}]},
        {"reduce": [{"var": "answers.m"}, 1]},
        {"count": [{"var": "answers.m"}, {"years_between": [{"var": "item.a"}, {"var": "today"}]}]},
        {"text": [{"var": "answers.a"}, "words"]},
    ],
)
def test_what_is_not_on_the_list_is_refused(rule: Any) -> None:
    with pytest.raises(RuleRefused):
        compile_rule(rule)


def test_a_rule_nested_too_deeply_is_refused() -> None:
    rule: Any = True
    for _ in range(40):
        rule = {"!": [rule]}
    with pytest.raises(RuleRefused):
        compile_rule(rule)


def test_a_rule_has_a_budget() -> None:
    listed = {"var": "answers.m"}
    rule = compile_rule({"sum": [listed, {"var": "item.a"}]})
    with pytest.raises(BudgetExceeded):
        rule.evaluate({"answers": {"m": [{"a": 1}] * 5_000}})


def test_text_where_a_number_belongs_is_a_named_error() -> None:
    with pytest.raises(RuleFailed):
        value({"+": [1, {"var": "answers.a"}]}, answers={"a": "x"})
    with pytest.raises(RuleFailed):
        value({"years_between": [{"var": "answers.a"}, {"var": "today"}]}, answers={"a": "soon"})
    with pytest.raises(RuleFailed):
        value({"add_days": [{"var": "today"}, 10**9]})


def test_hidden_answers_do_not_exist_for_rules_and_are_named() -> None:
    family = loading.shipped()["mosa.family_assistance.apply"]
    found = rules.evaluate(
        family,
        {"pays_rent": False, "rent": 90_000, "category": "widow", "nonsense": 1},
        today=TODAY,
    )
    assert "rent" not in found.answers
    assert {"rent", "nonsense"} <= set(found.dropped)
    assert found.computed["rent_counted"] == 0


def test_the_assistance_is_explained_by_the_values_it_read() -> None:
    family = loading.shipped()["mosa.family_assistance.apply"]
    members = [{"relation": "self", "born_on": "1990-01-01", "income": 100_000}]
    found = rules.evaluate(
        family,
        {"lives_in_kuwait": True, "pays_rent": True, "rent": 80_000, "members": members},
        today=TODAY,
        source={"person": {"nationality": "KW"}},
    )
    assert found.verdict is Verdict.MET
    assert found.computed["entitlement"] == 280_000
    assert {r.path: r.value for r in found.explained["monthly_assistance"]} == {
        "answers.entitlement": 280_000,
        "answers.monthly_income": 100_000,
    }
    assert [c.id for c in found.conditions] == ["kuwaiti", "resident", "below_level"]
    assert rules.value_of(family, "payment.amount_fils", found, today=TODAY) == 180_000


def test_a_household_not_listed_yet_has_no_known_income() -> None:
    family = loading.shipped()["mosa.family_assistance.apply"]
    for answers in ({}, {"members": []}, {"members": None}):
        found = rules.evaluate(family, {"pays_rent": False, **answers}, today=TODAY)
        assert "monthly_income" not in found.computed
        assert "below_level" in found.because


def test_each_reason_names_what_is_missing() -> None:
    permit = loading.shipped()["pam.work_permit.issue"]
    found = rules.evaluate(permit, {}, today=TODAY)
    assert found.verdict is Verdict.UNKNOWN
    assert {c.id: c.missing for c in found.conditions}["need_left"] == ("source.need.remaining",)


def test_more_lines_than_the_list_allows_is_a_named_error() -> None:
    family = loading.shipped()["mosa.family_assistance.apply"]
    with pytest.raises(BudgetExceeded):
        rules.evaluate(family, {"members": [{}] * 31}, today=TODAY)


LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**20), 10**20),
    st.text(max_size=12),
    st.sampled_from(["child", "self", "divorced", "2000-01-01", "KW", "one", "0001-01-01"]),
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)


@settings(max_examples=120, deadline=None)
@given(data=st.data())
def test_no_answers_whatever_raise_anything_but_named_errors(data: st.DataObject) -> None:
    definition = data.draw(st.sampled_from(list(loading.shipped().values())))
    names = [f.id for s in definition.sections for f in s.fields]
    names += [s.repeat.of for s in definition.sections if s.repeat]
    answers = data.draw(st.dictionaries(st.sampled_from(names), VALUES, max_size=8))
    line = st.dictionaries(st.sampled_from(names), VALUES, max_size=4)
    if "members" in names and data.draw(st.booleans()):
        answers["members"] = data.draw(st.lists(line, max_size=3))
    source = {
        name: data.draw(st.dictionaries(st.sampled_from(list(register.facts)), VALUES, max_size=4))
        for name, register in definition.prefill.items()
    }
    today = date(2026, 1, 1) + timedelta(days=data.draw(st.integers(0, 700)))
    try:
        found = rules.evaluate(definition, answers, today=today, source=source)
    except RuleFailed:
        return
    assert found.verdict in set(Verdict)
    assert all(isinstance(fee.fils, int) and fee.fils >= 0 for fee in found.fees)


RULES = st.recursive(
    st.one_of(LEAVES, st.builds(lambda p: {"var": p}, st.text(max_size=10))),
    lambda inner: st.dictionaries(
        st.sampled_from([*rules.ENGINE_OPERATORS, *rules.OWN_OPERATORS, "cat", "throw"]),
        st.lists(inner, max_size=3),
        min_size=1,
        max_size=2,
    ),
    max_leaves=15,
)


@settings(max_examples=150, deadline=None)
@given(rule=RULES)
def test_no_rule_whatever_raises_anything_but_named_errors(rule: Any) -> None:
    with contextlib.suppress(RuleRefused, RuleFailed):
        compile_rule(rule).evaluate({"answers": {"a": 1}, "today": "2026-01-04"})
