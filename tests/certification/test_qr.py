"""The code on paper: the vector, and every single change of it."""

from __future__ import annotations

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from certification import qr

VECTOR = (
    "DW1:RRQ+D9O60CO0*JK2YO8CKTI7*70RN9FN0NYD *0WY0 ND9XQN44 S9LG8NF6TF63W5646*96*K6.KE0EC34EPJEK4F"
    "-KEMX55$CJ$DXUEUB3HF4O788.UJUE :2ILU+FLLPH4X9F55+K0OUJG-4XQ0OIO7FJ EWEIT.IV6MP9Q2/RC/I9N.PEU8"
    "I:GAEC4E0-RGZKT:%5HII4/1F3"
)


def _keys() -> dict[bytes, ec.EllipticCurvePublicKey]:
    x, y = (
        int.from_bytes(base64.urlsafe_b64decode(value + "="), "big")
        for value in (
            "pEZJUqHnq8Ff8STOmjz3dA8yur0aUPtaldolH4GBOX0",
            "VfipWUfPXKIpZVMyYmqtXfET4r_FVhvDQap6Dc_roGA",
        )
    )
    public = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
    return {bytes.fromhex("a1b2c3d4"): public}


def test_vector() -> None:
    code = qr.decode(VECTOR, _keys())
    assert dict(code.claims) == {
        1: "KW", 4: 1827014399, 6: 1795478400, -1: "LAB-2026-000123",
        -2: "labour.work-permit", -6: 51234,
    }  # fmt: skip


def test_every_single_change_is_refused() -> None:
    keys = _keys()
    for at in range(4, len(VECTOR)):
        for other in ("A", "0", " "):
            if VECTOR[at] != other:
                with pytest.raises(qr.BadCode):
                    qr.decode(VECTOR[:at] + other + VECTOR[at + 1 :], keys)


def test_unknown_key_and_long_text_are_refused() -> None:
    with pytest.raises(qr.BadCode, match="unknown key"):
        qr.decode(VECTOR, {})
    with pytest.raises(qr.BadCode):
        qr.decode(VECTOR + "0" * 10000, _keys())


def test_written_code_is_read_back() -> None:
    from tests.certification import hierarchy

    store = hierarchy.ours()
    text = qr.encode({1: "KW", -1: "PMT-2026-000001"}, key_id=b"deqr",
                     sign=lambda digest: store.sign("qr", digest))  # fmt: skip
    code = qr.decode(text, {b"deqr": store.public("qr")})
    assert code.claims[-1] == "PMT-2026-000001"
