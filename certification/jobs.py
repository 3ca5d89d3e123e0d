"""Renew the list of withdrawn certificates before half its life is gone."""

from __future__ import annotations

from datetime import timedelta

from cryptography import x509

from certification import authority, keys
from portal.db import utc_now
from portal.jobs import job


def register() -> None:
    """Importing this module registered its jobs."""


@job(every=timedelta(hours=12))
def renew_revocation_list() -> None:
    store, now = keys.store(), utc_now()
    path = store.folder / "issuing.crl"
    current = x509.load_der_x509_crl(path.read_bytes())
    end = current.next_update_utc
    if end is None or end - now < timedelta(days=3, hours=12):
        authority.renew_revocation_list(store, now=now)
