"""
The figure of standings over time: where every bar begins and ends, from the days of the memberships.

Full is certain, hatched is possible. A template draws it, on a page with classes and alone with colours.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from markupsafe import Markup

from eurasia_graph import words
from eurasia_graph.web.naming import Names
from eurasia_graph.web.standings import Standing

MOST_LANES = 30
WIDTH, LEFT, RIGHT, TOP = 900, 320, 888, 30
ROW, BAR, GAP = 16, 12, 9
LINE = 15
# Of texts that tell of no first day: so many years before the first that is told.
YEARS_BEFORE, YEARS_AFTER = 5, 3
MOST_TICKS = 9
# A longer name stands above its rows, and is cut there where it would run out of the figure.
LONGEST_BESIDE, LONGEST_NAME = 18, 100
LETTER, SMALL_LETTER = 7.0, 6.2
# How each class is painted where there is no style sheet.
INK, GROUND, SURE, OTHER, SOFT = "#1c2430", "#ffffff", "#0b5394", "#7a4d00", "#545f6d"
FONT = "system-ui, 'DejaVu Sans', sans-serif"
PAINT = {
    "certain": f'fill="{SURE}"',
    "certain other": f'fill="{OTHER}"',
    "certain outside": f'fill="{GROUND}" stroke="{INK}"',
    "possible": f'fill="url(#hatch)" stroke="{SURE}" stroke-width="0.8"',
    "possible other": f'fill="url(#hatch-other)" stroke="{OTHER}" stroke-width="0.8"',
    "possible outside": f'fill="{GROUND}" stroke="{INK}" stroke-dasharray="2 2"',
    "grid": 'stroke="#d3d9e0"',
    "horizon": f'stroke="{INK}" stroke-dasharray="4 3"',
    "asked": 'stroke="#8a3b12" stroke-width="2"',
    "name": f'font-family="{FONT}" font-size="13" fill="{INK}"',
    "axis": (
        f'font-family="{FONT}" font-size="12" text-anchor="middle" fill="{SOFT}" stroke="{GROUND}" stroke-width="4"'
    ),
    "source": f'font-family="{FONT}" font-size="11" text-anchor="end" fill="{SOFT}"',
    "status": (f'font-family="{FONT}" font-size="10.5" fill="{INK}" stroke="{GROUND}" stroke-width="3"'),
    "heading": f'font-family="{FONT}" font-size="17" font-weight="600" fill="{INK}"',
    "hatch-ground": f'fill="{GROUND}"',
    "hatch-line": f'fill="{SURE}"',
    "hatch-line other": f'fill="{OTHER}"',
}


@dataclass(frozen=True, slots=True)
class Mark:
    """A rectangle of a bar, from the first to the last day that it stands for; `look` are its classes."""

    x: float
    width: float
    look: str


@dataclass(frozen=True, slots=True)
class Bar:
    """One standing: its marks, where it leads, and what it says."""

    y: float
    marks: list[Mark]
    iri: str
    title: str
    status: str | None


@dataclass(slots=True)
class Row:
    """What one text tells of one lane."""

    source: str
    y: float
    bars: list[Bar] = field(default_factory=list)


@dataclass(slots=True)
class Lane:
    """A holder or a body with a row for each text."""

    iri: str
    name: str
    y: float
    rows: list[Row] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Line:
    """An upright line with its label."""

    x: float
    label: str
    y: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A whole figure; `standings` are those that it shows, `left_out` the number of lanes on other pages."""

    lanes: list[Lane]
    ticks: list[Line]
    horizons: list[Line]
    asked: float | None
    bottom: float
    height: float
    standings: list[Standing]
    page: int
    pages: int
    width: int = WIDTH

    @property
    def statuses(self) -> set[str]:
        """The looks of its marks."""
        return {each.look for each in self.standings}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """
    What a figure shows.

    `lane` says what a standing belongs to: its holder on the page of a body, its body on that of a state; `day` is
    marked; `page` says which lanes, from 1.
    """

    lane: Callable[[Standing], str]
    day: date | None = None
    page: int = 1


@dataclass(frozen=True, slots=True)
class Scale:
    """Days on a line."""

    first: date
    last: date

    def x(self, day: date) -> float:
        """Return the place of a day; one outside the line stands at its end."""
        inside = min(max(day, self.first), self.last)
        part = (inside.toordinal() - self.first.toordinal()) / (self.last.toordinal() - self.first.toordinal())
        return round(LEFT + (RIGHT - LEFT) * part, 1)

    def ticks(self) -> list[Line]:
        """Mark round years."""
        years = self.last.year - self.first.year
        step = next(each for each in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000) if years / each <= MOST_TICKS)
        begin = -(-self.first.year // step) * step
        return [Line(self.x(date(year, 1, 1)), str(year)) for year in range(begin, self.last.year + 1, step)]


def scale(standings: Sequence[Standing], horizons: Mapping[str, str]) -> Scale:
    """Choose the years of a figure: from the first that is told until a little after the texts end."""
    known = [each.sure or each.end or each.latest for each in standings]
    begin = max(min(each.begin for each in standings).year, min(known).year - YEARS_BEFORE)
    ends = [date.fromisoformat(horizons[each.source]) for each in standings if each.source in horizons]
    end = max([*ends, *(each.end for each in standings if each.end), *known]).year + YEARS_AFTER
    last = min(max(end, begin + 1), date.max.year)
    return Scale(date(min(begin, last - 1), 1, 1), date(last, 1, 1))


def figure(
    standings: Sequence[Standing],
    horizons: Mapping[str, str],
    names: Names,
    shown: Shown,
) -> Figure | None:
    """
    Draw standings over time.

    Args:
        standings: All of them; of more lanes than fit, those with most claims are on the first page.
        horizons: The last day of which each text can know (ISO 8601).
        names: What things are called.
        shown: What is shown of them.
    Returns:
        The figure, or None where nothing is told.
    """
    if not standings:
        return None
    line = scale(standings, horizons)
    by_lane: dict[str, list[Standing]] = {}
    for each in standings:
        by_lane.setdefault(shown.lane(each), []).append(each)
    ranked = sorted(by_lane, key=lambda iri: (-len(by_lane[iri]), names.named(iri).casefold(), iri))
    pages = -(-len(ranked) // MOST_LANES)
    number = min(max(shown.page, 1), pages)
    chosen = ranked[(number - 1) * MOST_LANES : number * MOST_LANES]
    lanes, y = [], float(TOP)
    for iri in sorted(chosen, key=lambda each: (names.named(each).casefold(), each)):
        one = _lane(iri, by_lane[iri], names, line, y)
        lanes.append(one)
        y = one.rows[-1].bars[-1].y + ROW + GAP
    told = {each.source for iri in chosen for each in by_lane[iri]}
    ends = _horizons({source: horizons[source] for source in told if source in horizons}, names, line, y)
    return Figure(
        lanes=lanes,
        ticks=line.ticks(),
        horizons=ends,
        asked=line.x(shown.day) if shown.day and line.first <= shown.day <= line.last else None,
        bottom=y,
        height=y + LINE * len(ends) + LINE,
        standings=[each for iri in chosen for each in by_lane[iri]],
        page=number,
        pages=pages,
    )


def _lane(iri: str, standings: Sequence[Standing], names: Names, line: Scale, top: float) -> Lane:
    """Put the standings of a lane into rows, by text; what overlaps stands below."""
    name = names.short(iri)
    shown = name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1].rstrip()}…"
    found = Lane(iri, shown, top)
    y = top + ROW if len(shown) > LONGEST_BESIDE else top
    for source in sorted({each.source for each in standings}, key=lambda each: (names.short(each), each)):
        row = Row(names.short(source), y)
        free: list[float] = []
        for each in sorted((one for one in standings if one.source == source), key=lambda one: one.begin):
            marks = _marks(each, line)
            first, last = marks[0].x, marks[-1].x + marks[-1].width
            place = next((index for index, end in enumerate(free) if end <= first), len(free))
            free[place : place + 1] = [last]
            row.bars.append(_bar(each, marks, names, y + place * ROW))
        row.bars.sort(key=lambda bar: bar.y)
        found.rows.append(row)
        y += len(free) * ROW
    return found


def _bar(each: Standing, marks: list[Mark], names: Names, y: float) -> Bar:
    status = names.named(each.status)
    who = f"{names.named(each.holder)}, {names.short(each.body)}"
    title = f"{who}: {status}, {each.words()}, says {names.short(each.source)}"
    room = sum(mark.width for mark in marks)
    shown = status if (each.look or each.status.endswith("signatory")) and room >= len(status) * SMALL_LETTER else None
    return Bar(y, marks, each.claim, title, shown)


def _marks(each: Standing, line: Scale) -> list[Mark]:
    """Cut a standing into what is possible, certain, and possible again."""
    end = each.end or line.last
    if each.sure and each.over:
        spans = [("possible", each.begin, each.sure), ("certain", each.sure, each.over), ("possible", each.over, end)]
    else:
        spans = [("possible", each.begin, end)]
    found = [
        Mark(line.x(first), round(line.x(last) - line.x(first), 1), f"{look} {each.look}".strip())
        for look, first, last in spans
        if line.x(last) > line.x(first)
    ]
    # What is shorter than a tenth of a point is still there to be seen.
    return found or [Mark(line.x(each.begin), 1.5, f"{spans[-1][0]} {each.look}".strip())]


def _horizons(horizons: Mapping[str, str], names: Names, line: Scale, bottom: float) -> list[Line]:
    """Draw where the knowledge of each text ends, with its label below the others."""
    found = []
    for place, (source, day) in enumerate(sorted(horizons.items(), key=lambda item: (item[1], item[0]))):
        label = f"{names.short(source)} ends: {words.day(day)}"
        found.append(Line(line.x(date.fromisoformat(day)), label, bottom + LINE * (place + 1)))
    return found


def label_place(x: float, label: str) -> float:
    """Return the middle of a label so that none of it is cut off."""
    half = len(label) * LETTER / 2
    return round(min(max(x, half), WIDTH - half), 1)


def paint(classes: str) -> Markup:
    """Write how a class is painted, as attributes."""
    return Markup(PAINT[classes])  # noqa: S704  (a text of this module)
