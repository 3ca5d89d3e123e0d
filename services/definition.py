"""A service as data: who may ask, what is asked, what it costs, who decides, what is issued.

A definition is frozen and complete in both languages. It never contains code: rules are the
JSONLogic subset of ``services.rules``, letters are sandboxed templates. Money is whole fils, spans
are ``3d_working``, ``60d_calendar`` or ``4h_working``.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Id = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
#: ``<agency>.<noun>.<verb>``; never used again for another service.
ServiceId = Annotated[str, Field(pattern=r"^[a-z]{2,8}(\.[a-z][a-z_]{1,39}){2}$")]
Rule = dict[str, Any] | bool
#: A value: a rule, or a constant.
Value = dict[str, Any] | bool | int | str
Span = Annotated[str, Field(pattern=r"^[1-9]\d{0,2}[dh]_(working|calendar)$")]
FileType = Literal["pdf", "jpeg", "png"]
Format = Literal["text", "date", "money", "number", "yes_no", "label"]

#: Guards that the engine knows by name; each answers without writing.
GUARDS = {
    "complete": "every visible required answer and paper is there and sound",
    "eligibility_met": "every eligibility rule is met by the registers' own values",
    "eligibility_not_met": "some eligibility rule is unmet or unknown",
    "fee_due": "the fee lines add up to more than nothing",
    "no_fee_due": "the fee lines add up to nothing",
    "consultation_needed": "the case needs at least one consultation",
    "no_consultation_needed": "the case needs no consultation",
    "consultations_done": "the consultations asked for are answered as the join demands",
}
#: What an action may demand from the one who performs it.
NEEDS = ("reason", "reason_code", "law", "fields", "opinion", "report", "note")


class Strict(BaseModel):
    """Frozen; an unknown key is an error that names its path."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Text(Strict):
    """Words in both languages, or nothing."""

    ar: Annotated[str, Field(min_length=1)]
    en: Annotated[str, Field(min_length=1)]

    def get(self, lang: str, default: str = "") -> str:
        """The words in that language, so that the page filter ``both`` reads a text."""
        return {"ar": self.ar, "en": self.en}.get(lang, default)


class Words(Strict):
    """Words people search by, which the title lacks."""

    ar: tuple[str, ...] = ()
    en: tuple[str, ...] = ()


# -- questions ----------------------------------------------------------------------------------


class FieldBase(Strict):
    """What questions share. ``prefill`` reads a declared source, e.g. ``source.person.name``."""

    id: Id
    label: Text
    hint: Text | None = None
    required: bool = True
    visible_if: Rule | None = None
    required_if: Rule | None = None
    prefill: str | None = None
    #: Stored encrypted and shown only to those who decide.
    sensitive: bool = False


class TextField(FieldBase):
    type: Literal["text", "long_text"]
    max: Annotated[int, Field(ge=1, le=4000)] = 200
    script: Literal["any", "arabic", "latin"] = "any"


class PatternField(FieldBase):
    """A text that must match a google-re2 pattern as a whole; ``message`` says what to enter."""

    type: Literal["pattern"]
    pattern: str
    message: Text
    max: Annotated[int, Field(ge=1, le=400)] = 40
    upper: bool = False


class PlainField(FieldBase):
    type: Literal[
        "yes_no",
        "civil_id",
        "phone_kw",
        "email",
        "iban_kw",
        "hijri_date",
        "address",
        "map_point",
        "party",
    ]


class DeclarationField(FieldBase):
    """Exact words the person confirms; the words themselves are stored with the answer."""

    type: Literal["declaration"]
    words: Text


class NumberField(FieldBase):
    type: Literal["integer", "decimal"]
    min: int | None = None
    max: int | None = None
    unit: Text | None = None


class MoneyField(FieldBase):
    type: Literal["money"]
    min_fils: int = 0
    max_fils: int | None = None


class DateField(FieldBase):
    """``before``/``after``: ``today``, an ISO date, or ``answers.<field>``."""

    type: Literal["date", "month"]
    before: str | None = None
    after: str | None = None


class ChoiceField(FieldBase):
    type: Literal["choice", "choices"]
    options: Annotated[dict[Id, Text], Field(min_length=2)]
    min: int | None = None
    max: int | None = None


class ReferenceField(FieldBase):
    """A code of a named list (``services/reference_data``)."""

    type: Literal["reference"]
    list: str
    filter: Rule | None = None


class RegisterField(FieldBase):
    """One of the applicant's own records in a register; the answer is its number."""

    type: Literal["register"]
    register_name: Annotated[str, Field(alias="register")]


class ComputedField(FieldBase):
    """Recomputed on the server; ``how`` tells the person how it was reached."""

    type: Literal["computed"]
    value: Value
    format: Format = "number"
    how: Text | None = None


AnyField = Annotated[
    TextField
    | PatternField
    | PlainField
    | DeclarationField
    | NumberField
    | MoneyField
    | DateField
    | ChoiceField
    | ReferenceField
    | RegisterField
    | ComputedField,
    Field(discriminator="type"),
]


class Repeat(Strict):
    """A list the person adds to; the answers are a list under ``of``."""

    of: Id
    min: Annotated[int, Field(ge=0)] = 0
    max: Annotated[int, Field(ge=1, le=200)]
    item: Text
    #: ``source.<name>`` holding a list of records whose keys are field ids.
    seed_from: str | None = None
    #: Fields whose values name a line in lists, e.g. ``[full_name, relation]``.
    line: tuple[Id, ...] = ()


class Section(Strict):
    """One page of questions; with ``repeat``, a list and one page an item."""

    id: Id
    title: Text
    intro: Text | None = None
    fields: Annotated[tuple[AnyField, ...], Field(min_length=1)]
    repeat: Repeat | None = None
    visible_if: Rule | None = None


# -- sources, entitlement, papers, money --------------------------------------------------------


class Fact(Strict):
    """One value a register tells, as shown to the person with where it comes from."""

    label: Text
    format: Format = "text"
    #: A person may answer it before sign-in, when rules need it ("am I entitled?").
    ask: Text | None = None
    options: dict[Id, Text] = {}
    #: The reference list its codes belong to.
    list: str | None = None


class Source(Strict):
    """A register read instead of asking: at the draft, at submission and at the decision.

    ``key`` is what the look-up goes by: ``subject`` (the applicant, or the establishment acted
    for) or ``answers.<field>``.
    """

    register_name: Annotated[str, Field(alias="register")]
    title: Text
    key: str = "subject"
    many: bool = False
    facts: dict[Id, Fact]


class Eligibility(Strict):
    """A condition: met, unmet (with the reason and what would change it) or not known yet."""

    id: Id
    title: Text
    met_if: Rule
    law: Text
    unmet: Text
    remedy: Text | None = None
    when: Rule | None = None


class Document(Strict):
    """A paper asked for; given once, it is offered again by its ``document_type``."""

    id: Id
    document_type: Id
    label: Text
    hint: Text | None = None
    types: Annotated[tuple[FileType, ...], Field(min_length=1)] = ("pdf", "jpeg", "png")
    max_bytes: Annotated[int, Field(ge=10_000, le=20_000_000)] = 8_000_000
    required: bool = True
    required_if: Rule | None = None
    per: Id | None = None
    once_only: str | None = None
    reusable: bool = True
    valid_months: int | None = None


class Fee(Strict):
    """A line of the invoice: every line whose ``when`` holds is added. Whole fils."""

    id: Id
    label: Text
    fils: int | dict[str, Any]
    when: Rule | None = None
    basis: Annotated[str, Field(min_length=3)]
    gl_code: Annotated[str, Field(pattern=r"^\d{4,6}$")] = "4201"
    valid_from: date | None = None
    valid_until: date | None = None


class MoneyBack(Strict):
    """What becomes of a paid fee when the case ends in this state; told before paying."""

    returned: tuple[Id, ...] = ()
    words: Text


# -- workflow -----------------------------------------------------------------------------------


class Timer(Strict):
    after: Span
    do: Id


class Appeal(Strict):
    """Until when, counted from the notice of the decision, and by which service."""

    within: Span
    to: ServiceId


class Committee(Strict):
    """Members vote alone and see no vote before the last one is cast.

    ``votes``: what may be voted -> the action performed when all agree; ``split``: the action when
    they do not.
    """

    seats: Annotated[int, Field(ge=2, le=9)] = 2
    blind: bool = True
    votes: dict[Id, Id]
    vote_labels: dict[Id, Text]
    split: Id


Stage = Literal["draft", "with_you", "payment", "study", "elsewhere", "decision", "finished"]


class State(Strict):
    """``owner``: ``applicant``, ``system`` or ``queue:<unit>``. The words are public."""

    title: Text
    note: Text | None = None
    stage: Stage
    owner: str | None = None
    final: bool = False
    outcome: Literal["granted", "refused", "lapsed", "withdrawn"] | None = None
    sla: Span | None = None
    warn_at: Annotated[int, Field(ge=1, le=99)] | None = None
    pauses_sla: bool = False
    timer: Timer | None = None
    letter: Id | None = None
    appeal: Appeal | None = None
    route_by: str | None = None
    committee: Committee | None = None
    #: Entering it issues the paper, orders the payment, reopens the case appealed against.
    issues: bool = False
    pays: bool = False
    reopens: bool = False


class Action(Strict):
    """A step from states to a state.

    ``by``: ``applicant``, ``officer``, ``head`` (second signature), ``committee``, ``system``,
    ``timer``, ``rule`` (performed at once on entering a state, first whose guard holds) or
    ``event:invoice.settled``. ``not_same_as``: nobody who performed those may perform this.
    """

    id: Id
    label: Text
    from_: Annotated[tuple[Id, ...], Field(alias="from", min_length=1)]
    to: Id
    by: Annotated[
        str,
        Field(pattern=r"^(applicant|officer|head|committee|system|timer|rule|event:[a-z.]+)$"),
    ]
    guard: str | Rule | None = None
    needs: tuple[
        Literal["reason", "reason_code", "law", "fields", "opinion", "report", "note"], ...
    ] = ()
    not_same_as: tuple[Id, ...] = ()
    #: Why a deciding action may be by one alone (decided by rule); otherwise ``not_same_as``.
    waiver: str | None = None


class Consultation(Strict):
    """Another agency's opinion, asked in parallel with the others."""

    id: Id
    ask: str
    title: Text
    question: Text
    due: Span
    on_late: Literal["escalate", "proceed"]
    when: Rule | None = None


class Workflow(Strict):
    initial: Id
    states: dict[Id, State]
    actions: tuple[Action, ...]
    consultations: tuple[Consultation, ...] = ()
    join: Annotated[str, Field(pattern=r"^(all|any_negative_ends|quorum:[1-9])$")] = "all"


class Reason(Strict):
    """A ground for refusal an officer may choose, with its law and what would change it."""

    id: Id
    title: Text
    law: Text
    remedy: Text | None = None


class Sentence(Strict):
    """A ready sentence for an officer asking for a correction or giving an opinion."""

    id: Id
    use: Literal["correction", "refusal", "opinion"]
    text: Text
    fields: tuple[Id, ...] = ()


# -- what is issued -----------------------------------------------------------------------------


class PrintedFact(Strict):
    """A line on the paper, read from the case."""

    id: Id
    label: Text
    value: Value
    format: Format = "text"


class Paper(Strict):
    """The sealed paper an approval issues.

    ``valid_from`` and ``valid_until`` are ISO dates by rule; no ``valid_until``: no end.
    ``replaces``: the number of the paper it takes the place of.
    """

    kind: Id
    title: Text
    statement: Text
    facts: Annotated[tuple[PrintedFact, ...], Field(min_length=1)]
    valid_from: Value = {"var": "today"}
    valid_until: Value | None = None
    replaces: Value | None = None


class PaymentOrder(Strict):
    """Money granted: to which account, how much a month, how many months."""

    iban: Value
    amount_fils: Value
    months: Annotated[int, Field(ge=1, le=60)]
    purpose: Text


class Change(Strict):
    """One line of "what changes": old | new, side by side."""

    id: Id
    label: Text
    old: Value
    new: Value
    format: Format = "text"


# -- the whole ----------------------------------------------------------------------------------


class Subject(Strict):
    """Who applies, and the mandate needed to act for them. ``level``: assurance at submission."""

    kind: Literal["person", "establishment", "agency"]
    mandate: str
    level: Literal[1, 2, 3] = 2


class TestCase(Strict):
    """A case with what must come out; run before publishing and at every load.

    ``expect`` may hold: eligibility, because, unknown, fee_fils, fees, visible, hidden, computed,
    documents, consultations, changes, ends_in. ``path``: actions performed in order.
    """

    __test__ = False

    name: Text | Annotated[str, Field(min_length=3)]
    today: date
    source: dict[str, Any] = {}
    answers: dict[str, Any] = {}
    case: dict[str, Any] = {}
    path: tuple[Id, ...] = ()
    expect: dict[str, Any]


class Definition(Strict):
    """One version of one service. The published body is never changed; a new version is."""

    service: ServiceId
    #: The catalogue's code, an alias in addresses and lists.
    code: Annotated[str, Field(pattern=r"^[A-Z]{2,6}-\d{3}$")]
    agency: Annotated[str, Field(pattern=r"^[A-Z]{2,8}$")]
    #: The register whose numbers the applications carry, e.g. ``LAB``.
    register_code: Annotated[str, Field(alias="register", pattern=r"^[A-Z]{3}$")]
    title: Text
    summary: Text
    keywords: Words = Words()
    life_events: tuple[Id, ...] = ()
    audience: tuple[Literal["citizen", "resident", "employer", "business", "visitor"], ...]
    minutes_to_fill: Annotated[int, Field(ge=1, le=120)] = 10
    #: The promise on the service page; None: decided at once by rule.
    decided_within: Span | None = None
    steps: tuple[Text, ...]
    subject: Subject
    prefill: dict[Id, Source] = {}
    eligibility: tuple[Eligibility, ...]
    sections: tuple[Section, ...]
    documents: tuple[Document, ...] = ()
    fees: tuple[Fee, ...] = ()
    money_back: dict[Id, MoneyBack] = {}
    declaration: Text
    changes: tuple[Change, ...] = ()
    workflow: Workflow
    reasons: tuple[Reason, ...] = ()
    sentences: tuple[Sentence, ...] = ()
    letters: dict[Id, Text] = {}
    paper: Paper | None = None
    payment_order: PaymentOrder | None = None
    #: Services whose refusals this one hears.
    appeal_of: tuple[ServiceId, ...] = ()
    tests: Annotated[tuple[TestCase, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _ids_once(self) -> Definition:
        for what, ids in (
            ("field", [field.id for section in self.sections for field in section.fields]),
            ("section", [section.id for section in self.sections]),
            ("document", [document.id for document in self.documents]),
            ("fee", [fee.id for fee in self.fees]),
            ("eligibility rule", [rule.id for rule in self.eligibility]),
            ("action", [action.id for action in self.workflow.actions]),
            ("refusal reason", [reason.id for reason in self.reasons]),
        ):
            twice = sorted({name for name in ids if ids.count(name) > 1})
            if twice:
                raise ValueError(f"{what} used twice: {', '.join(twice)}")
        return self

    def field(self, field_id: str) -> AnyField | None:
        """The question with this id, wherever it stands."""
        return next((f for s in self.sections for f in s.fields if f.id == field_id), None)

    def section(self, section_id: str) -> Section | None:
        return next((s for s in self.sections if s.id == section_id), None)

    def action(self, action_id: str) -> Action | None:
        return next((a for a in self.workflow.actions if a.id == action_id), None)

    def document(self, document_id: str) -> Document | None:
        return next((d for d in self.documents if d.id == document_id), None)

    @property
    def is_free(self) -> bool:
        return not self.fees
