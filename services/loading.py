"""Definitions from files: read strictly, checked wholly, kept by their hash.

YAML here has no surprises: only ``true`` and ``false`` are booleans, dates and Civil IDs stay text,
fractions do not exist, a key written twice is refused.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Hashable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from services import checks
from services.definition import Definition

FOLDER = Path(__file__).parent / "definitions"
#: A definition larger than this is not read at all.
LARGEST = 512 * 1024


class BadDefinition(ValueError):
    """The file is not a definition; the message names the path and what was expected."""


class _Loader(yaml.SafeLoader):
    """A safe loader whose scalars are what they look like."""


_Loader.yaml_implicit_resolvers = {}
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(?:true|false)$"), list("tf"))
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:null", re.compile(r"^(?:null|~|)$"), ["n", "~", ""]
)
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:int", re.compile(r"^-?(?:0|[1-9][0-9]{0,10})$"), list("-0123456789")
)


def _mapping(loader: _Loader, node: yaml.MappingNode) -> dict[Hashable, Any]:
    made: dict[Hashable, Any] = {}
    for key_node, value_node in node.value:
        if key_node.tag == "tag:yaml.org,2002:merge":
            raise BadDefinition(f"line {key_node.start_mark.line + 1}: merge keys are not used")
        key = loader.construct_object(key_node, deep=True)
        if key in made:
            raise BadDefinition(f"line {key_node.start_mark.line + 1}: {key!r} is written twice")
        made[key] = loader.construct_object(value_node, deep=True)
    return made


_Loader.add_constructor("tag:yaml.org,2002:map", _mapping)


def read_yaml(text: str) -> Any:
    """The document as plain values; ``BadDefinition`` for anything else, aliases included."""
    if len(text.encode()) > LARGEST:
        raise BadDefinition("the file is larger than 512 kB")
    try:
        for token in yaml.scan(text, Loader=_Loader):
            if isinstance(token, yaml.AliasToken | yaml.TagToken | yaml.DirectiveToken):
                line = token.start_mark.line + 1
                raise BadDefinition(f"line {line}: aliases, tags and directives are not used")
        return yaml.load(text, Loader=_Loader)  # noqa: S506 - a SafeLoader of our own
    except yaml.YAMLError as error:
        raise BadDefinition(str(error)) from error
    except RecursionError as error:
        raise BadDefinition("nested too deeply") from error


def canonical(value: Any) -> bytes:
    """The one JSON spelling of a value: sorted keys, no spaces, UTF-8."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


def sha256(value: Any) -> str:
    return hashlib.sha256(canonical(value)).hexdigest()


def body_of(definition: Definition) -> dict[str, Any]:
    """The definition as stored: plain values, defaults left out."""
    body: dict[str, Any] = definition.model_dump(mode="json", by_alias=True, exclude_unset=True)
    return body


def from_body(body: Mapping[str, Any]) -> Definition:
    """The definition of a stored or read body; ``BadDefinition`` names each fault's path."""
    try:
        return Definition.model_validate(body)
    except ValidationError as error:
        faults = [
            f"{'.'.join(str(part) for part in fault['loc']) or 'definition'}: {fault['msg']}"
            for fault in error.errors()
        ]
        raise BadDefinition("\n".join(faults)) from error


def from_yaml(text: str) -> Definition:
    body = read_yaml(text)
    if not isinstance(body, dict):
        raise BadDefinition("the file holds no mapping")
    return from_body(body)


@cache
def shipped() -> dict[str, Definition]:
    """The definitions that come with the portal, by service id, each through all checks."""

    found: dict[str, Definition] = {}
    for path in sorted(FOLDER.glob("*/*.yaml")):
        try:
            definition = from_yaml(path.read_text(encoding="utf-8"))
        except BadDefinition as error:
            raise BadDefinition(f"{path.parent.name}/{path.name}: {error}") from error
        found[definition.service] = definition
    for definition in found.values():
        faults = checks.errors(definition, known_services=found)
        if faults:
            told = "\n".join(f"  {fault}" for fault in faults)
            raise BadDefinition(f"{definition.service} may not be published:\n{told}")
    return found
