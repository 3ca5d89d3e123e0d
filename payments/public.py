"""What others may ask of payments.

``open_invoice`` and ``cancel_invoice`` work in the caller's transaction. When the money is there
the event ``InvoicePaid`` says so, with the subject the invoice was opened for.
"""

from payments.events import InvoiceCancelled, InvoicePaid, PayerCredited, RefundDone
from payments.models import Attempt, AttemptState, Invoice, InvoiceState, Receipt
from payments.operations import cancel_invoice, open_invoice
from payments.queries import invoice_for, invoices_for, receipt_of
from payments.refunds import ask_refund
from payments.rules import InvoiceLine

__all__ = [
    "Attempt",
    "AttemptState",
    "Invoice",
    "InvoiceCancelled",
    "InvoiceLine",
    "InvoicePaid",
    "InvoiceState",
    "PayerCredited",
    "Receipt",
    "RefundDone",
    "ask_refund",
    "cancel_invoice",
    "invoice_for",
    "invoices_for",
    "open_invoice",
    "receipt_of",
]
