"""The portal's own timestamp authority (RFC 3161) under a P-256 key.

A token is read again from its own bytes before it is handed on: a tree that was looked into is
dumped anew at great cost (asn1crypto).
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from datetime import datetime

from asn1crypto import algos, cms, core, tsp
from asn1crypto import x509 as asn1_x509
from cryptography.hazmat.primitives import serialization

from certification.keystore import KeyStore

#: Our policy, under the arc for documentation examples.
POLICY = "1.3.6.1.4.1.32473.1.1"


class Refused(ValueError):
    """The request asks for something this authority does not certify."""


def _asn1(store: KeyStore, name: str) -> asn1_x509.Certificate:
    der = store.certificate(name).public_bytes(serialization.Encoding.DER)
    made: asn1_x509.Certificate = asn1_x509.Certificate.load(der)
    return made


def _attribute(kind: str, value: object) -> cms.CMSAttribute:
    return cms.CMSAttribute({"type": kind, "values": (value,)})


class Authority:
    """Answers timestamp requests; ``clock`` tells the time."""

    def __init__(self, store: KeyStore, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._clock = clock
        self._certificate = _asn1(store, "tsa")
        self._chain = [self._certificate, _asn1(store, "issuing")]

    def answer(self, request: tsp.TimeStampReq) -> tsp.TimeStampResp:
        imprint = request["message_imprint"]
        digest = imprint["hash_algorithm"]["algorithm"].native
        if digest != "sha256" or len(imprint["hashed_message"].native) != 32:
            raise Refused(digest)
        info = {
            "version": "v1",
            "policy": core.ObjectIdentifier(POLICY),
            "message_imprint": imprint,
            "serial_number": secrets.randbits(63),
            "gen_time": self._clock().replace(microsecond=0),
            "tsa": asn1_x509.GeneralName(name="directory_name", value=self._certificate.subject),
        }
        if request["nonce"].native is not None:
            info["nonce"] = request["nonce"].native
        content = tsp.TSTInfo(info).dump()
        certificate_hash = hashlib.sha256(self._certificate.dump()).digest()
        signed = cms.CMSAttributes(
            [
                _attribute("content_type", "tst_info"),
                _attribute("message_digest", hashlib.sha256(content).digest()),
                _attribute(
                    "signing_certificate_v2",
                    tsp.SigningCertificateV2(
                        {"certs": [tsp.ESSCertIDv2({"cert_hash": certificate_hash})]}
                    ),
                ),
            ]
        )
        signature = self._store.sign("tsa", hashlib.sha256(signed.dump()).digest())
        algorithm = algos.DigestAlgorithm({"algorithm": "sha256"})
        token = cms.ContentInfo(
            {
                "content_type": "signed_data",
                "content": cms.SignedData(
                    {
                        "version": "v3",
                        "digest_algorithms": [algorithm],
                        "encap_content_info": {
                            "content_type": "tst_info",
                            "content": core.ParsableOctetString(content),
                        },
                        "certificates": self._chain,
                        "signer_infos": [
                            {
                                "version": "v1",
                                "sid": cms.SignerIdentifier(
                                    {
                                        "issuer_and_serial_number": {
                                            "issuer": self._certificate.issuer,
                                            "serial_number": self._certificate.serial_number,
                                        }
                                    }
                                ),
                                "digest_algorithm": algorithm,
                                "signed_attrs": signed,
                                "signature_algorithm": {"algorithm": "sha256_ecdsa"},
                                "signature": signature,
                            }
                        ],
                    }
                ),
            }
        )
        answer: tsp.TimeStampResp = tsp.TimeStampResp.load(
            tsp.TimeStampResp({"status": {"status": "granted"}, "time_stamp_token": token}).dump()
        )
        return answer

    def answer_der(self, request: bytes) -> bytes:
        """The same in bytes, for the web."""
        return bytes(self.answer(tsp.TimeStampReq.load(request, strict=True)).dump())
