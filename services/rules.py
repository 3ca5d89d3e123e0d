"""Rules of a definition, evaluated over one whole file of answers.

Pure functions: no database, no clock, no page. A rule is JSONLogic of a closed list of operators;
our own (``sum``, ``count``, ``years_between`` …) are expanded or computed before the engine sees
the rule. *Not known* is a third answer beside yes and no, and never becomes either by accident.
"""

from __future__ import annotations

import calendar
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

import datalogic_py

from services import reference_data
from services.definition import (
    AnyField,
    ComputedField,
    Definition,
    Document,
    Eligibility,
    Fee,
    Format,
    Section,
    Text,
)

#: Operations one rule may charge, and rules one file may ask for.
RULE_BUDGET = 5_000
FILE_BUDGET = 20_000
DEEPEST = 24
ROOTS = ("answers", "item", "source", "today", "case")
ENGINE_OPERATORS = frozenset(
    {"var", "missing", "missing_some", "if", "==", "!=", "!", "and", "or", "<", "<=", ">", ">="}
    | {"+", "-", "*", "/", "min", "max", "in", "some", "all", "reduce"}
)
OWN_OPERATORS = frozenset(
    {"sum", "count", "years_between", "days_between", "months_between", "add_months"}
    | {"add_days", "in_list", "round_up_fils", "text"}
)
_ENGINE = datalogic_py.Engine(
    config={"preset": "strict", "missing_var": "error", "ops_budget": RULE_BUDGET}
)


class RuleRefused(ValueError):
    """The rule uses something outside the closed list; the message says what and where."""


class RuleFailed(ValueError):
    """The rule cannot be worked out with these values (text where a number belongs)."""


class BudgetExceeded(RuleFailed):
    """The rule, or the file, asks for more work than one application may."""


class _Unknown:
    """The third answer."""

    def __repr__(self) -> str:
        return "UNKNOWN"

    def __bool__(self) -> bool:
        return False


UNKNOWN: Any = _Unknown()


# -- compiling ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Own:
    """An operator of ours, computed before the engine runs; its value is read as ``own.<slot>``."""

    operator: str
    slot: str
    arguments: tuple[Rule, ...]
    constant: Any = None


@dataclass(frozen=True)
class Rule:
    """A compiled rule: the engine's program, ours beside it, and the paths it reads."""

    source: Any
    reads: tuple[str, ...]
    program: Any
    own: tuple[_Own, ...]
    parts: tuple[str, tuple[Rule, ...]] | None = None

    def evaluate(self, data: Mapping[str, Any]) -> Any:
        """The value, or ``UNKNOWN``; ``RuleFailed`` when the values do not fit the rule."""
        if self.own:
            made = {own.slot: _compute(own, data) for own in self.own}
            data = {**data, "own": {k: v for k, v in made.items() if v is not UNKNOWN}}
        try:
            return self.program.evaluate(data)
        except datalogic_py.DataLogicError as error:
            if error.error_type == "VariableNotFound":
                return self._by_parts(data)
            if error.error_type == "BudgetExceeded":
                raise BudgetExceeded("the rule asks for too much work") from error
            raise RuleFailed(str(error)) from error
        except (TypeError, ValueError, OverflowError) as error:
            raise RuleFailed(str(error)) from error

    def _by_parts(self, data: Mapping[str, Any]) -> Any:
        """And, or: a part that decides alone decides, though another is not known."""
        if self.parts is None:
            return UNKNOWN
        operator, parts = self.parts
        deciding = operator == "or"
        for part in parts:
            value = part.evaluate(data)
            if value is not UNKNOWN and bool(value) is deciding:
                return deciding
        return UNKNOWN


def _iso(value: Any) -> date:
    if not isinstance(value, str):
        raise RuleFailed("a date was expected")
    try:
        return date.fromisoformat(value)
    except ValueError as error:
        raise RuleFailed(f"not a date: {value[:20]!r}") from error


def _whole(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > 10_000:
        raise RuleFailed("a whole number was expected")
    return value


def add_months(start: date, months: int) -> date:
    """The same day some months on; the month's last day where there is no such day."""
    years, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    return date(years, month + 1, min(start.day, calendar.monthrange(years, month + 1)[1]))


def whole_years(start: date, end: date) -> int:
    """Completed years: a birthday counts on its day; 29 February completes on 1 March."""
    return end.year - start.year - ((end.month, end.day) < (start.month, start.day))


def _compute(own: _Own, data: Mapping[str, Any]) -> Any:
    values = [argument.evaluate(data) for argument in own.arguments]
    if any(value is UNKNOWN or value is None for value in values):
        return UNKNOWN
    try:
        match own.operator:
            case "years_between":
                return whole_years(_iso(values[0]), _iso(values[1]))
            case "months_between":
                start, end = _iso(values[0]), _iso(values[1])
                months = (end.year - start.year) * 12 + end.month - start.month
                return months - (end.day < start.day)
            case "days_between":
                return (_iso(values[1]) - _iso(values[0])).days
            case "add_months":
                return add_months(_iso(values[0]), _whole(values[1])).isoformat()
            case "add_days":
                return (_iso(values[0]) + timedelta(days=_whole(values[1]))).isoformat()
            case "round_up_fils":
                return _round_up(values[0])
            case _:  # text: words chosen by a value
                return own.constant.get(str(values[0]).lower(), UNKNOWN)
    except (OverflowError, ValueError) as error:
        raise RuleFailed(str(error)) from error


def _round_up(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > 10**15:
        raise RuleFailed("an amount was expected")
    return -int(-value // 1)


class _Walker:
    """Refuses what is not on the list and rewrites what is ours."""

    def __init__(self) -> None:
        self.own: list[_Own] = []
        self.reads: list[str] = []

    def walk(self, node: Any, *, inside: str | None = None, depth: int = 0) -> Any:
        if depth > DEEPEST:
            raise RuleRefused("nested too deeply")
        if isinstance(node, list | tuple):
            return [self.walk(part, inside=inside, depth=depth + 1) for part in node]
        if isinstance(node, float):
            raise RuleRefused("fractions are not written in rules; use whole fils and /")
        if not isinstance(node, dict):
            return node
        if len(node) != 1:
            raise RuleRefused(f"one operator at a time, not {sorted(map(str, node))}")
        ((operator, raw),) = node.items()
        if operator in OWN_OPERATORS:
            return self._own(operator, raw, inside, depth)
        if operator not in ENGINE_OPERATORS:
            raise RuleRefused(f"operator {operator!r} is not allowed")
        if operator == "var":
            return {"var": self._var(raw, inside)}
        arguments = list(raw) if isinstance(raw, list | tuple) else [raw]
        if operator in {"some", "all"}:
            if len(arguments) != 2:
                raise RuleRefused(f"{operator} takes a list and a condition")
            return {
                operator: [
                    self.walk(arguments[0], inside=inside, depth=depth + 1),
                    self.walk(arguments[1], inside="plain", depth=depth + 1),
                ]
            }
        if operator == "reduce":
            if len(arguments) != 3:
                raise RuleRefused("reduce takes a list, a step and a start")
            return {
                "reduce": [
                    self.walk(arguments[0], inside=inside, depth=depth + 1),
                    self.walk(arguments[1], inside="reduce", depth=depth + 1),
                    self.walk(arguments[2], inside=inside, depth=depth + 1),
                ]
            }
        if operator in {"missing", "missing_some"}:
            for path in re.findall(r"[\w.]+", str(raw)):
                if "." in path:
                    self._note(path)
        return {operator: [self.walk(part, inside=inside, depth=depth + 1) for part in arguments]}

    def _note(self, path: str) -> None:
        if path not in self.reads:
            self.reads.append(path)

    def _var(self, path: Any, inside: str | None) -> str:
        if not isinstance(path, str) or not re.fullmatch(r"[a-z][a-z0-9_]*(\.[a-z0-9_]+)*", path):
            raise RuleRefused(f"a path was expected, not {str(path)[:40]!r}")
        root, _, rest = path.partition(".")
        if inside == "reduce" and root in {"accumulator", "current"}:
            return path
        if root not in ROOTS or (root != "today" and not rest):
            raise RuleRefused(f"{path!r}: a rule reads {', '.join(ROOTS)} only")
        self._note(path)
        if inside and root != "item":
            raise RuleRefused(f"{path!r}: inside a list a rule reads item only")
        if inside == "plain":
            return rest
        return f"current.{rest}" if inside == "reduce" else path

    def _own(self, operator: str, raw: Any, inside: str | None, depth: int) -> Any:
        arguments = list(raw) if isinstance(raw, list | tuple) else [raw]
        if operator == "in_list":
            value, name = self._take(operator, arguments, 2)
            return {"in": [self.walk(value, inside=inside, depth=depth + 1), _codes(name)]}
        if operator in {"sum", "count"}:
            return self._over_items(operator, arguments, inside, depth)
        if inside:
            raise RuleRefused(f"{operator} inside a list: make it a computed field of the group")
        constant = None
        if operator == "round_up_fils":
            self._take(operator, arguments, 1)
        elif operator == "text":
            _, constant = self._take(operator, arguments, 2)
            if not isinstance(constant, dict):
                raise RuleRefused("text takes a value and a table of words")
            arguments = arguments[:1]
        else:
            self._take(operator, arguments, 2)
        compiled = tuple(compile_rule(argument) for argument in arguments)
        for part in compiled:
            for path in part.reads:
                self._note(path)
        slot = f"n{len(self.own)}"
        self.own.append(_Own(operator, slot, compiled, constant))
        return {"var": f"own.{slot}"}

    def _over_items(
        self, operator: str, arguments: list[Any], inside: str | None, depth: int
    ) -> Any:
        if not 1 <= len(arguments) <= 2 or (operator == "sum" and len(arguments) != 2):
            raise RuleRefused(f"{operator} takes a list and an expression over its items")
        if inside:
            raise RuleRefused(f"{operator} inside a list is not allowed")
        items = self.walk(arguments[0], depth=depth + 1)
        step: Any = 1
        if len(arguments) == 2:
            step = self.walk(arguments[1], inside="reduce", depth=depth + 1)
            if operator == "count":
                step = {"if": [step, 1, 0]}
        return {"reduce": [items, {"+": [{"var": "accumulator"}, step]}, 0]}

    @staticmethod
    def _take(operator: str, arguments: list[Any], wanted: int) -> list[Any]:
        if len(arguments) != wanted:
            raise RuleRefused(f"{operator} takes {wanted} values")
        return arguments


def _codes(name: Any) -> list[str]:
    try:
        return sorted(reference_data.codes(str(name)))
    except KeyError as error:
        raise RuleRefused(f"there is no list {str(name)[:40]!r}") from error


def compile_rule(source: Any) -> Rule:
    """The rule ready to run; ``RuleRefused`` names what is not allowed."""
    walker = _Walker()
    plain = walker.walk(source)
    parts = None
    if isinstance(source, dict) and len(source) == 1:
        ((operator, raw),) = source.items()
        if operator in {"and", "or"} and isinstance(raw, list | tuple):
            parts = (operator, tuple(compile_rule(part) for part in raw))
    try:
        # As JSON text: the engine would read a bare string as a whole rule.
        program = _ENGINE.compile_strict(json.dumps(plain))
    except (datalogic_py.DataLogicError, TypeError, ValueError) as error:
        raise RuleRefused(str(error)) from error
    return Rule(source, tuple(walker.reads), program, tuple(walker.own), parts)


# -- the compiled definition --------------------------------------------------------------------


@dataclass
class Program:
    """All rules of a definition, compiled once, in the order they must be worked out."""

    definition: Definition
    rules: dict[str, Rule] = field(default_factory=dict)
    order: list[str] = field(default_factory=list)

    def rule(self, key: str) -> Rule | None:
        return self.rules.get(key)


def rule_sources(definition: Definition) -> Iterator[tuple[str, Any, str | None]]:
    """Every rule of the definition: its key, its source, the group whose ``item`` it may read."""
    for section in definition.sections:
        group = section.repeat.of if section.repeat else None
        if section.visible_if is not None:
            yield f"section.{section.id}.visible_if", section.visible_if, None
        for question in section.fields:
            for name in ("visible_if", "required_if"):
                rule = getattr(question, name)
                if rule is not None:
                    yield f"field.{question.id}.{name}", rule, group
            if isinstance(question, ComputedField):
                yield f"field.{question.id}.value", question.value, group
            filtered = getattr(question, "filter", None)
            if filtered is not None:
                yield f"field.{question.id}.filter", filtered, group
    for condition in definition.eligibility:
        yield f"eligibility.{condition.id}.met_if", condition.met_if, None
        if condition.when is not None:
            yield f"eligibility.{condition.id}.when", condition.when, None
    for document in definition.documents:
        if document.required_if is not None:
            yield f"document.{document.id}.required_if", document.required_if, document.per
    for fee in definition.fees:
        yield f"fee.{fee.id}.fils", fee.fils, None
        if fee.when is not None:
            yield f"fee.{fee.id}.when", fee.when, None
    for consultation in definition.workflow.consultations:
        if consultation.when is not None:
            yield f"consultation.{consultation.id}.when", consultation.when, None
    for action in definition.workflow.actions:
        if action.guard is not None and not isinstance(action.guard, str):
            yield f"action.{action.id}.guard", action.guard, None
    for change in definition.changes:
        yield f"change.{change.id}.old", change.old, None
        yield f"change.{change.id}.new", change.new, None
    if definition.paper:
        yield "paper.valid_from", definition.paper.valid_from, None
        if definition.paper.valid_until is not None:
            yield "paper.valid_until", definition.paper.valid_until, None
        if definition.paper.replaces is not None:
            yield "paper.replaces", definition.paper.replaces, None
        for fact in definition.paper.facts:
            yield f"paper.{fact.id}", fact.value, None
    if definition.payment_order:
        yield "payment.iban", definition.payment_order.iban, None
        yield "payment.amount_fils", definition.payment_order.amount_fils, None


def dependencies(definition: Definition, rules: Mapping[str, Rule]) -> dict[str, list[str]]:
    """Field -> fields its own rules read (and its section's); a group's name -> its fields."""
    groups = {s.repeat.of: [f.id for f in s.fields] for s in definition.sections if s.repeat}
    edges: dict[str, list[str]] = {name: list(fields) for name, fields in groups.items()}
    for section in definition.sections:
        for question in section.fields:
            read: list[str] = []
            keys = [
                f"field.{question.id}.{name}" for name in ("visible_if", "required_if", "value")
            ]
            for key in [f"section.{section.id}.visible_if", *keys]:
                if key in rules:
                    read += [
                        path.split(".")[1]
                        for path in rules[key].reads
                        if path.split(".")[0] in {"answers", "item"}
                    ]
            edges[question.id] = sorted(set(read))
    return edges


def find_cycle(edges: Mapping[str, Sequence[str]]) -> list[str]:
    """A ring of fields that wait for each other, as a path; empty when there is none."""
    done: set[str] = set()

    def visit(name: str, path: list[str]) -> list[str]:
        if name in path:
            return [*path[path.index(name) :], name]
        if name in done:
            return []
        for following in edges.get(name, ()):
            ring = visit(following, [*path, name])
            if ring:
                return ring
        done.add(name)
        return []

    for name in edges:
        ring = visit(name, [])
        if ring:
            return ring
    return []


def compile_definition(definition: Definition) -> Program:
    """All rules compiled and ordered; ``RuleRefused`` names the rule at fault."""
    program = Program(definition)
    for key, source, _group in rule_sources(definition):
        try:
            program.rules[key] = compile_rule(source)
        except RuleRefused as error:
            raise RuleRefused(f"{key}: {error}") from error
    edges = dependencies(definition, program.rules)
    ring = find_cycle(edges)
    if ring:
        raise RuleRefused(f"questions wait for each other: {' -> '.join(ring)}")
    placed: list[str] = []

    def place(name: str) -> None:
        if name not in placed:
            for needed in edges.get(name, ()):
                place(needed)
            placed.append(name)

    for name in edges:
        place(name)
    program.order = placed
    return program


_programs: dict[int, Program] = {}


def program_of(definition: Definition) -> Program:
    """The definition's rules, compiled once in this process."""
    found = _programs.get(id(definition))
    if found is None or found.definition is not definition:
        if len(_programs) > 400:
            _programs.clear()
        found = _programs[id(definition)] = compile_definition(definition)
    return found


# -- assessing a file ---------------------------------------------------------------------------


class Verdict(StrEnum):
    MET = "met"
    UNMET = "unmet"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Reading:
    """A value a rule read, with the path it stands at; ``None`` when it is not known."""

    path: str
    value: Any


@dataclass(frozen=True)
class Condition:
    """One condition of entitlement, its answer and why."""

    rule: Eligibility
    verdict: Verdict
    reads: tuple[Reading, ...]

    @property
    def id(self) -> str:
        return self.rule.id

    @property
    def missing(self) -> tuple[str, ...]:
        """Paths that must be known before this condition can be judged."""
        return tuple(reading.path for reading in self.reads if reading.value is None)


@dataclass(frozen=True)
class FeeLine:
    """One line of the invoice, whole fils, with where the amount comes from."""

    id: str
    label: Text
    fils: int
    basis: str
    gl_code: str
    reads: tuple[Reading, ...] = ()


@dataclass(frozen=True)
class NeededPaper:
    """A paper asked for; ``item`` is the line of the group it belongs to."""

    document: Document
    item: int | None
    required: bool

    @property
    def key(self) -> str:
        return self.document.id if self.item is None else f"{self.document.id}[{self.item}]"


@dataclass(frozen=True)
class ChangeLine:
    """Old | new of one thing; ``None`` when it is not known."""

    id: str
    label: Text
    old: Any
    new: Any
    format: Format

    @property
    def changed(self) -> bool:
        return bool(self.old != self.new)


@dataclass(frozen=True)
class Assessment:
    """What the rules say of one file of answers."""

    verdict: Verdict
    conditions: tuple[Condition, ...]
    visible: frozenset[str]
    required: frozenset[str]
    answers: dict[str, Any]
    computed: dict[str, Any]
    dropped: tuple[str, ...]
    fees: tuple[FeeLine, ...]
    fees_known: bool
    papers: tuple[NeededPaper, ...]
    consultations: tuple[str, ...]
    changes: tuple[ChangeLine, ...]
    explained: dict[str, tuple[Reading, ...]]

    @property
    def fee_fils(self) -> int:
        return sum(line.fils for line in self.fees)

    @property
    def because(self) -> list[str]:
        """Ids of the conditions that stand in the way, or that are not known yet."""
        return [c.id for c in self.conditions if c.verdict is self.verdict is not Verdict.MET]

    def is_visible(self, field_id: str, item: int | None = None, group: str = "") -> bool:
        return (field_id if item is None else f"{group}[{item}].{field_id}") in self.visible


def without_nulls(value: Any) -> Any:
    """The value with every ``null`` left out: a missing value is unknown, a null is not."""
    if isinstance(value, Mapping):
        return {str(k): without_nulls(v) for k, v in value.items() if v is not None}
    if isinstance(value, list | tuple):
        return [without_nulls(part) for part in value if part is not None]
    if isinstance(value, date):
        return value.isoformat()
    return value


def read_path(data: Mapping[str, Any], path: str) -> Any:
    """The value at a dotted path, or None."""
    found: Any = data
    for part in path.split("."):
        if isinstance(found, Mapping):
            found = found.get(part)
        elif isinstance(found, list) and part.isdigit() and int(part) < len(found):
            found = found[int(part)]
        else:
            return None
    return found


class _File:
    """One evaluation of one file."""

    def __init__(
        self,
        definition: Definition,
        answers: Mapping[str, Any],
        source: Mapping[str, Any],
        today: date,
        case: Mapping[str, Any],
    ) -> None:
        self.definition = definition
        self.program = program_of(definition)
        self.given = without_nulls(answers)
        self.today = today
        self.data: dict[str, Any] = {
            "answers": {},
            "source": without_nulls(source),
            "case": without_nulls(case),
            "today": today.isoformat(),
        }
        self.visible: set[str] = set()
        self.required: set[str] = set()
        self.computed: dict[str, Any] = {}
        self.dropped: list[str] = []
        self.explained: dict[str, tuple[Reading, ...]] = {}
        self.spent = 0

    def ask(self, key: str, item: Mapping[str, Any] | None = None) -> Any:
        """The answer of one rule; True where the definition has no such rule."""
        rule = self.program.rule(key)
        if rule is None:
            return True
        self.spent += 1
        if self.spent > FILE_BUDGET:
            raise BudgetExceeded("the application asks for too much work")
        data = self.data if item is None else {**self.data, "item": item}
        return rule.evaluate(data)

    def reads(self, key: str) -> tuple[Reading, ...]:
        rule = self.program.rule(key)
        paths = rule.reads if rule else ()
        return tuple(Reading(path, read_path(self.data, path)) for path in paths if path != "today")

    def is_true(self, key: str, item: Mapping[str, Any] | None = None) -> bool:
        value = self.ask(key, item)
        return value is not UNKNOWN and bool(value)

    def questions(self) -> None:
        """Answers, hidden ones left out, and computed values, in the order of the rules."""
        where: dict[str, tuple[Section, AnyField]] = {
            f.id: (s, f) for s in self.definition.sections for f in s.fields
        }
        for section in self.definition.sections:
            if section.repeat:
                given = self.given.get(section.repeat.of)
                items = given if isinstance(given, list) else []
                if not items and (given is None or section.repeat.min):
                    continue  # nobody listed yet is not "nobody": sums stay unknown
                if len(items) > section.repeat.max:
                    raise BudgetExceeded(f"more than {section.repeat.max} lines")
                self.data["answers"][section.repeat.of] = [
                    {k: v for k, v in line.items() if k == "key"}
                    for line in items
                    if isinstance(line, Mapping)
                ]
        for name in self.program.order:
            if name in where:
                self._question(*where[name])
        for section in self.definition.sections:
            if self.is_true(f"section.{section.id}.visible_if"):
                self.visible.add(section.id)
        known = set(where) | {s.repeat.of for s in self.definition.sections if s.repeat}
        self.dropped += sorted(set(self.given) - known)

    def _question(self, section: Section, question: AnyField) -> None:
        shown = self.is_true(f"section.{section.id}.visible_if")
        if section.repeat is None:
            self._answer(question, self.given, self.data["answers"], None, question.id, shown)
            return
        group = section.repeat.of
        lines = self.given.get(group)
        given = (
            [line for line in lines if isinstance(line, Mapping)] if isinstance(lines, list) else []
        )
        for n, line in enumerate(self.data["answers"].get(group, ())):
            self._answer(question, given[n], line, line, f"{group}[{n}].{question.id}", shown)

    def _answer(
        self,
        question: AnyField,
        given: Mapping[str, Any],
        into: dict[str, Any],
        item: dict[str, Any] | None,
        name: str,
        shown: bool,
    ) -> None:
        shown = shown and self.is_true(f"field.{question.id}.visible_if", item)
        if not shown:
            if question.id in given and not isinstance(question, ComputedField):
                self.dropped.append(name)
            return
        self.visible.add(name)
        if isinstance(question, ComputedField):
            key = f"field.{question.id}.value"
            value = self.ask(key, item)
            if value is not UNKNOWN and value is not None:
                into[question.id] = self.computed[name] = value
            self.explained[name] = self.reads(key)
            return
        asked = self.is_true(f"field.{question.id}.required_if", item)
        if (question.required and question.required_if is None) or (
            question.required_if is not None and asked
        ):
            self.required.add(name)
        if question.id in given:
            into[question.id] = given[question.id]

    def condition(self, rule: Eligibility) -> Condition | None:
        key = f"eligibility.{rule.id}.met_if"
        if rule.when is not None:
            applies = self.ask(f"eligibility.{rule.id}.when")
            if applies is not UNKNOWN and not applies:
                return None
            if applies is UNKNOWN:
                return Condition(rule, Verdict.UNKNOWN, self.reads(f"eligibility.{rule.id}.when"))
        value = self.ask(key)
        verdict = (
            Verdict.UNKNOWN if value is UNKNOWN else Verdict.MET if bool(value) else Verdict.UNMET
        )
        return Condition(rule, verdict, self.reads(key))

    def fee(self, fee: Fee) -> FeeLine | _Unknown | None:
        if (fee.valid_from and self.today < fee.valid_from) or (
            fee.valid_until and self.today > fee.valid_until
        ):
            return None
        due = self.ask(f"fee.{fee.id}.when")
        if due is UNKNOWN:
            return UNKNOWN  # type: ignore[no-any-return]
        if not due:
            return None
        fils = self.ask(f"fee.{fee.id}.fils")
        if fils is UNKNOWN:
            return UNKNOWN  # type: ignore[no-any-return]
        if isinstance(fils, float) and fils.is_integer():
            fils = int(fils)
        if isinstance(fils, bool) or not isinstance(fils, int) or fils < 0:
            raise RuleFailed(f"fee {fee.id} is not a whole number of fils")
        reads = self.reads(f"fee.{fee.id}.fils") + self.reads(f"fee.{fee.id}.when")
        return FeeLine(fee.id, fee.label, fils, fee.basis, fee.gl_code, reads)

    def papers(self) -> Iterator[NeededPaper]:
        for document in self.definition.documents:
            key = f"document.{document.id}.required_if"
            if document.per is None:
                if self.is_true(key):
                    yield NeededPaper(document, None, document.required)
                continue
            for n, line in enumerate(self.data["answers"].get(document.per, ())):
                if self.is_true(key, line):
                    yield NeededPaper(document, n, document.required)

    def value(self, key: str) -> Any:
        found = self.ask(key)
        return None if found is UNKNOWN else found


def evaluate(
    definition: Definition,
    answers: Mapping[str, Any],
    *,
    today: date,
    source: Mapping[str, Any] | None = None,
    case: Mapping[str, Any] | None = None,
) -> Assessment:
    """The whole file judged: what is asked, owed and needed, and whether one is entitled.

    ``today`` is the day in Kuwait. Raises ``RuleFailed`` (``BudgetExceeded`` among them) only.
    """
    file = _File(definition, answers, source or {}, today, case or {})
    file.questions()
    conditions = tuple(c for rule in definition.eligibility if (c := file.condition(rule)))
    verdicts = {condition.verdict for condition in conditions}
    if Verdict.UNMET in verdicts:
        verdict = Verdict.UNMET
    else:
        verdict = Verdict.UNKNOWN if Verdict.UNKNOWN in verdicts else Verdict.MET
    lines = [file.fee(fee) for fee in definition.fees]
    return Assessment(
        verdict=verdict,
        conditions=conditions,
        visible=frozenset(file.visible),
        required=frozenset(file.required),
        answers=file.data["answers"],
        computed=file.computed,
        dropped=tuple(file.dropped),
        fees=tuple(line for line in lines if isinstance(line, FeeLine)),
        fees_known=not any(line is UNKNOWN for line in lines),
        papers=tuple(file.papers()),
        consultations=tuple(
            c.id
            for c in definition.workflow.consultations
            if file.is_true(f"consultation.{c.id}.when")
        ),
        changes=tuple(
            ChangeLine(
                change.id,
                change.label,
                file.value(f"change.{change.id}.old"),
                file.value(f"change.{change.id}.new"),
                change.format,
            )
            for change in definition.changes
        ),
        explained=file.explained,
    )


def value_of(
    definition: Definition,
    key: str,
    assessment: Assessment,
    *,
    today: date,
    source: Mapping[str, Any] | None = None,
    case: Mapping[str, Any] | None = None,
) -> Any:
    """One more rule over an assessed file (``paper.occupation``, ``payment.iban``); None: unknown.

    Keys are those of ``rule_sources``.
    """
    rule = program_of(definition).rule(key)
    if rule is None:
        return None
    found = rule.evaluate(
        {
            "answers": assessment.answers,
            "source": without_nulls(source or {}),
            "case": without_nulls(case or {}),
            "today": today.isoformat(),
        }
    )
    return None if found is UNKNOWN else found
