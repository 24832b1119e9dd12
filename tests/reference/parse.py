"""Sections 6 and 7: from raw text to accepted, typed rows or rejected ones with their reasons."""

import re
from datetime import date, datetime, time, timedelta
from typing import Any

from reference.model import InputError, Malformed, Row, Settings, Tables

#: Table -> (column, type, may it be null?), in the order of section 6.
COLUMNS: dict[str, tuple[tuple[str, str, bool], ...]] = {
    "claims": (
        ("claim_id", "text", False),
        ("beneficiary_id", "text", False),
        ("service_date", "date", False),
        ("nomenclature_code", "code", False),
        ("quantity", "int", False),
        ("provider_id", "text", True),
        ("provider_profession", "int", True),
        ("provider_competence", "int", True),
        ("hospital_id", "text", True),
        ("booking_date", "date", True),
    ),
    "population": (
        ("beneficiary_id", "text", False),
        ("year", "int", False),
        ("birth_date", "date", True),
        ("sex", "sex", True),
        ("increased_reimbursement", "bool", True),
        ("municipality_31_december", "text", True),
        ("municipality_30_june", "text", True),
        ("sector_31_december", "text", True),
        ("sector_30_june", "text", True),
    ),
    "hospital_stays": (
        ("stay_id", "text", False),
        ("beneficiary_id", "text", False),
        ("admission_date", "date", False),
        ("discharge_date", "date", False),
        ("hospital_id", "text", True),
    ),
}

REQUIRED_TABLES = ("claims", "population")

#: The words of English, French, Dutch and German.
BOOLEANS = {
    **dict.fromkeys(["true", "1", "t", "yes", "y", "oui", "o", "vrai", "ja", "j", "waar", "wahr"], True),
    **dict.fromkeys(["false", "0", "f", "no", "n", "non", "faux", "nee", "neen", "onwaar", "nein", "falsch"], False),
}
SEXES = {
    **dict.fromkeys(["1", "m", "male", "man", "h", "homme", "masculin", "mannelijk", "mann", "männlich"], "male"),
    **dict.fromkeys(["2", "f", "female", "woman", "femme", "féminin", "feminin"], "female"),
    **dict.fromkeys(["v", "vrouw", "vrouwelijk", "w", "frau", "weiblich"], "female"),
}
INSTANT = object()
"""A time with a zone that is no midnight in UTC: its day depends on a zone that nobody has named."""
FIRST_PLAUSIBLE = date(1901, 1, 1)


def trimmed(text: str | None) -> str | None:
    """Text without the white space around it; an empty one is null (section 6)."""
    if text is None:
        return None
    return text.strip(" \t\r\n\f\v") or None


TIME = r"(?:[T ]([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:[.,]([0-9]{1,9}))?)?)?"
ZONE = r"(?: ?(Z|UTC|([+-])([0-9]{2})(?::?([0-9]{2}))?))?"


def parse_date(text: str) -> Any:
    """YYYY-MM-DD and a day that exists, a time of day cut off; `INSTANT`, or None otherwise.

    With a zone it is an instant, and a day only where it is midnight in UTC.
    """
    found = re.fullmatch(f"([0-9]{{4}})-([0-9]{{2}})-([0-9]{{2}}){TIME}{ZONE}", text)
    if not found:
        return None
    year, month, day, hour, minute, second, fraction, zone, sign, hours, minutes = found.groups()
    try:
        moment = datetime(int(year), int(month), int(day), int(hour or 0), int(minute or 0), int(second or 0))  # noqa: DTZ001
    except ValueError:
        return None
    if zone is None:
        return moment.date()
    away = timedelta(hours=int(hours or 0), minutes=int(minutes or 0))
    if away > timedelta(hours=18):
        return None
    in_utc = moment - away if sign == "+" else moment + away
    is_midnight = in_utc.time() == time(0) and not int(((fraction or "") + "000000")[:6])
    return in_utc.date() if is_midnight else INSTANT


def parse_any_int(text: str) -> int | None:
    """[+-]?digits, of any size, with a fraction of zeros at most; None otherwise."""
    return int(text.partition(".")[0]) if re.fullmatch(r"[+-]?[0-9]+(?:\.0+)?", text) else None


def parse_int(text: str) -> int | None:
    """[+-]?digits within 32 bits; None otherwise."""
    number = parse_any_int(text)
    return number if number is not None and -(2**31) <= number < 2**31 else None


def parse_bool(text: str) -> bool | None:
    """The words for true and false, in any case; None otherwise."""
    return BOOLEANS.get(parse_word(text))


def parse_word(text: str) -> str:
    """A word in small letters; a whole number that was written as a fraction is the number."""
    return re.sub(r"^([+-]?[0-9]+)\.0+$", r"\1", text).lower()


def parse_value(kind: str, text: str) -> Any:
    """The typed value; None means that the text cannot be parsed (of a sex: that it is unknown)."""
    if kind in ("text", "word"):
        # A word that is a whole number written as a fraction is the number.
        text = re.sub(r"^([+-]?[0-9]+)\.0+$", r"\1", text) if kind == "word" else text
        # The replacement character stands where bytes were not UTF-8.
        return None if "\ufffd" in text else text
    if kind == "date":
        return parse_date(text)
    if kind == "code":
        return parse_any_int(text)
    if kind == "int":
        return parse_int(text)
    if kind == "bool":
        return parse_bool(text)
    assert kind == "sex", kind
    return SEXES.get(parse_word(text))


def parse_row(table: str, raw: Any, settings: Settings, as_of: date) -> tuple[Row, tuple[str, ...]]:
    """The typed row and its reasons to be rejected, duplicates not yet judged (section 7).

    The reasons' order is the specification's: missing columns, unparseable ones, then the rules.
    """
    if isinstance(raw, Malformed):
        return {}, ("malformed_row",)
    row: Row = {}
    missing: list[str] = []
    unparseable: list[str] = []
    instants: list[str] = []
    for column, kind, may_be_null in columns_of(table, settings):
        text = trimmed(raw.get(column))
        row[column] = None
        if text is None:
            if not may_be_null:
                missing.append(f"missing_{column}")
            continue
        row[column] = parse_value(kind, text)
        if row[column] is INSTANT:
            row[column] = None
            instants.append(f"instant_{column}")
            continue
        # An unknown sex is a warning, never a rejection (section 6).
        if row[column] is None and kind != "sex":
            unparseable.append(f"unparseable_{column}")
    reasons = missing + unparseable + instants
    # A column that is missing or cannot be parsed is None here and takes no further reason.
    if table == "claims":
        day, booked = row["service_date"], row["booking_date"]
        if day is not None and (
            day < as_date(settings["first_service_date"]) or (booked is not None and day > booked) or day > as_of
        ):
            reasons.append("service_date_out_of_range")
        code = row["nomenclature_code"]
        if code is not None and not 100000 <= code <= 999999:
            reasons.append("invalid_nomenclature_code")
        if row["quantity"] == 0:
            reasons.append("zero_quantity")
    reasons += implausible(row, as_of)
    if table == "hospital_stays":
        admission, discharge = row["admission_date"], row["discharge_date"]
        if admission is not None and discharge is not None and discharge < admission:
            reasons.append("discharge_before_admission")
    return row, tuple(reasons)


def implausible(row: Row, as_of: date) -> list[str]:
    """The dates beside that of the service and of birth that cannot be."""
    return [
        f"{column}_out_of_range"
        for column in ("booking_date", "admission_date", "discharge_date")
        if row.get(column) is not None and not FIRST_PLAUSIBLE <= row[column] <= as_of
    ]


def as_date(value: Any) -> date:
    """A date of the settings, which may be given as text."""
    return value if isinstance(value, date) else date.fromisoformat(value)


def nulls_last(value: Any) -> tuple[bool, Any]:
    """A sort key that puts null behind every value."""
    return (value is None, 0 if value is None else value)


def claim_rank(row: Row) -> tuple[Any, ...]:
    """Of lines with one claim_id the lowest stays: latest booking, null earliest; then the first."""
    booked = row["booking_date"]
    latest_first = 0 if booked is None else -booked.toordinal()  # every ordinal is above zero
    others = (
        "service_date",
        "nomenclature_code",
        "quantity",
        "provider_id",
        "provider_profession",
        "provider_competence",
        "hospital_id",
        "beneficiary_id",
    )
    return (latest_first, *(nulls_last(row[column]) for column in others))


def columns_of(table: str, settings: Settings) -> list[tuple[str, str, bool]]:
    """The columns of a table, with those that the population has for a dimension alone."""
    own = settings.get("own_columns", ()) if table == "population" else ()
    return [*COLUMNS[table], *((name, "word", True) for name in own)]


def population_rank(row: Row) -> tuple[Any, ...]:
    """Of rows of one beneficiary-year the lowest stays (section 7)."""
    known = {column for column, _, _ in COLUMNS["population"]}
    columns = (
        "birth_date",
        "sex",
        *("increased_reimbursement", *(column for column in row if column not in known)),
        "municipality_31_december",
        "municipality_30_june",
        "sector_31_december",
        "sector_30_june",
    )
    return tuple(nulls_last(row[column]) for column in columns)


def duplicates(table: str, typed: list[tuple[int, Row]]) -> dict[int, str]:
    """Which rows, by their position in the input, are duplicates, and the reason (section 7)."""
    if table == "hospital_stays":
        return {}
    is_claims = table == "claims"
    key = ["claim_id"] if is_claims else ["beneficiary_id", "year"]
    rank = claim_rank if is_claims else population_rank
    reason = "duplicate_claim_id" if is_claims else "duplicate_beneficiary_year"
    stays: dict[Any, tuple[int, Row]] = {}
    found: dict[int, str] = {}
    for position, row in typed:
        identity = tuple(row[column] for column in key)
        if identity not in stays:
            stays[identity] = (position, row)
        elif rank(row) < rank(stays[identity][1]):
            found[stays[identity][0]] = reason
            stays[identity] = (position, row)
        else:
            found[position] = reason
    return found


def validate(
    tables: Tables, settings: Settings, as_of: date
) -> tuple[dict[str, list[Row]], list[tuple[str, Any, tuple[str, ...]]], dict[str, float]]:
    """Accepted rows, rejected rows and the rejected share, by table (section 7)."""
    for table in REQUIRED_TABLES:
        if table not in tables:
            raise InputError(f"table {table} is missing")
    accepted: dict[str, list[Row]] = {}
    rejected: list[tuple[str, Any, tuple[str, ...]]] = []
    shares: dict[str, float] = {}
    for table in COLUMNS:
        if table not in tables:
            continue
        parsed = [parse_row(table, raw, settings, as_of) for raw in tables[table]]
        clean = [(position, row) for position, (row, reasons) in enumerate(parsed) if not reasons]
        doubles = duplicates(table, clean)
        accepted[table] = []
        count = 0
        for position, (row, reasons) in enumerate(parsed):
            why = (doubles[position],) if position in doubles else reasons
            if why:
                rejected.append((table, tables[table][position], why))
                count += 1
            else:
                accepted[table].append(row)
        shares[table] = count / len(parsed) if parsed else 0.0
    return accepted, rejected, shares
