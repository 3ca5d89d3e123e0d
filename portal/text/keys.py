"""Search keys for Arabic text: two spellings of one word meet in one key.

Keys are computed here and stored in a plain text column; SQLite FTS5 (unicode61) and PostgreSQL
(to_tsvector('simple', ...)) only split them on spaces, so both databases find the same rows.
Display text is never changed. Run the examples with `python -m doctest portal/text/keys.py`.
"""

import csv
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

TATWEEL = "\u0640"
HAMZA_FORMS = str.maketrans({"أ": "ا", "إ": "ا", "آ": "ا", "ٱ": "ا", "ؤ": "و", "ئ": "ي", "ء": None})
FINAL_FORMS = str.maketrans({"ى": "ي", "ة": "ه"})
BORROWED = str.maketrans(
    {
        "ی": "ي",
        "ے": "ي",
        "ک": "ك",
        "ھ": "ه",
        "ہ": "ه",
        "ە": "ه",
        "گ": "ك",
        "چ": "ج",
        "پ": "ب",
        "ڤ": "ف",
        "ژ": "ز",
    }
)
WORD = re.compile(r"[^\W_]+")
ARABIC_WORD = re.compile(r"[\u0621-\u064a]+\Z")

ARTICLES = (
    "وبال",
    "وال",
    "فال",
    "بال",
    "كال",
    "ولل",
    "ال",
    "لل",
)  # stripped whenever a word remains
PROCLITICS = ("و", "ف", "ب", "ك", "ل")  # stripped only when the lexicon agrees
SUFFIXES = ("هما", "كما", "ها", "هم", "هن", "كم", "نا", "ات", "ان", "ين", "ون", "يه", "ه", "ي", "ت")
SHORTEST_STEM = 3


def _bare(text: str) -> str:
    """NFKC, case, marks, tatweel, bidi controls and digits: what no reader can see or type twice alike."""
    kept = []
    for char in unicodedata.normalize("NFKC", text).casefold():
        if unicodedata.category(char) in {"Mn", "Me", "Cf"} or char == TATWEEL:
            continue
        digit = unicodedata.decimal(char, None)
        kept.append(str(digit) if digit is not None else char)
    return "".join(kept).translate(BORROWED)


def fold(text: str) -> str:
    """The one spelling under which two writings of a word meet.

    >>> fold("إِقَامَــة") == fold("اقامه") == "اقامه"
    True
    >>> fold("مستشفى ١٢٣"), fold("ﻻ"), fold("بناء")
    ('مستشفي 123', 'لا', 'بنا')
    """
    return _bare(text).translate(HAMZA_FORMS).translate(FINAL_FORMS)


def fold_keeping_hamza(text: str) -> str:
    """Second key, for ranking an exact spelling first.

    >>> fold_keeping_hamza("أَمْر") == fold_keeping_hamza("امر")
    False
    """
    return _bare(text)


def words(text: str) -> list[str]:
    """
    >>> words("إذن عمل (مادة ١٨)")
    ['اذن', 'عمل', 'ماده', '18']
    """
    return WORD.findall(fold(text))


def strip_article(word: str) -> str:
    """
    >>> [strip_article(w) for w in ("البطاقه", "والعمل", "للوافدين", "الي")]
    ['بطاقه', 'عمل', 'وافدين', 'الي']
    """
    for article in ARTICLES:
        if word.startswith(article) and len(word) - len(article) >= SHORTEST_STEM:
            return word[len(article) :]
    return word


def strip_suffixes(word: str) -> str:
    """Peel endings until none fits: one pass would part تأمين (تام) from تأمينات (تامين).

    >>> {strip_suffixes(fold(w)) for w in ("تأمين", "تأمينات", "تأمينية")}
    {'تام'}
    """
    for suffix in SUFFIXES:
        if word.endswith(suffix) and len(word) - len(suffix) >= SHORTEST_STEM:
            return strip_suffixes(word[: -len(suffix)])
    return word


@dataclass(frozen=True)
class Lexicon:
    """Broken plurals, synonyms and the words known to be whole; its version is stored beside the keys."""

    singular_of: dict[str, str] = field(default_factory=dict)
    meanings_of: dict[tuple[str, ...], list[tuple[str, ...]]] = field(default_factory=dict)
    known: frozenset[str] = frozenset()

    @classmethod
    def read(cls, plurals: Path, synonyms: Path, titles: Iterable[str] = ()) -> "Lexicon":
        pairs = [(fold(one), fold(many)) for one, many in _rows(plurals)]
        plain = [(tuple(words(said)), tuple(words(meant))) for said, meant in _rows(synonyms)]
        known = {w for pair in pairs for w in pair} | {
            strip_article(w) for t in titles for w in words(t)
        }
        lexicon = cls({many: one for one, many in pairs if one != many}, {}, frozenset(known))
        for said, meant in plain:
            stems = tuple(lexicon.stem(w) for w in said)
            lexicon.meanings_of.setdefault(stems, []).append(tuple(lexicon.stem(w) for w in meant))
        return lexicon

    def stem(self, word: str) -> str:
        """
        >>> lexicon = Lexicon(singular_of={"رخص": "رخصه", "معاملات": "معامله"}, known=frozenset({"بطاقه", "عمل"}))
        >>> [lexicon.stem(fold(w)) for w in ("الرخص", "رخصتي", "بطاقاتهم", "بعمل", "بطاقة", "visa")]
        ['رخص', 'رخص', 'بطاق', 'عمل', 'بطاق', 'visa']
        """
        if not ARABIC_WORD.match(word):
            return word
        word = strip_article(word)
        if word not in self.known and word[1:] in self.known and word[0] in PROCLITICS:
            word = word[1:]
        return strip_suffixes(self._singular(word))

    def _singular(self, word: str) -> str:
        if word in self.singular_of:
            return self.singular_of[word]
        for ending in ("هم", "ها", "كم", "نا", "ه", "ي"):  # شكاويهم, رواتبنا
            if word.endswith(ending) and word[: -len(ending)] in self.singular_of:
                return self.singular_of[word[: -len(ending)]]
        return word

    def key(self, text: str) -> str:
        """What is stored in the `search_key` column.

        >>> Lexicon().key("تجديد إذن عمل (مادة ١٨)")
        'تجديد اذن عمل ماد 18'
        """
        return " ".join(self.stem(w) for w in words(text))

    def query(self, text: str) -> list[list[tuple[str, ...]]]:
        """One group a word or known phrase; each group lists the ways it may stand in a key.

        >>> lexicon = Lexicon(meanings_of={("فيز",): [("سم", "دخول"), ("تاشير",)]})
        >>> lexicon.query("فيزا زيارة") == [[("فيزا",)], [("زيار",)]]
        True
        """
        stems = [self.stem(w) for w in words(text)]
        groups: list[list[tuple[str, ...]]] = []
        at = 0
        while at < len(stems):
            for width in (3, 2, 1):
                phrase = tuple(stems[at : at + width])
                if len(phrase) == width and (width == 1 or phrase in self.meanings_of):
                    groups.append([phrase, *self.meanings_of.get(phrase, [])])
                    at += width
                    break
        return groups


def _rows(path: Path) -> Iterator[tuple[str, str]]:
    with path.open(encoding="utf-8", newline="") as lines:
        for row in csv.reader(lines, delimiter="\t"):
            if row and not row[0].startswith("#"):
                yield row[0], row[1]


def near_words(word: str, vocabulary: Iterable[str]) -> list[str]:
    """Typing slips: one edit for 4-6 letters, two from 7 on; only for a word the index does not have.

    >>> near_words("كهربا", ["كهربا", "كهرب", "مدرس"])
    ['كهربا', 'كهرب']
    """
    allowed = 0 if len(word) < 4 else 1 if len(word) < 7 else 2
    near = [(edits(word, w), w) for w in vocabulary if abs(len(w) - len(word)) <= allowed]
    return [w for distance, w in sorted(near) if distance <= allowed][:5]


def edits(a: str, b: str) -> int:
    """Optimal string alignment distance: a swapped pair of letters counts once.

    >>> edits("تجديد", "تجيدد"), edits("جواز", "جوز")
    (1, 1)
    """
    before: list[int] = []
    last = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        row = [i]
        for j, y in enumerate(b, 1):
            row.append(min(row[-1] + 1, last[j] + 1, last[j - 1] + (x != y)))
            if i > 1 and j > 1 and x == b[j - 2] and a[i - 2] == y:
                row[-1] = min(row[-1], before[j - 2] + 1)
        before, last = last, row
    return last[-1]


def trigrams(text: str) -> set[str]:
    """Same shape as pg_trgm: two spaces before a word, one after.

    >>> sorted(trigrams("علي"))
    ['  ع', ' عل', 'علي', 'لي ']
    """
    return {
        padded[i : i + 3]
        for w in fold(text).split()
        for padded in [f"  {w} "]
        for i in range(len(padded) - 2)
    }


JOINED_HEADS = {"عبد", "ابو", "ام", "بو", "ابا", "ابي", "ذو", "نور", "سيف", "صلاح"}
LATIN_HEADS = {"abdul", "abdel", "abd", "abu", "bu", "um", "umm", "nour", "noor", "saif", "salah"}
LINKS = {"بن", "ابن", "بنت", "bin", "ibn", "bint", "al", "el", "ul"}
FROM_ARABIC = {
    "ا": "",
    "ع": "",
    "و": "w",
    "ي": "y",
    "ب": "b",
    "ت": "t",
    "ث": "t",
    "ج": "j",
    "ح": "h",
    "خ": "k",
    "د": "d",
    "ذ": "d",
    "ر": "r",
    "ز": "z",
    "س": "s",
    "ش": "s",
    "ص": "s",
    "ض": "d",
    "ط": "t",
    "ظ": "d",
    "غ": "j",
    "ف": "f",
    "ق": "k",
    "ك": "k",
    "ل": "l",
    "م": "m",
    "ن": "n",
    "ه": "h",
}
FROM_LATIN = (
    ("sch", "s"),
    ("sh", "s"),
    ("ch", "s"),
    ("th", "t"),
    ("dh", "d"),
    ("kh", "k"),
    ("gh", "g"),
    ("ph", "f"),
    ("ou", "w"),
    ("oo", "w"),
    ("ee", "y"),
    ("ck", "k"),
    ("q", "k"),
    ("g", "j"),
    ("p", "b"),
    ("v", "f"),
    ("x", "ks"),
    ("c", "k"),
)


def name_words(name: str) -> list[str]:
    """Parts of a person's name, links dropped, articles dropped, عبد joined to what it serves.

    >>> name_words("عبد الله بن محمد العلي") == name_words("عبدالله محمد علي") == ["عبدالله", "محمد", "علي"]
    True
    """
    parts: list[str] = []
    joined = ""
    for word in fold(name).replace("-", " ").replace("'", "").split():
        if joined:
            parts.append(
                joined + (word[2:] if joined in LATIN_HEADS and word[:2] in {"al", "el"} else word)
            )
            joined = ""
        elif word in JOINED_HEADS | LATIN_HEADS:
            joined = word
        elif word not in LINKS:
            parts.append(word[2:] if _opens_with_article(word) else word)
    return parts + ([joined] if joined else [])


def _opens_with_article(word: str) -> bool:
    return (word.startswith("ال") and len(word) >= 5) or (
        word.startswith(("al", "el")) and len(word) >= 7
    )


def name_sound(name: str) -> str:
    """Consonant skeleton shared by Arabic and Latin spellings; finds candidates, never decides.

    >>> {name_sound(n) for n in ("محمد", "Mohammed", "Mohammad", "Muhamed")}
    {'mhmd'}
    >>> name_sound("عبدالله") == name_sound("Abdullah") == name_sound("Abd Allah") == name_sound("عبد الله")
    True
    """
    return " ".join(filter(None, (_sound(word) for word in name_words(name))))


def _sound(word: str) -> str:
    if ARABIC_WORD.match(word):
        letters = "".join(FROM_ARABIC.get(c, "") for c in word)
    else:
        letters = word
        for said, letter in FROM_LATIN:
            letters = letters.replace(said, letter)
    letters = re.sub(r"[aeiouwy]", "", letters)  # long vowels are written either way
    letters = re.sub(r"(.)\1+", r"\1", letters)
    return letters[:-1] if letters.endswith("h") and len(letters) > 1 else letters


PRIMARY = {c: i for i, c in enumerate("ابتثجحخدذرزسشصضطظعغفقكلمنهوي", 0x100)}


def sort_key(text: str) -> tuple[str, str]:
    """Digits by value, then Arabic, then Latin; the article at the head does not count. Compare as bytes.

    >>> sorted(["بلدية", "الأحمدي", "وزارة", "آداب", "شارع 10", "Zain", "شارع ٢"], key=sort_key)
    ['الأحمدي', 'آداب', 'بلدية', 'شارع ٢', 'شارع 10', 'وزارة', 'Zain']
    """
    head = re.sub(r"\Aال(?=\w{3})", "", fold(text).strip())
    padded = re.sub(r"\d+", lambda number: number[0].zfill(9), head)
    primary = "".join(
        chr(PRIMARY.get(c, ord(c) if c.isspace() or c.isdigit() else 0x1000 + ord(c)))
        for c in padded
    )
    return primary, fold_keeping_hamza(text)


def highlight(original: str, lexicon: Lexicon, query: str) -> list[tuple[int, int]]:
    """Places in the ORIGINAL text to mark; keys are compared, offsets never leave the original.

    >>> text = "تجديد الإِقامات (مادة ١٨)"
    >>> [text[a:b] for a, b in highlight(text, Lexicon(), "اقامه 18")]
    ['الإِقامات', '١٨']
    """
    wanted = {stem for group in lexicon.query(query) for way in group for stem in way}
    spans = (m.span() for m in re.finditer(r"[\w\u064b-\u065f\u0670\u200c-\u200f]+", original))
    return [(a, b) for a, b in spans if {lexicon.stem(w) for w in words(original[a:b])} & wanted]
