"""The ledger and the audit chain guard themselves: triggers on both databases."""

from alembic import op

revision = "0002_ledger_guards"
down_revision = "0001_portal"
branch_labels = None
depends_on = None

SQLITE = [
    """CREATE TRIGGER entry_starts_unsealed BEFORE INSERT ON ledger_entries BEGIN
      SELECT RAISE(ABORT,'entry starts unsealed') WHERE NEW.sealed<>0;
      SELECT RAISE(ABORT,'entry numbers have no gap')
        WHERE NEW.seq<>(SELECT coalesce(max(seq),0)+1 FROM ledger_entries);
      SELECT RAISE(ABORT,'day is closed')
        WHERE (SELECT state FROM ledger_days WHERE day=NEW.day) IS NOT 'open';
    END""",
    """CREATE TRIGGER posting_into_open_entry BEFORE INSERT ON ledger_postings BEGIN
      SELECT RAISE(ABORT,'entry is sealed')
        WHERE (SELECT sealed FROM ledger_entries WHERE seq=NEW.entry) IS NOT 0;
      SELECT RAISE(ABORT,'fils are whole numbers') WHERE typeof(NEW.fils)<>'integer';
      SELECT RAISE(ABORT,'account is closed')
        WHERE (SELECT closed_on FROM ledger_accounts WHERE id=NEW.account) IS NOT NULL;
    END""",
    """CREATE TRIGGER entry_only_sealed BEFORE UPDATE ON ledger_entries BEGIN
      SELECT RAISE(ABORT,'entries are append only') WHERE OLD.sealed<>0 OR NEW.sealed<>1
        OR NEW.seq IS NOT OLD.seq OR NEW.source IS NOT OLD.source OR NEW.day IS NOT OLD.day
        OR NEW.kind IS NOT OLD.kind OR NEW.reverses IS NOT OLD.reverses
        OR NEW.event_at IS NOT OLD.event_at OR NEW.made_by IS NOT OLD.made_by;
      SELECT RAISE(ABORT,'entry is not balanced') WHERE
        (SELECT count(*)<2 OR sum(fils)<>0 FROM ledger_postings WHERE entry=NEW.seq);
      SELECT RAISE(ABORT,'chain is broken') WHERE NEW.prev_hash IS NOT
        coalesce((SELECT hash FROM ledger_entries WHERE seq=NEW.seq-1), zeroblob(32));
    END""",
    """CREATE TRIGGER entry_never_deleted BEFORE DELETE ON ledger_entries
      BEGIN SELECT RAISE(ABORT,'entries are append only'); END""",
    """CREATE TRIGGER posting_never_changed BEFORE UPDATE ON ledger_postings
      BEGIN SELECT RAISE(ABORT,'postings are append only'); END""",
    """CREATE TRIGGER posting_never_deleted BEFORE DELETE ON ledger_postings
      BEGIN SELECT RAISE(ABORT,'postings are append only'); END""",
    """CREATE TRIGGER account_kept BEFORE UPDATE ON ledger_accounts
      WHEN NEW.id IS NOT OLD.id OR NEW.code IS NOT OLD.code OR NEW.kind IS NOT OLD.kind
      BEGIN SELECT RAISE(ABORT,'account meaning is fixed'); END""",
    """CREATE TRIGGER account_not_deleted BEFORE DELETE ON ledger_accounts
      BEGIN SELECT RAISE(ABORT,'account meaning is fixed'); END""",
    """CREATE TRIGGER account_is_new BEFORE INSERT ON ledger_accounts BEGIN
      SELECT RAISE(ABORT,'account exists')
        WHERE EXISTS(SELECT 1 FROM ledger_accounts WHERE id=NEW.id OR code=NEW.code);
    END""",
    # REPLACE fires no delete trigger: without this it would open a closed day again
    """CREATE TRIGGER day_is_new BEFORE INSERT ON ledger_days BEGIN
      SELECT RAISE(ABORT,'day exists or lies before a closed one') WHERE NEW.state<>'open'
        OR EXISTS(SELECT 1 FROM ledger_days WHERE day=NEW.day
                  OR (day>NEW.day AND state='closed'));
      SELECT RAISE(ABORT,'not a day')
        WHERE NEW.day NOT GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]';
    END""",
    """CREATE TRIGGER day_only_closed BEFORE UPDATE ON ledger_days BEGIN
      SELECT RAISE(ABORT,'closed day stays closed') WHERE OLD.state='closed'
        OR NEW.day IS NOT OLD.day;
      SELECT RAISE(ABORT,'an entry is unsealed') WHERE NEW.state='closed'
        AND EXISTS(SELECT 1 FROM ledger_entries WHERE day=NEW.day AND sealed=0);
      SELECT RAISE(ABORT,'an earlier day is open') WHERE NEW.state='closed'
        AND EXISTS(SELECT 1 FROM ledger_days WHERE day<NEW.day AND state='open');
    END""",
    """CREATE TRIGGER day_not_deleted BEFORE DELETE ON ledger_days
      BEGIN SELECT RAISE(ABORT,'closed day stays closed'); END""",
    """CREATE TRIGGER audit_in_order BEFORE INSERT ON audit_rows BEGIN
      SELECT RAISE(ABORT,'audit has no gap')
        WHERE NEW.seq<>(SELECT coalesce(max(seq),0)+1 FROM audit_rows);
    END""",
    """CREATE TRIGGER audit_never_changed BEFORE UPDATE ON audit_rows
      BEGIN SELECT RAISE(ABORT,'audit is append only'); END""",
    """CREATE TRIGGER audit_never_deleted BEFORE DELETE ON audit_rows
      BEGIN SELECT RAISE(ABORT,'audit is append only'); END""",
]

REFUSE = """CREATE FUNCTION append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION '% is append only', TG_TABLE_NAME USING ERRCODE='23514'; END $$"""

POSTGRES = [
    REFUSE,
    """CREATE FUNCTION ledger_entry_in() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE st text; top bigint;
    BEGIN
      PERFORM pg_advisory_xact_lock(7301);
      IF NEW.sealed<>0 THEN RAISE EXCEPTION 'entry starts unsealed' USING ERRCODE='23514'; END IF;
      SELECT coalesce(max(seq),0) INTO top FROM ledger_entries;
      IF NEW.seq<>top+1 THEN
        RAISE EXCEPTION 'entry numbers have no gap' USING ERRCODE='23514'; END IF;
      SELECT state INTO st FROM ledger_days WHERE day=NEW.day FOR SHARE;
      IF st IS DISTINCT FROM 'open' THEN
        RAISE EXCEPTION 'day is closed' USING ERRCODE='23514'; END IF;
      RETURN NEW;
    END $$""",
    """CREATE TRIGGER entry_in BEFORE INSERT ON ledger_entries
      FOR EACH ROW EXECUTE FUNCTION ledger_entry_in()""",
    """CREATE FUNCTION ledger_posting_in() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF (SELECT sealed FROM ledger_entries WHERE seq=NEW.entry) IS DISTINCT FROM 0 THEN
        RAISE EXCEPTION 'entry is sealed' USING ERRCODE='23514'; END IF;
      IF (SELECT closed_on FROM ledger_accounts WHERE id=NEW.account) IS NOT NULL THEN
        RAISE EXCEPTION 'account is closed' USING ERRCODE='23514'; END IF;
      RETURN NEW;
    END $$""",
    """CREATE TRIGGER posting_in BEFORE INSERT ON ledger_postings
      FOR EACH ROW EXECUTE FUNCTION ledger_posting_in()""",
    """CREATE FUNCTION ledger_entry_change() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE n bigint; s numeric; p bytea;
    BEGIN
      IF OLD.sealed<>0 OR NEW.sealed<>1 OR NEW.seq<>OLD.seq OR NEW.source<>OLD.source
        OR NEW.day<>OLD.day OR NEW.kind<>OLD.kind OR NEW.reverses IS DISTINCT FROM OLD.reverses
        OR NEW.event_at<>OLD.event_at OR NEW.made_by<>OLD.made_by THEN
        RAISE EXCEPTION 'entries are append only' USING ERRCODE='23514'; END IF;
      SELECT count(*), coalesce(sum(fils),1) INTO n,s FROM ledger_postings WHERE entry=NEW.seq;
      IF n<2 OR s<>0 THEN
        RAISE EXCEPTION 'entry is not balanced' USING ERRCODE='23514'; END IF;
      SELECT hash INTO p FROM ledger_entries WHERE seq=NEW.seq-1;
      IF NEW.prev_hash IS DISTINCT FROM coalesce(p, decode(repeat('00',32),'hex')) THEN
        RAISE EXCEPTION 'chain is broken' USING ERRCODE='23514'; END IF;
      RETURN NEW;
    END $$""",
    """CREATE TRIGGER entry_change BEFORE UPDATE ON ledger_entries
      FOR EACH ROW EXECUTE FUNCTION ledger_entry_change()""",
    """CREATE FUNCTION ledger_left_open() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF (SELECT sealed FROM ledger_entries WHERE seq=NEW.seq)=0 THEN
        RAISE EXCEPTION 'entry % was left unsealed', NEW.seq USING ERRCODE='23514'; END IF;
      RETURN NULL;
    END $$""",
    """CREATE CONSTRAINT TRIGGER entry_left_open AFTER INSERT ON ledger_entries
      DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ledger_left_open()""",
    """CREATE TRIGGER entry_never_deleted BEFORE DELETE ON ledger_entries
      FOR EACH ROW EXECUTE FUNCTION append_only()""",
    """CREATE TRIGGER posting_append_only BEFORE UPDATE OR DELETE ON ledger_postings
      FOR EACH ROW EXECUTE FUNCTION append_only()""",
    """CREATE TRIGGER entry_no_truncate BEFORE TRUNCATE ON ledger_entries
      EXECUTE FUNCTION append_only()""",
    """CREATE TRIGGER posting_no_truncate BEFORE TRUNCATE ON ledger_postings
      EXECUTE FUNCTION append_only()""",
    """CREATE FUNCTION ledger_account_change() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN IF TG_OP='DELETE' OR NEW.id<>OLD.id OR NEW.code<>OLD.code OR NEW.kind<>OLD.kind THEN
      RAISE EXCEPTION 'account meaning is fixed' USING ERRCODE='23514'; END IF; RETURN NEW;
    END $$""",
    """CREATE TRIGGER account_change BEFORE UPDATE OR DELETE ON ledger_accounts
      FOR EACH ROW EXECUTE FUNCTION ledger_account_change()""",
    """CREATE FUNCTION ledger_day_in() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN IF NEW.state<>'open'
        OR EXISTS(SELECT 1 FROM ledger_days WHERE day>NEW.day AND state='closed') THEN
      RAISE EXCEPTION 'day lies before a closed one' USING ERRCODE='23514'; END IF; RETURN NEW;
    END $$""",
    """CREATE TRIGGER day_in BEFORE INSERT ON ledger_days
      FOR EACH ROW EXECUTE FUNCTION ledger_day_in()""",
    """CREATE FUNCTION ledger_day_change() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      PERFORM pg_advisory_xact_lock(7301);
      IF OLD.state='closed' OR NEW.day<>OLD.day THEN
        RAISE EXCEPTION 'closed day stays closed' USING ERRCODE='23514'; END IF;
      IF NEW.state='closed'
        AND EXISTS(SELECT 1 FROM ledger_days WHERE day<NEW.day AND state='open') THEN
        RAISE EXCEPTION 'an earlier day is open' USING ERRCODE='23514'; END IF;
      RETURN NEW;
    END $$""",
    """CREATE TRIGGER day_change BEFORE UPDATE ON ledger_days
      FOR EACH ROW EXECUTE FUNCTION ledger_day_change()""",
    """CREATE TRIGGER day_not_deleted BEFORE DELETE ON ledger_days
      FOR EACH ROW EXECUTE FUNCTION append_only()""",
    """CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE ON audit_rows
      FOR EACH ROW EXECUTE FUNCTION append_only()""",
    """CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON audit_rows
      EXECUTE FUNCTION append_only()""",
]


def _names(statements: list[str], kind: str) -> list[str]:
    return [
        text.split("TRIGGER ")[1].split()[0]
        for text in statements
        if text.lstrip().startswith(("CREATE TRIGGER", "CREATE CONSTRAINT TRIGGER"))
        and kind == "trigger"
    ]


def upgrade() -> None:
    postgres = op.get_bind().dialect.name == "postgresql"
    for statement in POSTGRES if postgres else SQLITE:
        op.execute(statement)


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        for function in (
            "append_only", "ledger_entry_in", "ledger_posting_in", "ledger_entry_change",
            "ledger_left_open", "ledger_account_change", "ledger_day_in", "ledger_day_change",
        ):  # fmt: skip
            op.execute(f"DROP FUNCTION {function}() CASCADE")
        return
    for name in _names(SQLITE, "trigger"):
        op.execute(f"DROP TRIGGER {name}")
