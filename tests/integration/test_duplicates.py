"""Ids that stand more than once, within and across files: which row stays never depends on the files' order."""

import json
from pathlib import Path

import pytest
from comparison import CONF, REJECTED, SILVER, assert_rejected_equal, assert_silver_equals, read
from integration.console import Console
from reference import Result, compute
from reference.io import read_csv

pytestmark = [pytest.mark.integration, pytest.mark.slow]

LOST: pytest.StashKey[list[object]] = pytest.StashKey()
CLAIMS_HEADER = (
    "claim_id,beneficiary_id,service_date,nomenclature_code,quantity,provider_id,provider_profession,"
    "provider_competence,hospital_id,booking_date,remark"
)
# Each pair of rows shares an id across the files; the comment says which one stays.
FIRST_FILE = [
    "late,ann ,2022-03-01, 101032 ,1,p1,10,3,,2022-03-05,  first  ",  # booked earlier: goes
    "null,ann,2022-03-01,101032,1,p1,10,3,,2022-03-05,",  # booked: stays
    "date,ann,2022-03-02,101032,1,p1,10,3,,,",  # later: goes
    "code,ann,2022-03-02,101032,1,p1,10,3,,,",  # lower code: stays
    "profession,ann,2022-03-02,101032,1,p1,,3,,,",  # null profession is last: goes
    "who, bea,2022-03-02,101032,1,p1,10,3,,,",  # the other beneficiary is lower: goes
    "same,ann,2022-03-03,101032,1,p1,10,3,,2022-04-01,x",  # one of three equal rows stays
    "same,ann,2022-03-03,101032,1,p1,10,3,,2022-04-01,x",
    " padded,ann,2022-03-04,101032,+1,p1,10,3,,,",  # equal once it is understood
    "spoilt,ann,2022-02-30,101032,1,p1,10,3,,,",  # rejected for its date, so no duplicate
    "alone,ann,2022-03-05,101032,1,p1,10,3,,,",
    "thrice,ann,2022-03-06,101032,3,p1,10,3,,,",
    "thrice,ann,2022-03-06,101032,2,p1,10,3,,,",
]
SECOND_FILE = [
    "late,bea,2022-03-09,101032,1,p1,10,3,,2022-04-05,",
    "null,ann,2022-02-01,101032,1,p1,10,3,,,",
    "date,ann,2022-03-01,101032,1,p1,10,3,,,",
    "code,ann,2022-03-02,101054,1,p1,10,3,,,",
    "profession,ann,2022-03-02,101032,1,p1,99,3,,,",
    "who,ann,2022-03-02,101032,1,p1,10,3,,,",
    "same,ann,2022-03-03,101032,1,p1,10,3,,2022-04-01,x",
    "padded,ann,2022-03-04,101032,1,p1,10,3,,,",
    "spoilt,ann,2022-02-28,101032,1,p1,10,3,,,",
    "thrice,ann,2022-03-06,101032,1,p1,10,3,,,",
]
POPULATION_HEADER = "beneficiary_id,year,birth_date,sex,increased_reimbursement,municipality_31_december"
FIRST_PEOPLE = ["ann,2022,1990-02-01,f,1,11002", "bea ,2022,,f,1,11002", "cis,2022,1950-01-01,m,,11002"]
SECOND_PEOPLE = ["ann,2022,1990-01-01, F,1,11002", "bea,2022,,f,0,11002", "cis,2022,1950-01-01,m,,11001"]


def write(folder: Path, names: tuple[str, str]) -> Path:
    """The two files of each table under these names."""
    for table, header, parts in (
        ("claims", CLAIMS_HEADER, (FIRST_FILE, SECOND_FILE)),
        ("population", POPULATION_HEADER, (FIRST_PEOPLE, SECOND_PEOPLE)),
    ):
        (folder / table).mkdir(parents=True)
        for name, lines in zip(names, parts, strict=True):
            (folder / table / name).write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return folder


@pytest.fixture(
    scope="module",
    params=[("a.csv", "b.csv"), pytest.param(("b.csv", "a.csv"), marks=pytest.mark.long)],
    ids=["in order", "turned round"],
)
def taken_in(request: pytest.FixtureRequest, console: Console, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an ingest of the two files, under either order of names."""
    folder = tmp_path_factory.mktemp("duplicates")
    source = write(folder / "input", request.param)
    said = console.run("ingest", "--input", source, "--output", folder / "output", "--set", "max_rejected_share=1")
    assert said.code == 0, said.err
    return folder


@pytest.fixture(scope="module")
def expected(taken_in: Path) -> Result:
    return compute(read_csv(taken_in / "input"), [2022], conf_dir=CONF, settings={"max_rejected_share": 1})


@pytest.mark.parametrize("table", SILVER)
def test_the_row_that_stays(taken_in: Path, expected: Result, table: str) -> None:
    assert_silver_equals(read(taken_in / "output", table), expected, table)


def test_the_choice_spelt_out(taken_in: Path) -> None:
    rows = {row["claim_id"]: row for row in read(taken_in / "output", "silver/claims")}
    assert len(rows) == len(read(taken_in / "output", "silver/claims", "claim_id")) == 11
    assert rows["late"]["beneficiary_id"] == "bea"
    assert str(rows["null"]["booking_date"]) == "2022-03-05"
    assert str(rows["date"]["service_date"]) == "2022-03-01"
    assert rows["code"]["nomenclature_code"] == 101032
    assert rows["profession"]["provider_profession"] == 99
    assert rows["who"]["beneficiary_id"] == "ann"
    assert rows["thrice"]["quantity"] == 1
    assert str(rows["spoilt"]["service_date"]) == "2022-02-28"


def test_the_losers_are_kept_as_they_came(taken_in: Path) -> None:
    # Against the reference but for one row: of two that mean the same either may be the one that goes.
    rejected = read(taken_in / "output", REJECTED)
    originals = {json.loads(row["row"]).get("claim_id"): json.loads(row["row"]) for row in rejected}
    assert originals["late"] == {
        "claim_id": "late",
        "beneficiary_id": "ann ",
        "service_date": "2022-03-01",
        "nomenclature_code": " 101032 ",
        "quantity": "1",
        "provider_id": "p1",
        "provider_profession": "10",
        "provider_competence": "3",
        "hospital_id": None,
        "booking_date": "2022-03-05",
        "remark": "  first  ",
    }
    assert originals["who"]["beneficiary_id"] == " bea"


def test_every_loser_and_its_reason(taken_in: Path, expected: Result) -> None:
    rejected = read(taken_in / "output", REJECTED)
    padded = [row for row in rejected if "padded" in row["row"]]
    assert [row["reasons"] for row in padded] == [["duplicate_claim_id"]]
    assert padded[0]["source_file"].endswith(".csv")
    kept = {"padded", " padded"} - {json.loads(padded[0]["row"])["claim_id"]}
    expected_rows = [
        (table, raw, reasons)
        for table, raw, reasons in expected.rejected
        if table != "claims" or raw["claim_id"].strip() != "padded"
    ]
    assert len(kept) == 1
    assert len(expected_rows) == len(expected.rejected) - 1
    others = Result(**{**vars(expected), "rejected": expected_rows})
    assert_rejected_equal([row for row in rejected if row not in padded], others)


def test_each_loser_names_its_file(taken_in: Path) -> None:
    texts = {path.name: path.read_text(encoding="utf-8") for path in (taken_in / "input" / "claims").iterdir()}
    for row in read(taken_in / "output", REJECTED, where="`table` = 'claims'"):
        original = json.loads(row["row"])
        line = ",".join(original[name] or "" for name in CLAIMS_HEADER.split(","))
        assert line in texts[row["source_file"].rsplit("/", 1)[1]].splitlines()


@pytest.mark.long
def test_the_order_of_the_files_does_not_matter(taken_in: Path, request: pytest.FixtureRequest) -> None:
    """What is lost is the same under both orders: compared through a note that the first order leaves."""
    lost = sorted((row["table"], row["reasons"], row["row"]) for row in read(taken_in / "output", REJECTED))
    notes = request.config.stash.setdefault(LOST, lost)
    assert notes == lost
