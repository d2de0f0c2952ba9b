"""One line of the benchmark table, on its way from the machine that measured it to the report."""

import json

import attrs

HEADINGS = ("what", "budget", "measured", "verdict", "details")
NO_BUDGET = "—"
_VERDICTS = {True: "holds", False: "**missed**", None: NO_BUDGET}


@attrs.frozen
class Row:
    """`measured` and `budget` are in the unit that `what` names; `holds` is None where nothing is promised."""

    what: str
    budget: str
    measured: str
    details: str
    holds: bool | None

    @property
    def verdict(self) -> str:
        return _VERDICTS[self.holds]

    @property
    def cells(self) -> tuple[str, str, str, str, str]:
        return self.what, self.budget, self.measured, self.verdict, self.details


@attrs.frozen
class Measurements:
    """What one machine measured; `machine` says what it is."""

    machine: str
    rows: list[Row]


def at_least(what: str, budget: float, measured: float, details: str) -> Row:
    return Row(what, f"≥ {budget:g}", f"{measured:.2f}", details, measured >= budget)


def at_most(what: str, budget: float, measured: float, details: str, *, digits: int = 2) -> Row:
    return Row(what, f"≤ {budget:g}", f"{measured:.{digits}f}", details, measured <= budget)


def told(what: str, measured: str, details: str) -> Row:
    """A figure without a promise."""
    return Row(what, NO_BUDGET, measured, details, None)


def write(path: str, measurements: Measurements) -> None:
    with open(path, "w", encoding="utf-8") as file:
        json.dump(attrs.asdict(measurements), file)


def read(path: str) -> Measurements:
    with open(path, encoding="utf-8") as file:
        content = json.load(file)
    return Measurements(content["machine"], [Row(**row) for row in content["rows"]])
