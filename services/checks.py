"""What must hold before a definition may be published; run again at every load.

Each check answers faults with the place and what was expected. An *error* stops publishing; a
*warning* is shown to the one who signs.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import re2
from jinja2 import StrictUndefined, TemplateError, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from services import reference_data, rules
from services.definition import (
    GUARDS,
    ChoiceField,
    Definition,
    MoneyField,
    NumberField,
    PatternField,
    ReferenceField,
    State,
    TestCase,
    Text,
)

MOST_COMBINATIONS = 4_096
#: Questions asked before the first entitlement answer can be given.
MOST_QUESTIONS_FIRST = 7
_ARABIC = re.compile("[\u0621-\u064a]")
_HOLDER = re.compile(r"\{\{\s*([\w.]+)\s*\}\}")
_BIDI = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069]")
#: What a letter may say of the case and of its decision.
LETTER_VARIABLES = {
    "case": {"number", "paper_number", "submitted_on", "decided_on", "agency"},
    "decision": {"reason", "law", "remedy", "note", "appeal_until"},
}


@dataclass(frozen=True)
class Fault:
    """One thing wrong, where, and how grave."""

    check: str
    place: str
    told: str
    grave: Literal["error", "warning"] = "error"

    def __str__(self) -> str:
        return f"{self.place}: {self.told}"


# -- letters ------------------------------------------------------------------------------------


def _environment() -> ImmutableSandboxedEnvironment:
    made = ImmutableSandboxedEnvironment(autoescape=True, undefined=StrictUndefined)
    made.filters.clear()
    made.tests.clear()
    made.globals.clear()
    return made


_LETTERS = _environment()


class LetterFailed(ValueError):
    """The letter names something the case does not hold."""


def letter(text: str, values: Mapping[str, Any]) -> str:
    """A letter with the values of one case, escaped; ``LetterFailed`` when a value is missing."""
    try:
        return _LETTERS.from_string(text).render(**values)
    except TemplateError as error:
        raise LetterFailed(str(error)) from error


# -- walking the texts --------------------------------------------------------------------------


def _texts(value: Any, place: str) -> Iterator[tuple[str, Text]]:
    if isinstance(value, Text):
        yield place, value
    elif isinstance(value, Mapping):
        for key, part in value.items():
            yield from _texts(part, f"{place}.{key}")
    elif isinstance(value, tuple | list):
        for n, part in enumerate(value):
            name = getattr(part, "id", n)
            yield from _texts(part, f"{place}.{name}")
    elif hasattr(type(value), "model_fields"):
        for name in type(value).model_fields:
            yield from _texts(getattr(value, name), f"{place}.{name}" if place else name)


def check_languages(definition: Definition) -> Iterator[Fault]:
    """Arabic is Arabic, both languages name the same values, nothing hides in the text."""
    for place, text in _texts(definition, ""):
        if not _ARABIC.search(text.ar):
            yield Fault("languages", place, "the Arabic text holds no Arabic letter")
        if _ARABIC.search(text.en):
            yield Fault("languages", place, "the English text holds Arabic letters")
        if _BIDI.search(text.ar + text.en):
            yield Fault("languages", place, "the text holds direction controls")
        if not place.startswith("letters.") and _HOLDER.search(text.ar + text.en):
            yield Fault("languages", place, "values may be named in letters only")
    for name, text in definition.letters.items():
        ar, en = set(_HOLDER.findall(text.ar)), set(_HOLDER.findall(text.en))
        unlike = {part for part in ar ^ en if not part.startswith("answers.")}
        if unlike:
            told = f"the two languages name different values: {', '.join(sorted(unlike))}"
            yield Fault("languages", f"letters.{name}", told)


# -- references ---------------------------------------------------------------------------------


def _fields(definition: Definition) -> tuple[dict[str, str | None], set[str]]:
    where = {
        f.id: (s.repeat.of if s.repeat else None) for s in definition.sections for f in s.fields
    }
    return where, {s.repeat.of for s in definition.sections if s.repeat}


def _path_fault(
    definition: Definition, path: str, group: str | None, listed: Collection[str]
) -> str | None:
    where, groups = _fields(definition)
    root, _, rest = path.partition(".")
    name = rest.split(".")[0]
    if root == "answers":
        if name in groups:
            return None
        if name not in where:
            return f"{path}: there is no such question"
        if where[name] is not None:
            return f"{path}: the question belongs to the list {where[name]}"
    elif root == "item":
        allowed = {group} if group else set(listed) & groups
        if where.get(name) not in allowed or where.get(name) is None:
            return f"{path}: no such question in the list"
    elif root == "source":
        source = definition.prefill.get(name)
        if source is None:
            return f"{path}: the register is not declared under prefill"
        fact = rest.split(".")[1] if "." in rest else None
        if fact is not None and fact not in source.facts:
            return f"{path}: the register declares no such fact"
    return None


def check_references(
    definition: Definition, known_services: Collection[str] = ()
) -> Iterator[Fault]:
    """Every path, list, state, letter and service that is named exists."""
    for key, source, group in rules.rule_sources(definition):
        try:
            rule = rules.compile_rule(source)
        except rules.RuleRefused as error:
            yield Fault("references", key, str(error))
            continue
        listed = {path.split(".")[1] for path in rule.reads if path.startswith("answers.")}
        for path in rule.reads:
            told = _path_fault(definition, path, group, listed)
            if told:
                yield Fault("references", key, told)
    where, groups = _fields(definition)
    for section in definition.sections:
        for question in section.fields:
            place = f"field.{question.id}"
            if isinstance(question, ReferenceField):
                try:
                    reference_data.entries(question.list)
                except KeyError:
                    yield Fault("references", place, f"there is no list {question.list!r}")
            paths: list[Any] = [question.prefill, getattr(question, "before", None)]
            for path in [*paths, getattr(question, "after", None)]:
                if path and re.match(r"[a-z]+\.", path):
                    told = _path_fault(definition, path, None, ())
                    if told:
                        yield Fault("references", place, told)
                elif path and path != "today" and not re.fullmatch(r"\d{4}-\d\d-\d\d", path):
                    yield Fault("references", place, f"{path!r} is neither a day nor a path")
        if section.repeat and section.repeat.seed_from:
            told = _path_fault(definition, section.repeat.seed_from, None, ())
            if told:
                yield Fault("references", f"section.{section.id}", told)
        for name in section.repeat.line if section.repeat else ():
            if where.get(name) != (section.repeat.of if section.repeat else None):
                yield Fault("references", f"section.{section.id}", f"line names {name!r}")
    for document in definition.documents:
        if document.per and document.per not in groups:
            told = f"there is no list {document.per!r}"
            yield Fault("references", f"document.{document.id}", told)
    for name, source in definition.prefill.items():
        if source.key != "subject":
            told = _path_fault(definition, source.key, None, ())
            if told:
                yield Fault("references", f"prefill.{name}", told)
    yield from _workflow_references(definition, known_services)


def _workflow_references(definition: Definition, known: Collection[str]) -> Iterator[Fault]:
    flow = definition.workflow
    names = {action.id for action in flow.actions}
    if flow.initial not in flow.states:
        yield Fault("references", "workflow.initial", f"there is no state {flow.initial!r}")
    for action in flow.actions:
        place = f"action.{action.id}"
        for state in (*action.from_, action.to):
            if state not in flow.states:
                yield Fault("references", place, f"there is no state {state!r}")
        if isinstance(action.guard, str) and action.guard not in GUARDS:
            yield Fault("references", place, f"there is no guard {action.guard!r}")
        for other in action.not_same_as:
            if other not in names:
                yield Fault("references", place, f"there is no action {other!r}")
        if "reason_code" in action.needs and not definition.reasons:
            yield Fault("references", place, "the definition lists no reasons for refusal")
    for name, its_state in flow.states.items():
        yield from _state_references(definition, name, its_state, names, known)
    for name in definition.money_back:
        if name not in flow.states or not flow.states[name].final:
            yield Fault("references", f"money_back.{name}", "there is no such final state")
    fees = {fee.id for fee in definition.fees}
    for name, back in definition.money_back.items():
        for fee in back.returned:
            if fee not in fees:
                yield Fault("references", f"money_back.{name}", f"there is no fee {fee!r}")
    issues = any(state.issues for state in flow.states.values())
    if issues != (definition.paper is not None):
        yield Fault("references", "paper", "a paper and a state that issues it go together")
    pays = any(state.pays for state in flow.states.values())
    if pays != (definition.payment_order is not None):
        yield Fault("references", "payment_order", "an order and a state that pays go together")


def _state_references(
    definition: Definition, name: str, state: State, names: Collection[str], known: Collection[str]
) -> Iterator[Fault]:
    place = f"state.{name}"
    if state.letter and state.letter not in definition.letters:
        yield Fault("references", place, f"there is no letter {state.letter!r}")
    if state.timer and state.timer.do not in names:
        yield Fault("references", place, f"there is no action {state.timer.do!r}")
    if state.appeal and known and state.appeal.to not in known:
        yield Fault("references", place, f"there is no service {state.appeal.to!r}")
    if state.committee:
        for action in (*state.committee.votes.values(), state.committee.split):
            if action not in names:
                yield Fault("references", place, f"there is no action {action!r}")
        if set(state.committee.votes) != set(state.committee.vote_labels):
            yield Fault("references", place, "each vote needs its words")
    if state.final and state.outcome is None:
        yield Fault("references", place, "a final state names its outcome")
    if not state.final and state.owner is None:
        yield Fault("references", place, "somebody must own the state")
    if state.route_by:
        told = _path_fault(definition, state.route_by, None, ())
        if told:
            yield Fault("references", place, told)


def check_cycles(definition: Definition) -> Iterator[Fault]:
    """No question waits for itself through others."""
    try:
        compiled = {k: rules.compile_rule(s) for k, s, _ in rules.rule_sources(definition)}
    except rules.RuleRefused:
        return
    ring = rules.find_cycle(rules.dependencies(definition, compiled))
    if ring:
        yield Fault("cycles", f"field.{ring[0]}", f"questions wait: {' -> '.join(ring)}")


# -- branches that never, or always, hold -------------------------------------------------------


def _constants(node: Any) -> Iterator[int]:
    if isinstance(node, dict):
        for part in node.values():
            yield from _constants(part)
    elif isinstance(node, list | tuple):
        for part in node:
            yield from _constants(part)
    elif isinstance(node, int) and not isinstance(node, bool):
        yield node


def _values(definition: Definition, path: str, source: Any) -> list[Any] | None:
    root, _, name = path.partition(".")
    if root not in {"answers", "item"}:
        return None
    question = definition.field(name)
    if question is None:
        return None
    if isinstance(question, ChoiceField) and question.type == "choice":
        return list(question.options)
    if question.type == "yes_no":
        return [True, False]
    if isinstance(question, NumberField | MoneyField):
        low: int | None
        high: int | None
        if isinstance(question, MoneyField):
            low, high = question.min_fils, question.max_fils
        else:
            low, high = question.min, question.max
        near = {c + step for c in _constants(source) for step in (-1, 0, 1)}
        near |= {edge for edge in (low, high) if edge is not None}
        return sorted(n for n in near if (low is None or n >= low) and (high is None or n <= high))
    return None


def check_branches(definition: Definition) -> Iterator[Fault]:
    """A condition that can never hold is an error; one that always holds, a warning."""
    for key, source, _group in rules.rule_sources(definition):
        if isinstance(source, bool) or not key.endswith(("_if", ".when", ".guard")):
            continue
        try:
            rule = rules.compile_rule(source)
        except rules.RuleRefused:
            continue
        domains = [_values(definition, path, source) for path in rule.reads]
        known = [domain for domain in domains if domain]
        size = 1
        for domain in known:
            size *= len(domain)
        if not rule.reads or len(known) < len(domains) or size > MOST_COMBINATIONS:
            continue
        seen = {_holds(rule, values) for values in itertools.product(*known)}
        if True not in seen:
            yield Fault("branches", key, "the condition can never hold")
        elif seen == {True} and not key.startswith("eligibility"):
            yield Fault("branches", key, "the condition always holds", "warning")


def _holds(rule: rules.Rule, values: Iterable[Any]) -> bool:
    data: dict[str, Any] = {"answers": {}, "item": {}, "today": "2026-01-01"}
    for path, value in zip(rule.reads, values, strict=True):
        root, _, name = path.partition(".")
        data[root][name] = value
    try:
        return bool(rule.evaluate(data))
    except rules.RuleFailed:
        return False


# -- workflow -----------------------------------------------------------------------------------


def _reach(start: Iterable[str], edges: Mapping[str, set[str]]) -> set[str]:
    seen, ahead = set(start), list(start)
    while ahead:
        for following in edges.get(ahead.pop(), ()):
            if following not in seen:
                seen.add(following)
                ahead.append(following)
    return seen


def check_workflow(definition: Definition) -> Iterator[Fault]:
    """Every state is reached, every state has a way out, nobody waits for ever or decides alone."""
    flow = definition.workflow
    ahead: dict[str, set[str]] = {name: set() for name in flow.states}
    back: dict[str, set[str]] = {name: set() for name in flow.states}
    for action in flow.actions:
        for source in action.from_:
            ahead.setdefault(source, set()).add(action.to)
            back.setdefault(action.to, set()).add(source)
    reached = _reach([flow.initial], ahead)
    out = _reach([name for name, state in flow.states.items() if state.final], back)
    for name, state in flow.states.items():
        place = f"state.{name}"
        if name not in reached:
            yield Fault("unreachable", place, "no action leads here")
        if name not in out:
            yield Fault("no way out", place, "no way leads from here to an end")
        if state.final and ahead[name]:
            yield Fault("no way out", place, "an end has no action")
        if state.owner == "applicant" and name != flow.initial and not state.final:
            if state.timer is None:
                yield Fault("endless wait", place, "waits for the applicant without a deadline")
            else:
                done = definition.action(state.timer.do)
                if done and (name not in done.from_ or done.to == name or done.by != "timer"):
                    yield Fault("endless wait", place, "the deadline's action does not leave")
        if state.owner == "system" and not any(
            name in a.from_ and a.by in {"system", "rule", "timer"} for a in flow.actions
        ):
            yield Fault("endless wait", place, "nothing moves the case on")
        yield from _refusal(definition, name, state)
    yield from _separation(definition, back)


def _refusal(definition: Definition, name: str, state: State) -> Iterator[Fault]:
    hears_appeals = bool(definition.appeal_of)
    if state.outcome == "refused" and state.appeal is None and not hears_appeals:
        yield Fault("appeal", f"state.{name}", "a refusal names the way to appeal")
    if (
        definition.fees
        and state.outcome in {"refused", "withdrawn", "lapsed"}
        and name not in definition.money_back
    ):
        yield Fault("fees", f"state.{name}", "money_back does not say what becomes of the fee")


def _separation(definition: Definition, back: Mapping[str, set[str]]) -> Iterator[Fault]:
    flow = definition.workflow
    for action in flow.actions:
        end = flow.states.get(action.to)
        if end is None or end.outcome not in {"granted", "refused"} or action.waiver:
            continue
        if action.by in {"committee", "rule"}:
            continue
        before = _reach(action.from_, back)
        prior = {
            a.id
            for a in flow.actions
            if a.by in {"officer", "head"} and a.id != action.id and set(a.from_) & before
        }
        if not prior & set(action.not_same_as):
            told = "one person alone may decide: name a prior action in not_same_as, or a waiver"
            yield Fault("separation", f"action.{action.id}", told)


# -- patterns, letters, fees --------------------------------------------------------------------


def check_patterns(definition: Definition) -> Iterator[Fault]:
    """Patterns compile under google-re2, which never hangs."""
    options = re2.Options()
    options.log_errors = False
    for section in definition.sections:
        for question in section.fields:
            if isinstance(question, PatternField):
                try:
                    re2.compile(question.pattern, options)
                except re2.error as error:
                    yield Fault("patterns", f"field.{question.id}", str(error))


def check_letters(definition: Definition) -> Iterator[Fault]:
    """Letters are templates of plain values that exist."""
    for name, text in definition.letters.items():
        for lang in ("ar", "en"):
            place = f"letters.{name}.{lang}"
            try:
                tree = _LETTERS.parse(text.get(lang))
            except TemplateError as error:
                yield Fault("letters", place, str(error))
                continue
            simple = (nodes.Getattr, nodes.Name, nodes.Output, nodes.TemplateData)
            if any(not isinstance(node, simple) for node in tree.find_all(nodes.Node)):
                yield Fault("letters", place, "a letter names values and does nothing else")
                continue
            for path in _HOLDER.findall(text.get(lang)):
                told = _letter_fault(definition, path)
                if told:
                    yield Fault("letters", place, told)


def _letter_fault(definition: Definition, path: str) -> str | None:
    root, _, rest = path.partition(".")
    if root in LETTER_VARIABLES:
        known = rest in LETTER_VARIABLES[root]
        return None if known else f"{path}: a letter knows no such value"
    if root in {"answers", "source"}:
        return _path_fault(definition, path, None, ())
    return f"{path}: a letter reads answers, source, case and decision"


def check_fees(definition: Definition) -> Iterator[Fault]:
    """Fees are whole fils and say where they come from."""
    for fee in definition.fees:
        if isinstance(fee.fils, bool) or (isinstance(fee.fils, int) and fee.fils <= 0):
            yield Fault("fees", f"fee.{fee.id}", "a fee is a whole number of fils above nothing")
        elif isinstance(fee.fils, dict) and _divides(fee.fils) and "round_up_fils" not in fee.fils:
            yield Fault("fees", f"fee.{fee.id}", "a fee that divides is rounded: round_up_fils")
        if fee.valid_from and fee.valid_until and fee.valid_from > fee.valid_until:
            yield Fault("fees", f"fee.{fee.id}", "it ends before it begins")


def _divides(node: Any) -> bool:
    if isinstance(node, dict):
        return "/" in node or any(_divides(part) for part in node.values())
    return isinstance(node, list | tuple) and any(_divides(part) for part in node)


# -- the definition's own test cases ------------------------------------------------------------


def walk_path(definition: Definition, case: TestCase) -> tuple[str, str | None]:
    """Where the case's actions lead, and what stopped them."""
    state = definition.workflow.initial
    for name in case.path:
        action = definition.action(name)
        if action is None:
            return state, f"there is no action {name!r}"
        if state not in action.from_:
            return state, f"{name} cannot be done in {state}"
        state = action.to
    return state, None


def outcome(definition: Definition, case: TestCase) -> dict[str, Any]:
    """What the definition makes of a test case, in the words of ``expect``."""
    found = rules.evaluate(
        definition, case.answers, today=case.today, source=case.source, case=case.case
    )
    return {
        "eligibility": found.verdict.value,
        "because": found.because,
        "fee_fils": found.fee_fils,
        "fees": [line.id for line in found.fees],
        "visible": sorted(found.visible),
        "computed": found.computed,
        "documents": [paper.key for paper in found.papers],
        "consultations": list(found.consultations),
        "changes": [line.id for line in found.changes if line.changed],
        "ends_in": walk_path(definition, case)[0],
    }


def check_tests(definition: Definition) -> Iterator[Fault]:
    """The test cases come out as expected and touch every condition, fee line and state."""
    met: set[str] = set()
    unmet: set[str] = set()
    lines: set[str] = set()
    states = {definition.workflow.initial}
    for case in definition.tests:
        place = f"test {case.name!r}"
        try:
            found = rules.evaluate(
                definition, case.answers, today=case.today, source=case.source, case=case.case
            )
            got = outcome(definition, case)
        except rules.RuleFailed as error:
            yield Fault("tests", place, f"a rule failed: {error}")
            continue
        met |= {c.id for c in found.conditions if c.verdict is rules.Verdict.MET}
        unmet |= {c.id for c in found.conditions if c.verdict is rules.Verdict.UNMET}
        lines |= {line.id for line in found.fees}
        stopped = walk_path(definition, case)[1]
        if stopped:
            yield Fault("tests", place, stopped)
        state = definition.workflow.initial
        for name in case.path:
            action = definition.action(name)
            if action:
                state = action.to
                states.add(state)
        yield from _compare(place, case.expect, got)
    for rule in definition.eligibility:
        for seen, word in ((met, "met"), (unmet, "unmet")):
            if rule.id not in seen:
                told = f"no test case has it {word}"
                yield Fault("coverage", f"eligibility.{rule.id}", told)
    for fee in definition.fees:
        if fee.id not in lines:
            yield Fault("coverage", f"fee.{fee.id}", "no test case owes it")
    for name in definition.workflow.states:
        if name not in states:
            yield Fault("coverage", f"state.{name}", "no test case reaches it")


def _compare(place: str, expected: Mapping[str, Any], got: Mapping[str, Any]) -> Iterator[Fault]:
    for key, wanted in expected.items():
        if key == "hidden":
            wrong = sorted(set(wanted) & set(got["visible"]))
            if wrong:
                yield Fault("tests", place, f"expected hidden, shown: {', '.join(wrong)}")
        elif key == "visible":
            wrong = sorted(set(wanted) - set(got["visible"]))
            if wrong:
                yield Fault("tests", place, f"expected shown, hidden: {', '.join(wrong)}")
        elif key == "computed":
            for name, value in wanted.items():
                if got["computed"].get(name) != value:
                    told = f"{name}: expected {value!r}, got {got['computed'].get(name)!r}"
                    yield Fault("tests", place, told)
        elif key not in got:
            yield Fault("tests", place, f"expect knows no {key!r}")
        elif got[key] != wanted:
            yield Fault("tests", place, f"{key}: expected {wanted!r}, got {got[key]!r}")


# -- style --------------------------------------------------------------------------------------


def check_style(definition: Definition) -> Iterator[Fault]:
    """Warnings only: long labels, and many questions before the first answer on entitlement."""
    for section in definition.sections:
        for question in section.fields:
            if max(len(question.label.ar.split()), len(question.label.en.split())) > 16:
                told = "the label is a long sentence"
                yield Fault("style", f"field.{question.id}", told, "warning")
    facts = {
        path
        for rule in definition.eligibility
        for path in rules.program_of(definition).rules[f"eligibility.{rule.id}.met_if"].reads
        if path != "today"
    }
    if len(facts) > MOST_QUESTIONS_FIRST:
        told = f"entitlement needs {len(facts)} answers"
        yield Fault("style", "eligibility", told, "warning")


def faults(definition: Definition, *, known_services: Collection[str] = ()) -> list[Fault]:
    """All faults; ``known_services``: ids that an appeal may lead to (empty: not checked)."""
    found = [
        *check_languages(definition),
        *check_references(definition, known_services),
        *check_cycles(definition),
        *check_patterns(definition),
        *check_letters(definition),
        *check_fees(definition),
        *check_workflow(definition),
    ]
    if any(fault.check in {"references", "cycles"} for fault in found):
        return found
    found += [*check_branches(definition), *check_tests(definition), *check_style(definition)]
    return found


def errors(definition: Definition, *, known_services: Collection[str] = ()) -> list[Fault]:
    """The faults that stop publishing."""
    return [f for f in faults(definition, known_services=known_services) if f.grave == "error"]
