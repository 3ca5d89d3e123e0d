"""How the sub-portals add to the front door, which may not import them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class MenuEntry:
    """One word in the header."""

    endpoint: str
    label: Any
    order: int


@dataclass(frozen=True)
class HomeCard:
    """A door on the home page: where it leads, in one line, with a symbol of the sprite."""

    endpoint: str
    title: Any
    text: Any
    symbol: str
    order: int
    values: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Figure:
    """A real number of this week, as shown."""

    value: str
    label: str


@dataclass(frozen=True)
class Subject:
    """A life event with the number of its services."""

    url: str
    title: str
    count: int


menu_entries: list[MenuEntry] = []
duty_entries: list[tuple[frozenset[str], MenuEntry]] = []
home_cards: list[HomeCard] = []
figure_sources: list[Callable[[], Sequence[Figure]]] = []
subject_sources: list[Callable[[], Sequence[Subject]]] = []
lead_sources: list[Callable[[], str]] = []
personal_sources: list[Callable[[], Sequence[Any]]] = []
search_endpoint: list[str] = []


def _add(target: list[Any], item: Any) -> None:
    if item not in target:
        target.append(item)


def register_menu(endpoint: str, label: Any, order: int) -> None:
    _add(menu_entries, MenuEntry(endpoint, label, order))
    menu_entries.sort(key=lambda entry: entry.order)


def register_duty(endpoint: str, label: Any, order: int, *, roles: frozenset[str]) -> None:
    """A desk in the line below the header, for those who hold one of the roles."""
    if endpoint not in {known.endpoint for _roles, known in duty_entries}:
        duty_entries.append((roles, MenuEntry(endpoint, label, order)))
        duty_entries.sort(key=lambda pair: pair[1].order)


def register_home_card(card: HomeCard) -> None:
    if card.endpoint not in {known.endpoint for known in home_cards} or card.values:
        _add(home_cards, card)
    home_cards.sort(key=lambda known: known.order)


def register_figures(source: Callable[[], Sequence[Figure]]) -> None:
    """A source of the home page's figures; it reads the database when asked."""
    _add(figure_sources, source)


def register_subjects(source: Callable[[], Sequence[Subject]]) -> None:
    _add(subject_sources, source)


def register_lead(source: Callable[[], str]) -> None:
    """The sentence under the home page's question."""
    _add(lead_sources, source)


def register_search(endpoint: str) -> None:
    """The page that answers ``?q=``."""
    search_endpoint[:] = [endpoint]
