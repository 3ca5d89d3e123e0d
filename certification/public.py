"""What others may ask of certification."""

from certification.events import DocumentSealed, DocumentWithdrawn
from certification.models import PaperState, SealedDocument
from certification.operations import seal_document, supersede_document, withdraw_document
from certification.printing import draw_paper
from certification.queries import document_for, pdf_of

__all__ = [
    "DocumentSealed",
    "DocumentWithdrawn",
    "PaperState",
    "SealedDocument",
    "document_for",
    "draw_paper",
    "pdf_of",
    "seal_document",
    "supersede_document",
    "withdraw_document",
]
