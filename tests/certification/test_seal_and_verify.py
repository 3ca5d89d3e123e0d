"""A sealed paper, and what may be done to it."""

from __future__ import annotations

import random
import subprocess
from datetime import timedelta
from functools import cache
from io import BytesIO
from pathlib import Path

import pikepdf
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from pikepdf import Dictionary, Name

from certification import authority, sealing
from certification.rules import Verdict
from certification.verifying import Trust, judge
from tests.certification import hierarchy
from tests.certification.hierarchy import LATER, NOW


@cache
def sealed(timestamped: bool = True) -> bytes:
    store = hierarchy.ours()
    return sealing.seal(
        hierarchy.plain_pdf(), store=store,
        authority=hierarchy.tsa(store) if timestamped else None, now=NOW,
    )  # fmt: skip


def verdict(pdf: bytes, trust: Trust | None = None, now=LATER) -> Verdict:
    return judge(pdf, trust or hierarchy.trust(hierarchy.ours()), now=now).verdict


def test_clean_seal_is_genuine() -> None:
    found = judge(sealed(), hierarchy.trust(hierarchy.ours()), now=LATER)
    assert found.verdict is Verdict.GENUINE_EXACT
    assert found.sealed_at == NOW


def test_without_timestamp_the_time_is_unproven() -> None:
    assert verdict(sealed(False)) is Verdict.GENUINE_TIME_UNPROVEN


def _rewritten(change) -> bytes:
    out = BytesIO()
    with pikepdf.open(BytesIO(sealed())) as pdf:
        change(pdf)
        pdf.save(out)
    return out.getvalue()


def _appended(change) -> bytes:
    """The change as an incremental update after the seal."""
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

    writer = IncrementalPdfFileWriter(BytesIO(sealed()))
    change(writer)
    out = BytesIO()
    writer.write(out)
    return out.getvalue()


def _lang(writer) -> None:
    from pyhanko.pdf_utils.generic import pdf_name, pdf_string

    writer.root[pdf_name("/Lang")] = pdf_string("xx")
    writer.update_root()


def _annotation(writer) -> None:
    from pyhanko.pdf_utils import generic
    from pyhanko.pdf_utils.generic import pdf_name, pdf_string

    page = writer.root["/Pages"]["/Kids"][0]
    note = writer.add_object(
        generic.DictionaryObject(
            {
                pdf_name("/Type"): pdf_name("/Annot"),
                pdf_name("/Subtype"): pdf_name("/FreeText"),
                pdf_name("/Contents"): pdf_string("9.500"),
                pdf_name("/Rect"): generic.ArrayObject(
                    [generic.NumberObject(n) for n in (10, 10, 200, 60)]
                ),
            }
        )
    )
    annots = page.get("/Annots", generic.ArrayObject())
    annots.append(note)
    page[pdf_name("/Annots")] = annots
    writer.update_container(page)


def _content(writer) -> None:
    from pyhanko.pdf_utils import generic
    from pyhanko.pdf_utils.generic import pdf_name

    page = writer.root["/Pages"]["/Kids"][0]
    page[pdf_name("/Contents")] = writer.add_object(
        generic.StreamObject(stream_data=b"BT /F1 12 Tf (99.500) Tj ET")
    )
    writer.update_container(page)


def _empty_field(writer) -> None:
    from pyhanko.sign import fields

    fields.append_signature_field(
        writer, fields.SigFieldSpec("Other", box=(10, 10, 90, 40), on_page=0)
    )


def _second_signature() -> bytes:
    """An outsider signs again, as bytes: the library itself refuses to write over our seal."""
    other = hierarchy.make()
    once = sealing.seal(hierarchy.plain_pdf(), store=other, authority=None, now=NOW)
    return sealed() + once[len(hierarchy.plain_pdf()) :]


def _byte_range(replace) -> bytes:
    import re

    data = sealed()
    found = re.search(rb"/ByteRange \[([^\]]*)\]", data)
    numbers = [int(n) for n in found[1].split()]
    text = b" ".join(str(n).encode() for n in replace(numbers)).ljust(len(found[1]))[
        : len(found[1])
    ]
    return data[: found.start(1)] + text + data[found.end(1) :]


def _contents_zeroed() -> bytes:
    import re

    data = sealed()
    found = re.search(rb"/Contents <([0-9a-fA-F]+)>", data)
    return data[: found.start(1)] + b"0" * len(found[1]) + data[found.end(1) :]


def _strip_form(pdf: pikepdf.Pdf) -> None:
    del pdf.Root.AcroForm
    if "/Perms" in pdf.Root:
        del pdf.Root.Perms


def _page_twice(pdf: pikepdf.Pdf) -> None:
    pdf.pages.append(pdf.pages[0])
    pdf.Root[Name.Extra] = Dictionary()


ATTACKS = {
    "5 page appended": (lambda: _rewritten(_page_twice), {Verdict.ALTERED}),
    "6 annotation laid over": (lambda: _appended(_annotation), {Verdict.ALTERED}),
    "7 content replaced (shadow)": (lambda: _appended(_content), {Verdict.ALTERED}),
    "8 catalogue language changed": (lambda: _appended(_lang), {Verdict.ALTERED}),
    "9 empty visible field added": (lambda: _appended(_empty_field), {Verdict.ALTERED}),
    "10 rewritten by another tool": (lambda: _rewritten(lambda _p: None), {Verdict.ALTERED}),
    "11 form stripped": (lambda: _rewritten(_strip_form), {Verdict.UNSIGNED}),
    "12 byte range widened": (
        lambda: _byte_range(lambda n: [n[0], n[1], n[2] + 10, n[3] - 10]),
        {Verdict.ALTERED, Verdict.UNREADABLE},
    ),
    "12 byte range shortened": (
        lambda: _byte_range(lambda n: [n[0], n[1], n[2], n[3] - 10]),
        {Verdict.ALTERED, Verdict.UNREADABLE},
    ),
    "12 byte range zero": (
        lambda: _byte_range(lambda _n: [0, 0, 0, 0]),
        {Verdict.ALTERED, Verdict.UNREADABLE},
    ),
    "13 contents zeroed": (_contents_zeroed, {Verdict.UNREADABLE}),
    "26 outsider's bytes appended": (_second_signature, {Verdict.ALTERED, Verdict.UNREADABLE}),
}


@pytest.mark.parametrize("row", ATTACKS)
def test_attacked_file_is_never_genuine(row: str) -> None:
    attack, expected = ATTACKS[row]
    assert verdict(attack()) in expected


def test_bytes_after_the_end_keep_the_seal_but_not_the_digest() -> None:
    longer = sealed() + b"\n% saved again\n"
    found = judge(longer, hierarchy.trust(hierarchy.ours()), now=LATER)
    assert found.sha256 != judge(sealed(), hierarchy.trust(hierarchy.ours()), now=LATER).sha256
    assert found.verdict in {Verdict.GENUINE_EXACT, Verdict.ALTERED}


def test_another_authority_of_the_same_name_is_unknown() -> None:
    other = hierarchy.make()
    forged = sealing.seal(
        hierarchy.plain_pdf(), store=other, authority=hierarchy.tsa(other), now=NOW
    )
    assert verdict(forged) is Verdict.UNKNOWN_SIGNER


def test_foreign_timestamp_leaves_the_time_unproven() -> None:
    other = hierarchy.make()
    store = hierarchy.ours()
    paper = sealing.seal(
        hierarchy.plain_pdf(), store=store, authority=hierarchy.tsa(other), now=NOW
    )
    assert verdict(paper) is Verdict.GENUINE_TIME_UNPROVEN


def test_ended_certificate_is_not_used() -> None:
    store = hierarchy.ours()
    with pytest.raises(sealing.SealRefused):
        sealing.seal(
            hierarchy.plain_pdf(), store=store, authority=None, now=NOW + timedelta(days=1200)
        )


def _crl(at, reason, *, store=None, now=LATER, days=7) -> bytes:
    store = store or hierarchy.ours()
    serial = hierarchy.ours().certificate("seal").serial_number
    revoked = [(serial, at, reason)] if at else []
    return authority.revocation_list(
        store.certificate("issuing"), store.private("issuing"), number=9, now=now, days=days,
        revoked=revoked,
    ).public_bytes(serialization.Encoding.DER)  # fmt: skip


def _root_crl() -> bytes:
    return (hierarchy.ours().folder / "root.crl").read_bytes()


def test_seal_revoked_after_the_timestamp_stays_genuine() -> None:
    lists = _crl(NOW + timedelta(minutes=30), x509.ReasonFlags.superseded), _root_crl()
    assert verdict(sealed(), hierarchy.trust(hierarchy.ours(), *lists)) is Verdict.GENUINE_EXACT


def test_seal_revoked_before_the_timestamp_is_refused() -> None:
    lists = _crl(NOW - timedelta(minutes=30), x509.ReasonFlags.key_compromise), _root_crl()
    assert verdict(sealed(), hierarchy.trust(hierarchy.ours(), *lists)) is Verdict.REVOKED_SEAL


@pytest.mark.parametrize("lists", ["none", "stale", "foreign"])
def test_without_a_fresh_list_the_status_is_unknown(lists: str) -> None:
    if lists == "none":
        given = (_root_crl(),)
    elif lists == "stale":
        given = (_crl(None, None, now=NOW - timedelta(days=20), days=3), _root_crl())
    else:
        given = (_crl(None, None, store=hierarchy.make()), _root_crl())
    assert verdict(sealed(), hierarchy.trust(hierarchy.ours(), *given)) is Verdict.STATUS_UNKNOWN


def test_flipped_bits_in_the_signed_part_are_never_genuine() -> None:
    import re

    data = sealed()
    hole = re.search(rb"/Contents <([0-9a-fA-F]+)>", data)
    dice = random.Random(20261124)
    trust = hierarchy.trust(hierarchy.ours())
    good = {Verdict.GENUINE_EXACT, Verdict.GENUINE_RESAVED, Verdict.GENUINE_TIME_UNPROVEN}
    for _ in range(120):
        at = dice.randrange(len(data))
        damaged = bytearray(data)
        damaged[at] ^= 1 << dice.randrange(8)
        found = judge(bytes(damaged), trust, now=LATER)
        if not hole.start(1) <= at < hole.end(1):
            assert found.verdict not in good, at


@pytest.mark.parametrize("size", [0, 1, 10, 100, 1000, 5000, 10000])
def test_cut_files_are_unreadable_or_altered(size: int) -> None:
    assert verdict(sealed()[:size]) in {Verdict.UNREADABLE, Verdict.ALTERED, Verdict.UNSIGNED}


def test_pdfsig_agrees(tmp_path: Path) -> None:
    file = tmp_path / "paper.pdf"
    file.write_bytes(sealed())
    told = subprocess.run(["pdfsig", str(file)], capture_output=True, text=True, check=False).stdout
    assert "Signature is Valid" in told
    assert "Total document signed" in told


@pytest.mark.parametrize("name", ["ختم الهيئة 2", "ختم ٢", "ختم ABC", " ختم", "Seal 2 ختم"])
def test_names_that_some_cannot_read_are_refused(name: str) -> None:
    with pytest.raises(authority.NameRefused):
        authority.check_name(name)
