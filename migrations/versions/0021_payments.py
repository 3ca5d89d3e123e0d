"""Invoices, attempts to pay, notices, receipts, credits, refunds."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0021_payments"
down_revision = "0002_ledger_guards"
branch_labels = None
depends_on = None


SQLITE = [
    """CREATE TRIGGER notice_never_changed BEFORE UPDATE ON attempt_notices
      BEGIN SELECT RAISE(ABORT,'notices are append only'); END""",
    """CREATE TRIGGER notice_never_deleted BEFORE DELETE ON attempt_notices
      BEGIN SELECT RAISE(ABORT,'notices are append only'); END""",
    """CREATE TRIGGER paid_stays_paid BEFORE UPDATE ON attempts
      WHEN OLD.state='paid' BEGIN
      SELECT RAISE(ABORT,'a paid attempt stays paid') WHERE NEW.state<>'paid'
        OR NEW.amount_fils<>OLD.amount_fils OR NEW.reference<>OLD.reference;
    END""",
    """CREATE TRIGGER refund_within_payment BEFORE INSERT ON refunds BEGIN
      SELECT RAISE(ABORT,'only a paid attempt is refunded')
        WHERE (SELECT state FROM attempts WHERE id=NEW.attempt_id) IS NOT 'paid';
      SELECT RAISE(ABORT,'refunds exceed the payment') WHERE NEW.amount_fils +
        (SELECT coalesce(sum(amount_fils),0) FROM refunds WHERE attempt_id=NEW.attempt_id
          AND state NOT IN ('failed','rejected'))
        > (SELECT amount_fils FROM attempts WHERE id=NEW.attempt_id);
    END""",
    """CREATE TRIGGER refund_keeps_amount BEFORE UPDATE ON refunds BEGIN
      SELECT RAISE(ABORT,'a refund keeps its amount') WHERE NEW.amount_fils<>OLD.amount_fils
        OR NEW.attempt_id<>OLD.attempt_id OR NEW.asked_by<>OLD.asked_by;
      SELECT RAISE(ABORT,'an ended refund stays ended')
        WHERE OLD.state IN ('failed','rejected') AND NEW.state<>OLD.state;
    END""",
]

POSTGRES = [
    """CREATE FUNCTION payments_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION '% is append only', TG_TABLE_NAME USING ERRCODE='23514'; END $$""",
    """CREATE TRIGGER notice_append_only BEFORE UPDATE OR DELETE ON attempt_notices
      FOR EACH ROW EXECUTE FUNCTION payments_append_only()""",
    """CREATE TRIGGER notice_no_truncate BEFORE TRUNCATE ON attempt_notices
      EXECUTE FUNCTION payments_append_only()""",
    """CREATE FUNCTION paid_stays_paid() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF OLD.state='paid' AND (NEW.state<>'paid' OR NEW.amount_fils<>OLD.amount_fils
        OR NEW.reference<>OLD.reference) THEN
        RAISE EXCEPTION 'a paid attempt stays paid' USING ERRCODE='23514'; END IF;
      RETURN NEW;
    END $$""",
    """CREATE TRIGGER paid_stays_paid BEFORE UPDATE ON attempts
      FOR EACH ROW EXECUTE FUNCTION paid_stays_paid()""",
    """CREATE FUNCTION refund_within_payment() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE paid bigint; stands text; given bigint;
    BEGIN
      SELECT amount_fils, state INTO paid, stands FROM attempts
        WHERE id=NEW.attempt_id FOR UPDATE;
      IF stands IS DISTINCT FROM 'paid' THEN
        RAISE EXCEPTION 'only a paid attempt is refunded' USING ERRCODE='23514'; END IF;
      SELECT coalesce(sum(amount_fils),0) INTO given FROM refunds
        WHERE attempt_id=NEW.attempt_id AND state NOT IN ('failed','rejected');
      IF given+NEW.amount_fils>paid THEN
        RAISE EXCEPTION 'refunds exceed the payment' USING ERRCODE='23514'; END IF;
      RETURN NEW;
    END $$""",
    """CREATE TRIGGER refund_within_payment BEFORE INSERT ON refunds
      FOR EACH ROW EXECUTE FUNCTION refund_within_payment()""",
    """CREATE FUNCTION refund_keeps_amount() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF NEW.amount_fils<>OLD.amount_fils OR NEW.attempt_id<>OLD.attempt_id
        OR NEW.asked_by<>OLD.asked_by THEN
        RAISE EXCEPTION 'a refund keeps its amount' USING ERRCODE='23514'; END IF;
      IF OLD.state IN ('failed','rejected') AND NEW.state<>OLD.state THEN
        RAISE EXCEPTION 'an ended refund stays ended' USING ERRCODE='23514'; END IF;
      RETURN NEW;
    END $$""",
    """CREATE TRIGGER refund_keeps_amount BEFORE UPDATE ON refunds
      FOR EACH ROW EXECUTE FUNCTION refund_keeps_amount()""",
]

FUNCTIONS = (
    "payments_append_only",
    "paid_stays_paid",
    "refund_within_payment",
    "refund_keeps_amount",
)


def upgrade() -> None:
    op.create_table(
        "invoices",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.String(length=24), nullable=False),
        sa.Column("subject", sa.String(length=120), nullable=False),
        sa.Column("agency", sa.String(length=12), nullable=False),
        sa.Column(
            "title", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False
        ),
        sa.Column("payer_person_id", sa.Uuid(), nullable=False),
        sa.Column("payer_organisation_id", sa.Uuid(), nullable=True),
        sa.Column(
            "state",
            sa.Enum(
                "open",
                "paid",
                "cancelled",
                name="invoicestate",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("total_fils", sa.BigInteger(), nullable=False),
        sa.Column(
            "money_back", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=True
        ),
        sa.Column("return_endpoint", sa.String(length=120), nullable=True),
        sa.Column(
            "return_values",
            sa.JSON().with_variant(postgresql.JSONB(), "postgresql"),
            nullable=False,
        ),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("paid_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(state = 'paid') = (paid_at IS NOT NULL)", name=op.f("ck_invoices_paid_has_time")
        ),
        sa.CheckConstraint("total_fils >= 0", name=op.f("ck_invoices_total_not_negative")),
        sa.ForeignKeyConstraint(
            ["payer_organisation_id"],
            ["organisations.id"],
            name=op.f("fk_invoices_payer_organisation_id"),
        ),
        sa.ForeignKeyConstraint(
            ["payer_person_id"], ["people.id"], name=op.f("fk_invoices_payer_person_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invoices")),
        sa.UniqueConstraint("number", name=op.f("uq_invoices_number")),
    )
    op.create_index("ix_invoices_payer", "invoices", ["payer_person_id", "opened_at"], unique=False)
    op.create_index(
        "ix_invoices_payer_organisation",
        "invoices",
        ["payer_organisation_id", "opened_at"],
        unique=False,
    )
    op.create_index("ix_invoices_subject", "invoices", ["subject"], unique=False)
    op.create_table(
        "attempts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("invoice_id", sa.Uuid(), nullable=False),
        sa.Column("gateway", sa.String(length=20), nullable=False),
        sa.Column("environment", sa.String(length=12), nullable=False),
        sa.Column("reference", sa.String(length=14), nullable=False),
        sa.Column("amount_fils", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("lang", sa.String(length=2), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "sent",
                "unknown",
                "paid",
                "declined",
                "cancelled",
                "expired",
                name="attemptstate",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("idempotency_key", sa.String(length=64), nullable=False),
        sa.Column("handle", sa.String(length=255), nullable=True),
        sa.Column("gateway_id", sa.String(length=255), nullable=True),
        sa.Column("rrn", sa.String(length=40), nullable=True),
        sa.Column("auth_code", sa.String(length=40), nullable=True),
        sa.Column("disagreement", sa.String(length=200), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("paid_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("next_inquiry_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("inquiries", sa.Integer(), nullable=False),
        sa.Column("not_found_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(state = 'paid') = (paid_at IS NOT NULL)", name=op.f("ck_attempts_paid_has_time")
        ),
        sa.CheckConstraint("amount_fils > 0", name=op.f("ck_attempts_amount_positive")),
        sa.ForeignKeyConstraint(
            ["invoice_id"], ["invoices.id"], name=op.f("fk_attempts_invoice_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attempts")),
        sa.UniqueConstraint("gateway", "gateway_id", name=op.f("uq_attempts_gateway_gateway_id")),
        sa.UniqueConstraint("idempotency_key", name=op.f("uq_attempts_idempotency_key")),
        sa.UniqueConstraint("reference", name=op.f("uq_attempts_reference")),
    )
    op.create_index("ix_attempts_invoice", "attempts", ["invoice_id", "sent_at"], unique=False)
    op.create_index(
        "ix_attempts_to_ask",
        "attempts",
        ["next_inquiry_at"],
        unique=False,
        sqlite_where=sa.text("state IN ('sent', 'unknown')"),
        postgresql_where=sa.text("state IN ('sent', 'unknown')"),
    )
    op.create_index(
        "uq_attempts_one_live",
        "attempts",
        ["invoice_id"],
        unique=True,
        sqlite_where=sa.text("state IN ('sent', 'unknown')"),
        postgresql_where=sa.text("state IN ('sent', 'unknown')"),
    )
    op.create_table(
        "invoice_lines",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("invoice_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("service_code", sa.String(length=80), nullable=False),
        sa.Column("gl_code", sa.String(length=12), nullable=False),
        sa.Column(
            "label", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False
        ),
        sa.Column("gross_fils", sa.BigInteger(), nullable=False),
        sa.Column("exemption_fils", sa.BigInteger(), nullable=False),
        sa.Column("exemption_reason", sa.String(length=300), nullable=True),
        sa.CheckConstraint(
            "exemption_fils = 0 OR exemption_reason IS NOT NULL",
            name=op.f("ck_invoice_lines_exemption_has_reason"),
        ),
        sa.CheckConstraint(
            "exemption_fils >= 0 AND exemption_fils <= gross_fils",
            name=op.f("ck_invoice_lines_exemption_within_gross"),
        ),
        sa.CheckConstraint("gross_fils >= 0", name=op.f("ck_invoice_lines_gross_not_negative")),
        sa.ForeignKeyConstraint(
            ["invoice_id"], ["invoices.id"], name=op.f("fk_invoice_lines_invoice_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invoice_lines")),
        sa.UniqueConstraint(
            "invoice_id", "position", name=op.f("uq_invoice_lines_invoice_id_position")
        ),
    )
    op.create_table(
        "attempt_notices",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("attempt_id", sa.Uuid(), nullable=True),
        sa.Column("gateway", sa.String(length=20), nullable=False),
        sa.Column(
            "source",
            sa.Enum(
                "callback",
                "return",
                "webhook",
                "inquiry",
                name="noticesource",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("event_id", sa.String(length=255), nullable=True),
        sa.Column("verdict", sa.String(length=20), nullable=True),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(length=32), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["attempt_id"], ["attempts.id"], name=op.f("fk_attempt_notices_attempt_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attempt_notices")),
        sa.UniqueConstraint(
            "gateway", "event_id", name=op.f("uq_attempt_notices_gateway_event_id")
        ),
    )
    op.create_index(
        "ix_attempt_notices_attempt", "attempt_notices", ["attempt_id", "received_at"], unique=False
    )
    op.create_table(
        "payer_credits",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("attempt_id", sa.Uuid(), nullable=False),
        sa.Column("payer_person_id", sa.Uuid(), nullable=False),
        sa.Column("payer_organisation_id", sa.Uuid(), nullable=True),
        sa.Column("amount_fils", sa.BigInteger(), nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("returned_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("amount_fils > 0", name=op.f("ck_payer_credits_amount_positive")),
        sa.ForeignKeyConstraint(
            ["attempt_id"], ["attempts.id"], name=op.f("fk_payer_credits_attempt_id")
        ),
        sa.ForeignKeyConstraint(
            ["payer_organisation_id"],
            ["organisations.id"],
            name=op.f("fk_payer_credits_payer_organisation_id"),
        ),
        sa.ForeignKeyConstraint(
            ["payer_person_id"], ["people.id"], name=op.f("fk_payer_credits_payer_person_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payer_credits")),
        sa.UniqueConstraint("attempt_id", name=op.f("uq_payer_credits_attempt_id")),
    )
    op.create_table(
        "receipts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.String(length=24), nullable=False),
        sa.Column("invoice_id", sa.Uuid(), nullable=False),
        sa.Column("attempt_id", sa.Uuid(), nullable=False),
        sa.Column("amount_fils", sa.BigInteger(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("amount_fils > 0", name=op.f("ck_receipts_amount_positive")),
        sa.ForeignKeyConstraint(
            ["attempt_id"], ["attempts.id"], name=op.f("fk_receipts_attempt_id")
        ),
        sa.ForeignKeyConstraint(
            ["invoice_id"], ["invoices.id"], name=op.f("fk_receipts_invoice_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_receipts")),
        sa.UniqueConstraint("attempt_id", name=op.f("uq_receipts_attempt_id")),
        sa.UniqueConstraint("invoice_id", name=op.f("uq_receipts_invoice_id")),
        sa.UniqueConstraint("number", name=op.f("uq_receipts_number")),
    )
    op.create_table(
        "refunds",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("attempt_id", sa.Uuid(), nullable=False),
        sa.Column("amount_fils", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "asked",
                "approved",
                "unknown",
                "done",
                "failed",
                "rejected",
                name="refundstate",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("idempotency_key", sa.String(length=64), nullable=False),
        sa.Column("gateway_id", sa.String(length=255), nullable=True),
        sa.Column("asked_by", sa.Uuid(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("approved_by", sa.Uuid(), nullable=True),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decision_reason", sa.String(length=500), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("next_inquiry_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("inquiries", sa.Integer(), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(state = 'done') = (done_at IS NOT NULL)", name=op.f("ck_refunds_done_has_time")
        ),
        sa.CheckConstraint(
            "state IN ('asked', 'rejected') OR approved_by IS NOT NULL",
            name=op.f("ck_refunds_sent_only_if_approved"),
        ),
        sa.CheckConstraint("amount_fils > 0", name=op.f("ck_refunds_amount_positive")),
        sa.CheckConstraint(
            "approved_by IS NULL OR approved_by <> asked_by", name=op.f("ck_refunds_two_people")
        ),
        sa.ForeignKeyConstraint(
            ["approved_by"], ["people.id"], name=op.f("fk_refunds_approved_by")
        ),
        sa.ForeignKeyConstraint(["asked_by"], ["people.id"], name=op.f("fk_refunds_asked_by")),
        sa.ForeignKeyConstraint(
            ["attempt_id"], ["attempts.id"], name=op.f("fk_refunds_attempt_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refunds")),
        sa.UniqueConstraint("idempotency_key", name=op.f("uq_refunds_idempotency_key")),
    )
    op.create_index("ix_refunds_attempt", "refunds", ["attempt_id"], unique=False)
    op.create_index("ix_refunds_state", "refunds", ["state", "asked_at"], unique=False)
    statements = POSTGRES if op.get_bind().dialect.name == "postgresql" else SQLITE
    for statement in statements:
        op.execute(statement)


def downgrade() -> None:
    # The triggers go with their tables, their functions after them.
    op.drop_index("ix_refunds_state", table_name="refunds")
    op.drop_index("ix_refunds_attempt", table_name="refunds")
    op.drop_table("refunds")
    op.drop_table("receipts")
    op.drop_table("payer_credits")
    op.drop_index("ix_attempt_notices_attempt", table_name="attempt_notices")
    op.drop_table("attempt_notices")
    op.drop_table("invoice_lines")
    op.drop_index(
        "uq_attempts_one_live",
        table_name="attempts",
        sqlite_where=sa.text("state IN ('sent', 'unknown')"),
        postgresql_where=sa.text("state IN ('sent', 'unknown')"),
    )
    op.drop_index(
        "ix_attempts_to_ask",
        table_name="attempts",
        sqlite_where=sa.text("state IN ('sent', 'unknown')"),
        postgresql_where=sa.text("state IN ('sent', 'unknown')"),
    )
    op.drop_index("ix_attempts_invoice", table_name="attempts")
    op.drop_table("attempts")
    op.drop_index("ix_invoices_subject", table_name="invoices")
    op.drop_index("ix_invoices_payer_organisation", table_name="invoices")
    op.drop_index("ix_invoices_payer", table_name="invoices")
    op.drop_table("invoices")
    if op.get_bind().dialect.name == "postgresql":
        for name in FUNCTIONS:
            op.execute(f"DROP FUNCTION {name}()")
