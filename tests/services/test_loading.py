"""Reading definitions: nothing changes its kind, nothing is said twice, nothing hides."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from portal import Portal
from portal.identity import demo
from portal.operating import load_demo
from portal.registers.demo_registers import DemoRegisters
from services import loading, reference_data, rules
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


def test_the_commands_for_those_who_write_definitions(app: Portal, tmp_path: Path) -> None:
    runner = app.test_cli_runner()
    printed = runner.invoke(args=["services", "schema"])
    assert json.loads(printed.output)["title"] == "Definition"
    shipped = sorted(str(path) for path in loading.FOLDER.glob("*/*.yaml"))
    assert runner.invoke(args=["services", "check", *shipped]).exit_code == 0
    text = Path(shipped[0]).read_text(encoding="utf-8")
    spoilt = tmp_path / "spoilt.yaml"
    spoilt.write_text(text.replace("to: study", "to: nowhere"), encoding="utf-8")
    refused = runner.invoke(args=["services", "check", str(spoilt)])
    assert refused.exit_code == 1
    assert "nowhere" in refused.output
    spoilt.write_text("a: 1\na: 2", encoding="utf-8")
    assert runner.invoke(args=["services", "check", str(spoilt)]).exit_code == 1


def test_the_demo_registers_tell_what_the_definitions_read(app: Portal) -> None:
    with app.test_request_context("/ar/"):
        load_demo()
        asked = {"today": date(2026, 11, 24), "organisation_id": demo.ORGANISATION}
        registers = DemoRegisters()
        for definition in loading.shipped().values():
            for source in definition.prefill.values():
                told = registers.look_up(
                    source.register_name, person_id=demo.person_id("rajesh"), **asked
                )
                if source.register_name == "services.decision":
                    continue
                one = told[0] if isinstance(told, list) else told
                unknown = {"worker_civil_id"}
                assert set(source.facts) - set(one) <= unknown, source.register_name


def test_one_permit_of_twelve_waits_for_a_passport(app: Portal) -> None:
    renewal = loading.shipped()["pam.work_permit.renew"]
    today = date(2026, 11, 24)
    with app.test_request_context("/ar/"):
        load_demo()
        asked = {
            "person_id": demo.person_id("mona"),
            "organisation_id": demo.ORGANISATION,
            "today": today,
        }
        licence = DemoRegisters().look_up("commerce.licence", **asked)
        permits = DemoRegisters().look_up("labour.permit", **asked)
    verdicts = [
        rules.evaluate(
            renewal,
            {"permit_no": permit["number"], "years": "one", "wage_changes": False},
            today=today,
            source={"licence": licence, "permit": permit},
        )
        for permit in permits
    ]
    assert [v.because for v in verdicts if v.verdict is rules.Verdict.UNMET] == [["passport_valid"]]
    assert sum(v.verdict is rules.Verdict.MET for v in verdicts) == len(permits) - 1
    assert {v.fee_fils for v in verdicts} == {10_000}
    first = verdicts[0].changes[0]
    assert (first.old, first.new) == ("2026-12-15", "2027-12-15")
