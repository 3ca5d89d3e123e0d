"""Each publish check, shown red once by a planted fault."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from services import checks, loading

PERMIT = "pam.work_permit.issue"
FAMILY = "mosa.family_assistance.apply"


def body(service: str) -> dict[str, Any]:
    return copy.deepcopy(loading.body_of(loading.shipped()[service]))


def named(rows: list[dict[str, Any]], name: str) -> dict[str, Any]:
    return next(row for row in rows if row["id"] == name)


def question(made: dict[str, Any], name: str) -> dict[str, Any]:
    return next(f for s in made["sections"] for f in s["fields"] if f["id"] == name)


def test_what_is_shipped_has_no_fault() -> None:
    shipped = loading.shipped()
    assert len(shipped) == 6
    for definition in shipped.values():
        assert [str(f) for f in checks.faults(definition, known_services=shipped)] == []


def english_in_arabic(made: dict[str, Any]) -> None:
    question(made, "occupation")["label"]["ar"] = "Occupation"


def arabic_in_english(made: dict[str, Any]) -> None:
    question(made, "occupation")["label"]["en"] = "المهنة"


def direction_controls(made: dict[str, Any]) -> None:
    question(made, "occupation")["label"]["ar"] = "المهنة\u202e"


def value_outside_letters(made: dict[str, Any]) -> None:
    question(made, "occupation")["label"]["ar"] = "المهنة {{ case.number }}"


def letters_differ(made: dict[str, Any]) -> None:
    made["letters"]["refusal_letter"]["en"] = "Refused."


def unknown_field(made: dict[str, Any]) -> None:
    question(made, "practice_body")["visible_if"] = {"==": [{"var": "answers.nothing"}, True]}


def undeclared_register(made: dict[str, Any]) -> None:
    made["eligibility"][0]["met_if"] = {"==": [{"var": "source.police.clear"}, True]}


def undeclared_fact(made: dict[str, Any]) -> None:
    made["eligibility"][0]["met_if"] = {"==": [{"var": "source.licence.colour"}, "red"]}


def item_outside_its_list(made: dict[str, Any]) -> None:
    made["eligibility"][0]["met_if"] = {"==": [{"var": "item.wage"}, 1]}


def no_such_list(made: dict[str, Any]) -> None:
    question(made, "occupation")["list"] = "planets"


def no_such_state(made: dict[str, Any]) -> None:
    named(made["workflow"]["actions"], "approve")["to"] = "heaven"


def no_such_guard(made: dict[str, Any]) -> None:
    named(made["workflow"]["actions"], "submit")["guard"] = "hopefully"


def no_such_letter(made: dict[str, Any]) -> None:
    made["workflow"]["states"]["approved"]["letter"] = "poem"


def no_such_service(made: dict[str, Any]) -> None:
    made["workflow"]["states"]["refused"]["appeal"]["to"] = "pam.nobody.appeal"


def no_reasons(made: dict[str, Any]) -> None:
    made["reasons"] = []


def operator_not_allowed(made: dict[str, Any]) -> None:
    made["eligibility"][0]["met_if"] = {"throw": "x"}


def waiting_ring(made: dict[str, Any]) -> None:
    asked = {"==": [{"var": "answers.practice_body"}, "moh"]}
    question(made, "licensed_profession")["visible_if"] = asked


def never_holds(made: dict[str, Any]) -> None:
    yes = {"==": [{"var": "answers.licensed_profession"}, True]}
    no = {"==": [{"var": "answers.licensed_profession"}, False]}
    question(made, "practice_body")["visible_if"] = {"and": [yes, no]}


def impossible_wage(made: dict[str, Any]) -> None:
    named(made["documents"], "degree")["required_if"] = {"<": [{"var": "answers.wage"}, 50_000]}


def unreachable(made: dict[str, Any]) -> None:
    actions = made["workflow"]["actions"]
    actions.remove(named(actions, "consult"))
    named(actions, "approve")["not_same_as"] = ["ask_correction"]
    named(actions, "refuse")["not_same_as"] = ["ask_correction"]


def no_way_out(made: dict[str, Any]) -> None:
    actions = made["workflow"]["actions"]
    actions.remove(named(actions, "opinions_in"))
    named(actions, "withdraw")["from"].remove("consultation")


def waits_for_ever(made: dict[str, Any]) -> None:
    del made["workflow"]["states"]["correction"]["timer"]


def decides_alone(made: dict[str, Any]) -> None:
    named(made["workflow"]["actions"], "approve")["not_same_as"] = []


def refusal_without_appeal(made: dict[str, Any]) -> None:
    del made["workflow"]["states"]["refused"]["appeal"]


def look_ahead(made: dict[str, Any]) -> None:
    question(made, "passport_no")["pattern"] = "(?=A)[A-Z0-9]{6,12}"


def letter_with_code(made: dict[str, Any]) -> None:
    for lang in ("ar", "en"):
        made["letters"]["lapse_letter"][lang] += "{% for x in case.number %}{{ x }}{% endfor %}"


def letter_reaching_out(made: dict[str, Any]) -> None:
    for lang in ("ar", "en"):
        made["letters"]["lapse_letter"][lang] += "{{ case.__class__ }}"


def fee_of_nothing(made: dict[str, Any]) -> None:
    made["fees"][0]["fils"] = 0


def fee_with_a_fraction(made: dict[str, Any]) -> None:
    made["fees"][0]["fils"] = {"/": [{"var": "answers.wage"}, 7]}


def silent_about_money(made: dict[str, Any]) -> None:
    del made["money_back"]["refused"]


def wrong_expectation(made: dict[str, Any]) -> None:
    made["tests"][0]["expect"]["fee_fils"] = 1


def path_that_is_not(made: dict[str, Any]) -> None:
    made["tests"][0]["path"] = ["submit", "approve"]


def condition_never_unmet(made: dict[str, Any]) -> None:
    made["tests"] = [t for t in made["tests"] if t["expect"].get("eligibility") != "unmet"]


def paper_without_issue(made: dict[str, Any]) -> None:
    del made["paper"]


@pytest.mark.parametrize(
    ("plant", "check"),
    [
        (english_in_arabic, "languages"),
        (arabic_in_english, "languages"),
        (direction_controls, "languages"),
        (value_outside_letters, "languages"),
        (letters_differ, "languages"),
        (unknown_field, "references"),
        (undeclared_register, "references"),
        (undeclared_fact, "references"),
        (item_outside_its_list, "references"),
        (no_such_list, "references"),
        (no_such_state, "references"),
        (no_such_guard, "references"),
        (no_such_letter, "references"),
        (no_such_service, "references"),
        (no_reasons, "references"),
        (operator_not_allowed, "references"),
        (paper_without_issue, "references"),
        (waiting_ring, "cycles"),
        (never_holds, "branches"),
        (impossible_wage, "branches"),
        (unreachable, "unreachable"),
        (no_way_out, "no way out"),
        (waits_for_ever, "endless wait"),
        (decides_alone, "separation"),
        (refusal_without_appeal, "appeal"),
        (look_ahead, "patterns"),
        (letter_with_code, "letters"),
        (letter_reaching_out, "letters"),
        (fee_of_nothing, "fees"),
        (fee_with_a_fraction, "fees"),
        (silent_about_money, "fees"),
        (wrong_expectation, "tests"),
        (path_that_is_not, "tests"),
        (condition_never_unmet, "coverage"),
    ],
)
def test_the_planted_fault_is_found(plant: Callable[[dict[str, Any]], None], check: str) -> None:
    made = body(PERMIT)
    plant(made)
    found = checks.errors(loading.from_body(made), known_services=loading.shipped())
    assert check in {fault.check for fault in found}, [str(fault) for fault in found]


def test_a_committee_needs_words_for_each_vote() -> None:
    made = body(FAMILY)
    del made["workflow"]["states"]["committee"]["committee"]["vote_labels"]["grant"]
    found = checks.errors(loading.from_body(made))
    assert "references" in {fault.check for fault in found}


def test_letters_escape_and_never_reach_beyond_their_values() -> None:
    made = checks.letter("{{ answers.name }}", {"answers": {"name": "<b>"}})
    assert made == "&lt;b&gt;"
    with pytest.raises(checks.LetterFailed):
        checks.letter("{{ answers.other }}", {"answers": {}})
    with pytest.raises(checks.LetterFailed):
        checks.letter("{{ ''.__class__.__mro__ }}", {})
