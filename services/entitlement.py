"""Am I entitled? The few questions that the conditions need, before anyone signs in.

Nothing is stored. Facts that a register will tell later are asked here in words; what hangs on a
list of people (the household's income) is left open and said to be not known yet.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services import rules
from services.definition import (
    AnyField,
    ChoiceField,
    ComputedField,
    DateField,
    Definition,
    Fact,
    MoneyField,
    NumberField,
    PlainField,
    ReferenceField,
    Section,
    Text,
)

_TITLE = Text(ar="أسئلة الاستحقاق", en="Questions on entitlement")
#: Joins a register's name and its fact in the id of a question.
_JOINT = "__"


def _paths(definition: Definition) -> list[str]:
    """Leaf paths that decide the conditions, in the order in which the conditions stand."""
    compiled = rules.program_of(definition).rules
    grouped = {s.repeat.of for s in definition.sections if s.repeat}

    def leaves(path: str) -> list[str]:
        root, _, rest = path.partition(".")
        question = definition.field(rest) if root == "answers" else None
        if isinstance(question, ComputedField):
            reads = compiled[f"field.{rest}.value"].reads
            return [leaf for deeper in reads for leaf in leaves(deeper)]
        return [path] if root in {"answers", "source"} else []

    found: list[str] = []
    for rule in definition.eligibility:
        keys = [f"eligibility.{rule.id}.{part}" for part in ("when", "met_if")]
        needed = [
            leaf
            for key in keys
            if key in compiled
            for p in compiled[key].reads
            for leaf in leaves(p)
        ]
        if not any(leaf.split(".")[1] in grouped for leaf in needed):
            found += [leaf for leaf in needed if leaf not in found]
    return found


def _question(name: str, fact: Fact) -> AnyField | None:
    if fact.ask is None:
        return None
    if fact.list:
        return ReferenceField(id=name, type="reference", label=fact.ask, list=fact.list)
    if fact.options:
        return ChoiceField(id=name, type="choice", label=fact.ask, options=fact.options)
    match fact.format:
        case "yes_no":
            return PlainField(id=name, type="yes_no", label=fact.ask)
        case "date":
            return DateField(id=name, type="date", label=fact.ask)
        case "number":
            return NumberField(id=name, type="integer", label=fact.ask, min=0, max=100_000)
        case "money":
            return MoneyField(id=name, type="money", label=fact.ask)
        case _:
            return None


def questions(definition: Definition) -> Section | None:
    """One page of questions; None when the conditions need none that can be asked here."""
    asked: list[AnyField] = []
    for path in _paths(definition):
        root, name, *rest = path.split(".")
        if root == "source" and rest:
            fact = definition.prefill[name].facts[rest[0]]
            question = _question(f"{name}{_JOINT}{rest[0]}", fact)
        else:
            question = definition.field(name)
        if question is not None and not isinstance(question, ComputedField):
            plain = {"visible_if": None, "required_if": None, "required": False}
            asked.append(question.model_copy(update=plain))
    return Section(id="entitled", title=_TITLE, fields=tuple(asked)) if asked else None


def split(stored: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """What was said, as answers and as facts of registers."""
    answers: dict[str, Any] = {}
    source: dict[str, dict[str, Any]] = {}
    for name, value in stored.items():
        if value is None:
            continue
        register, joint, fact = name.partition(_JOINT)
        if joint:
            source.setdefault(register, {})[fact] = value
        else:
            answers[name] = value
    return answers, source


def missing(definition: Definition, condition: rules.Condition) -> list[Text]:
    """What must be known before the condition can be judged, in words."""
    found = []
    for path in condition.missing:
        root, name, *rest = path.split(".")
        if root == "source" and rest:
            found.append(definition.prefill[name].facts[rest[0]].label)
        elif root == "answers":
            question = definition.field(name)
            if question is not None:
                found.append(question.label)
            found += [s.title for s in definition.sections if s.repeat and s.repeat.of == name]
    return found
