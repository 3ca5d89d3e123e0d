"""The two catalogues: extract, fill, check, compile.

Each package keeps its own ``translations/<lang>/LC_MESSAGES/<package>.po``; compiling merges them
into one ``messages.mo``, so that work on two packages never meets in one file. English message
ids are the English text; Arabic is written by people.

    python -m portal.catalogues fill PACKAGE FILE.tsv   add translations from a table
    python -m portal.catalogues check                   list what is missing or doubtful
    python -m portal.catalogues compile                 write the .mo files
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).parent.parent
PACKAGES = ("portal", "certification", "payments", "services", "participation", "sectors")
LANGUAGES = ("ar", "en")
#: Babel's order of the Arabic forms (its ``plural_expr``); CLDR's names in that order.
BABEL_ORDER = ("zero", "one", "two", "few", "other", "many")
CLDR_ORDER = ("zero", "one", "two", "few", "many", "other")
_METHODS = [
    ("**.py", "python"),
    ("**/templates/**.html", "jinja2"),
    ("**/templates/**.txt", "jinja2"),
]
_KEYWORDS = {
    "_": None,
    "_l": None,
    "gettext": None,
    "lazy_gettext": None,
    "ngettext": (1, 2),
    "_n": (1, 2),
    "lazy_ngettext": (1, 2),
    "pgettext": ((1, "c"), 2),
    "lazy_pgettext": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
}
_OPTIONS = {
    "**/templates/**.html": {"trimmed": "true", "silent": "false"},
    "**/templates/**.txt": {"trimmed": "true", "silent": "false"},
}


def path_of(package: str, lang: str) -> Path:
    return ROOT / "translations" / lang / "LC_MESSAGES" / f"{package}.po"


def used_in(package: str) -> Iterator[tuple[str | tuple[str, str], str | None]]:
    """Every message id the package's code and templates use, with its context."""
    seen = set()
    for _file, _line, message, _comments, context in extract_from_dir(
        ROOT / package, _METHODS, _OPTIONS, _KEYWORDS
    ):
        ident = tuple(message[:2]) if isinstance(message, tuple) else message
        if ident and (ident, context) not in seen:
            seen.add((ident, context))
            yield ident, context  # type: ignore[misc]


def read(package: str, lang: str) -> Catalog:
    path = path_of(package, lang)
    if not path.exists():
        return Catalog(locale=lang)
    with path.open("rb") as source:
        return read_po(source, locale=lang, abort_invalid=False)


def write(catalogue: Catalog, package: str, lang: str) -> None:
    path = path_of(package, lang)
    path.parent.mkdir(parents=True, exist_ok=True)
    head = f'# {package}: {lang}\nmsgid ""\nmsgstr ""\n'
    head += f'"Language: {lang}\\n"\n"MIME-Version: 1.0\\n"\n'
    head += '"Content-Type: text/plain; charset=utf-8\\n"\n"Content-Transfer-Encoding: 8bit\\n"\n'
    plain = Catalog(locale=lang)
    head += f'"Plural-Forms: {plain.plural_forms}\\n"\n\n'
    from io import BytesIO

    body = BytesIO()
    write_po(body, catalogue, no_location=True, omit_header=True, sort_output=True, width=0)
    path.write_text(head + body.getvalue().decode(), encoding="utf-8")


def _rows(file: Path) -> dict[str, list[str]]:
    rows = {}
    for line in file.read_text(encoding="utf-8").splitlines():
        cells = [cell.replace("\\n", "\n") for cell in line.split("\t")]
        if len(cells) >= 2 and cells[0]:
            rows[cells[0]] = cells[1:]
    return rows


def _arabic(ident: str | tuple[str, str], cells: list[str]) -> str | tuple[str, ...]:
    if isinstance(ident, str):
        return cells[0]
    forms = dict(zip(CLDR_ORDER, cells[1:] if len(cells) == 7 else cells, strict=True))
    return tuple(forms[name] for name in BABEL_ORDER)


def fill(package: str, file: Path | None = None) -> list[str]:
    """Bring the catalogues up to the code, with the table's Arabic; answers what lacks."""
    rows = _rows(file) if file else {}
    missing = []
    for lang in LANGUAGES:
        old = read(package, lang)
        new = Catalog(locale=lang)
        for ident, context in used_in(package):
            key = ident if isinstance(ident, str) else ident[0]
            kept = old.get(key, context)
            string = (kept.string if kept else None) or ""
            if lang == "en":
                string = ident
            elif (f"{context}|{key}" if context else key) in rows:
                string = _arabic(ident, rows[f"{context}|{key}" if context else key])
            if not any(string if isinstance(string, tuple) else (string,)):
                missing.append(key)
            new.add(ident, string, context=context, flags=_flags(ident))
        write(new, package, lang)
    return missing


def _flags(ident: str | tuple[str, str]) -> set[str]:
    text = ident if isinstance(ident, str) else ident[1]
    return {"python-format"} if "%(" in text else set()


def faults() -> list[str]:
    """What is missing, fuzzy, or breaks a placeholder, in both languages."""
    found = []
    for package in PACKAGES:
        used = set(used_in(package))
        for lang in LANGUAGES:
            catalogue = read(package, lang)
            for ident, context in used:
                key = ident if isinstance(ident, str) else ident[0]
                found += _faults_of(catalogue.get(key, context), key, f"{lang}/{package}")
            stale = {(m.id, m.context) for m in catalogue if m.id} - used
            found += [f"{lang}/{package}: no longer used: {ident!r}" for ident, _ in stale]
    return found


def _faults_of(message: Message | None, key: str, where: str) -> list[str]:
    if message is None:
        return [f"{where}: missing: {key!r}"]
    strings = message.string if isinstance(message.string, (tuple, list)) else (message.string,)
    if not all(strings):
        return [f"{where}: not translated: {key!r}"]
    if message.fuzzy:
        return [f"{where}: fuzzy: {key!r}"]
    wanted = set(_placeholders(message.id if isinstance(message.id, str) else message.id[1]))
    wrong = [
        string
        for string in strings
        if not set(_placeholders(string or "")) <= wanted
        or (isinstance(message.id, str) and set(_placeholders(string or "")) != wanted)
    ]
    return [f"{where}: placeholders differ: {key!r}"] if wrong else []


def _placeholders(string: str) -> list[str]:
    import re

    return re.findall(r"%\((\w+)\)[sd]", string)


def compile_all() -> None:
    for lang in LANGUAGES:
        merged = Catalog(locale=lang)
        for package in PACKAGES:
            for message in read(package, lang):
                if message.id:
                    merged.add(message.id, message.string, context=message.context)
        target = ROOT / "translations" / lang / "LC_MESSAGES" / "messages.mo"
        with target.open("wb") as out:
            write_mo(out, merged)


def main(arguments: list[str]) -> int:
    match arguments:
        case ["fill", package, *files]:
            lacking = fill(package, Path(files[0]) if files else None)
            sys.stdout.writelines(f"{key}\n" for key in lacking)
            compile_all()
        case ["check"]:
            found = faults()
            sys.stdout.writelines(f"{fault}\n" for fault in found)
            return 1 if found else 0
        case ["compile"]:
            compile_all()
        case _:
            sys.stdout.write(__doc__ or "")
            return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
