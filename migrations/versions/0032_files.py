"""Files people hand in."""

import sqlalchemy as sa
from alembic import op

revision = "0032_files"
down_revision = "0031_reconciliation"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "stored_files",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=True),
        sa.Column("kind", sa.String(length=60), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("media_type", sa.String(length=60), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(length=32), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("stored_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("size > 0", name=op.f("ck_stored_files_not_empty")),
        sa.ForeignKeyConstraint(["owner_id"], ["people.id"], name=op.f("fk_stored_files_owner_id")),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisations.id"],
            name=op.f("fk_stored_files_organisation_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stored_files")),
    )
    op.create_index(
        "ix_stored_files_owner", "stored_files", ["owner_id", "kind", "stored_at"], unique=False
    )


def downgrade() -> None:
    op.drop_index("ix_stored_files_owner", table_name="stored_files")
    op.drop_table("stored_files")
