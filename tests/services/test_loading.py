"""Reading definitions: nothing changes its kind, nothing is said twice, nothing hides."""

from __future__ import annotations

import pytest

from services import loading, reference_data
from services.definition import Definition
from services.loading import BadDefinition, read_yaml


def test_scalars_are_what_they_look_like() -> None:
    read = read_yaml("a: NO\nb: yes\nc: 2026-01-04\nd: true\ne: 12\nf: 1.5\ng: ~\nh: 280010199001")
    assert read == {
        "a": "NO",
        "b": "yes",
        "c": "2026-01-04",
        "d": True,
        "e": 12,
        "f": "1.5",
        "g": None,
        "h": "280010199001",
    }


@pytest.mark.parametrize(
    "text",
    [
        "a: 1\na: 2",
        "a: {b: 1, b: 2}",
        "a: &x 1\nb: *x",
        "a: !!python/object/apply:os.system ['true']",
        "%YAML 1.1\n---\na: 1",
        "a: [1",
        "[" * 20_000,
        "x" * 600_000,
    ],
)
def test_what_could_mislead_is_refused(text: str) -> None:
    with pytest.raises(BadDefinition):
        read_yaml(text)


def test_a_fault_names_its_path() -> None:
    with pytest.raises(BadDefinition, match="title"):
        loading.from_body({"service": "a.b.c", "title": {"ar": "عنوان"}})
    with pytest.raises(BadDefinition, match="surprise"):
        loading.from_body({"surprise": 1})
    with pytest.raises(BadDefinition):
        loading.from_yaml("- 1")


def test_the_stored_body_is_the_definition_again() -> None:
    for definition in loading.shipped().values():
        body = loading.body_of(definition)
        again = loading.from_body(body)
        assert again == definition
        assert loading.sha256(loading.body_of(again)) == loading.sha256(body)


def test_sample_civil_ids_belong_to_nobody() -> None:
    for definition in loading.shipped().values():
        for case in definition.tests:
            for member in case.answers.get("members", ()):
                number = member.get("civil_id", "000000099000")
                assert int(number[7:11]) >= 9900


def test_lists_are_bilingual_and_without_doubles() -> None:
    for name in reference_data.names():
        entries = reference_data.entries(name)
        assert len({entry.code for entry in entries}) == len(entries)
        assert len({entry.title.ar for entry in entries}) == len(entries)
    governorates = reference_data.codes("governorates")
    assert len(governorates) == 6
    for area in reference_data.entries("areas"):
        assert len(area.tags & governorates) == 1
    assert reference_data.version("areas") != reference_data.version("banks")


def test_the_schema_is_exported() -> None:
    schema = Definition.model_json_schema()
    assert schema["additionalProperties"] is False
    assert "eligibility" in schema["properties"]
