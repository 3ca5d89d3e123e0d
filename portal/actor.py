"""Who acts: the one argument every operation takes beside the time."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True)
class Actor:
    """A person (perhaps on behalf of an organisation) or a part of the system itself.

    ``level`` is the level of assurance of the session, 0 to 3. ``roles`` holds what was granted:
    (role, agency code, unit id or None).
    """

    person_id: UUID | None
    level: int = 0
    on_behalf_of: UUID | None = None
    roles: tuple[tuple[str, str, UUID | None], ...] = ()
    system_name: str | None = None

    @property
    def known_person(self) -> UUID:
        """The signed-in person. Errors: RuntimeError where a page forgot to ask for a sign-in."""
        if self.person_id is None:
            raise RuntimeError("nobody is signed in")
        return self.person_id

    @classmethod
    def system(cls, name: str) -> Actor:
        """The worker, a job or a command acting by itself."""
        return cls(person_id=None, level=3, system_name=name)

    def has_role(self, role: str, agency: str | None = None, unit_id: UUID | None = None) -> bool:
        """Whether a grant covers the role, in this agency and unit when they are given."""
        return any(
            held == role
            and (agency is None or of_agency == agency)
            and (unit_id is None or of_unit is None or of_unit == unit_id)
            for held, of_agency, of_unit in self.roles
        )

    def units(self, role: str) -> set[UUID | None]:
        return {unit for held, _agency, unit in self.roles if held == role}

    def agencies(self, role: str) -> set[str]:
        return {agency for held, agency, _unit in self.roles if held == role}
