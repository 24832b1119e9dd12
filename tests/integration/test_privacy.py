"""Who looks for a person finds nothing outside `silver/`; and with a key of pseudonyms no id there either.

The input has ids, birth dates and numbers of providers that stand nowhere else. Runs of every end are made: done,
stopped by a gate, refused, failed. Then every file that they left is searched.
"""

import gzip
import hashlib
import hmac
import json
import os
import shutil
import stat
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from comparison import DELIVERIES, GOLD, REJECTED, SILVER, content, last_record, read
from integration.console import JAVA_OPTIONS, Console, Said

from benchmarks import eventlog

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.long]

KEY = "NEEDLEKEY: thirty-two bytes, or more of them"

PERSONS = [f"NEEDLEBEN{number:04d}" for number in range(1, 7)]
PROVIDERS = ["NEEDLEPRO01", "NEEDLEPRO02"]
LINES = ["NEEDLECLAIM", "NEEDLESTAY"]
BIRTHS = ["1987-11-23", "1979-08-17", "1991-01-29", "1983-05-31", "19870231", "1950-10-07"]
OTHERS = ["NEEDLEREMARK", "NEEDLEDATE", "NEEDLESEX"]
NEEDLES = [*PERSONS, *PROVIDERS, *LINES, *BIRTHS, *OTHERS]

ANN, BEA, CLEO, DORA, ELLE, FAY = PERSONS
CLAIMS = f"""\
claim_id,beneficiary_id,service_date,nomenclature_code,quantity,provider_id,provider_competence,hospital_id,remark
NEEDLECLAIM01,{ANN},2022-03-01,424104,1,NEEDLEPRO01,,71012345,NEEDLEREMARK
NEEDLECLAIM02, {ANN} ,2022-03-20,101032,1,NEEDLEPRO02,1,,
NEEDLECLAIM03,{BEA},2022-05-01,424104,1,NEEDLEPRO01,,71012345,of {BEA}
NEEDLECLAIM04,{BEA},2022-05-02,589013,2,NEEDLEPRO02,,71012345,
NEEDLECLAIM05,{BEA},2021-05-02,589013,1,,,,
NEEDLECLAIM06,{CLEO},2022-06-07,423021,1,NEEDLEPRO01,,71012345,
NEEDLECLAIM07,{CLEO},2022-06-20,101032,1,NEEDLEPRO02,1,,
NEEDLECLAIM08,{CLEO},2023-02-20,101032,1,NEEDLEPRO02,1,,
NEEDLECLAIM01,{ANN},2022-03-01,424104,1,NEEDLEPRO01,,71012345,twice NEEDLEREMARK
NEEDLECLAIM09,{DORA},NEEDLEDATE,424104,1,NEEDLEPRO01,,,
NEEDLECLAIM10,{DORA},2022-02-30,424104,1,NEEDLEPRO01,,,of {DORA}
NEEDLECLAIM11,{DORA},2022-02-03,42410x,1,NEEDLEPRO01,,,
,{DORA},2022-02-03,424104,1,NEEDLEPRO01,,,
NEEDLECLAIM12,{ELLE},2022-02-03,424104,1
NEEDLECLAIM13,{ELLE},2022-02-03,424104,1,NEEDLEPRO01,,,,,{BIRTHS[0]}
NEEDLECLAIM14,{ELLE},2022-02-03,424104{",1987-11-23" * 25_000}
"""
POPULATION = "beneficiary_id,year,birth_date,sex,municipality_31_december\n" + "".join(
    f"{ANN},{year},1987-11-23,f,11002\n{BEA},{year},1979-08-17,NEEDLESEX,21004\n{CLEO},{year},1991-01-29,f,62063\n"
    f"{DORA},{year},1983-05-31,f,62063\n{DORA},{year},1950-10-07,f,62063\n{FAY},{year},19870231,f,21004\n"
    for year in (2021, 2022, 2023)
)
STAYS = f"""\
stay_id,beneficiary_id,admission_date,discharge_date,hospital_id
NEEDLESTAY1,{ANN},2022-03-01,2022-03-04,71012345
NEEDLESTAY2,{BEA},2022-05-04,2022-05-01,71012345
"""
ADDED = f"""\
{CLAIMS.partition(chr(10))[0]}
NEEDLECLAIM02,{ANN},2022-03-20,101032,2,NEEDLEPRO02,1,,corrected
NEEDLECLAIM15,{CLEO},2022-12-07,424104,1,NEEDLEPRO01,,71012345,NEEDLEREMARK
NEEDLECLAIM16,{DORA},NEEDLEDATE,424104,1,NEEDLEPRO01,,,of {DORA}
"""
REJECTED_ROWS = {"claims": 8, "population": 6, "hospital_stays": 1}
YEAR = ("--year", "2022")


@dataclass
class Runs:
    """What a process left: `made` is all that it wrote, `output` the tables, `said` each command's end.

    `gold`: the cells of the first run. `open_to_others`: its temporary files that others might read.
    """

    made: Path
    output: Path
    said: dict[str, Said] = field(default_factory=dict)
    open_to_others: list[Path] = field(default_factory=list)
    gold: dict[str, Counter[tuple[tuple[str, Any], ...]]] = field(default_factory=dict)


def write_input(folder: Path) -> Path:
    (folder / "claims").mkdir(parents=True)
    (folder / "claims" / "a.csv").write_text(CLAIMS, encoding="utf-8")
    (folder / "population.csv").write_text(POPULATION, encoding="utf-8")
    (folder / "hospital_stays.csv").write_text(STAYS, encoding="utf-8")
    return folder


def without_header(folder: Path) -> Path:
    """As is: the first line is a person's."""
    (folder / "claims" / "a.csv").write_text(CLAIMS.partition("\n")[2], encoding="utf-8")
    return folder


def a_value_twice(folder: Path) -> Path:
    """No header, and a first line with one value twice."""
    (folder / "population.csv").write_text(f"{ANN},{ANN},1987-11-23,1987-11-23\n", encoding="utf-8")
    return folder


def no_parquet(folder: Path) -> Path:
    """Text under the name of another format."""
    shutil.rmtree(folder / "claims")
    (folder / "claims.parquet").write_text(CLAIMS, encoding="utf-8")
    return folder


def too_many_fields(folder: Path) -> Path:
    """A line that Spark's reader of CSV gives up on."""
    line = f"NEEDLECLAIM99,{ANN}" + ",1987-11-23" * 101_000
    (folder / "claims" / "b.csv").write_text(f"{CLAIMS}{line}\n", encoding="utf-8")
    return folder


REFUSED = (without_header, a_value_twice, no_parquet, too_many_fields)


def open_to_others(folder: Path) -> Iterator[Path]:
    """The files below a folder that others would get at, if they got at the folder."""
    for path in folder.iterdir():
        if path.is_dir() and path.stat().st_mode & stat.S_IRWXO:
            yield from open_to_others(path)
        elif path.is_file() and path.stat().st_mode & stat.S_IROTH:
            yield path


def run_all(folder: Path, **variables: str) -> Runs:
    """Every kind of run in one process, whose temporary folders are in `made` too.

    What only reads is not repeated for a process with variables of its own.
    """
    source, made = write_input(folder / "input"), folder / "made"
    log, temporary, output = made / "eventlog", made / "tmp", made / "output"
    for there in (log, temporary):
        there.mkdir(parents=True)
    settings = {
        **eventlog.settings(log),
        "spark.driver.extraJavaOptions": f"{JAVA_OPTIONS} -Djava.io.tmpdir={temporary}",
        # Many exchanges, in files of the temporary folders.
        "spark.sql.shuffle.partitions": "2",
    }
    console = Console(made / "console", settings, {"TMPDIR": str(temporary), **variables})
    runs = Runs(made, output)
    lax = ("--set", "max_rejected_share=1")
    try:
        runs.said["run"] = console.run("run-year", "--input", source, "--output", output, *YEAR, *lax, "--json")
        runs.open_to_others = list(open_to_others(temporary))
        runs.gold = content(output, GOLD)
        added, delivery = shutil.copytree(output, made / "added"), folder / "claims.csv"
        delivery.write_text(ADDED, encoding="utf-8")
        addition = ("run-year", "--add", "--claims", delivery, "--output", added, *YEAR)
        runs.said["refused addition"] = console.run(*addition)
        runs.said["addition"] = console.run(*addition, *lax, "--allow-drift")
        runs.said["check"] = console.run("check", "--output", added)
        runs.said["rollback"] = console.run("rollback", "--output", added)
        if not variables:
            shorter = (*lax, "--set", "postnatal_window.last_day=10")
            runs.said["again"] = console.run("run-year", "--output", output, *YEAR, *shorter)
            cell = ("--indicator", "cube_007_008a", *YEAR, "--geo", "01000")
            runs.said["explain"] = console.run("explain", "--output", output, *cell)
            first, second = sorted(read(output, "gold/runs", "run_id, started_at"), key=lambda row: row["started_at"])
            pair = ("--from", first["run_id"], "--to", second["run_id"])
            runs.said["diff"] = console.run("diff", "--output", output, *pair, "--cells", made / "cells.csv")
            runs.said["describe"] = console.run("describe", "--output", made / "sheets")
        runs.said["gate"] = console.run("run-year", "--input", source, "--output", output, *YEAR)
        for spoil in REFUSED:
            spoilt = spoil(Path(shutil.copytree(source, folder / spoil.__name__)))
            runs.said[spoil.__name__] = console.run(
                "ingest", "--input", spoilt, "--output", made / spoil.__name__, *lax
            )
        kept = shutil.copytree(output, made / "damaged")
        for file in Path(kept, "silver", "claims").rglob("*.parquet"):
            file.write_bytes(CLAIMS.encode())
            file.with_name(f".{file.name}.crc").unlink(missing_ok=True)
        runs.said["failed"] = console.run("deliveries", "--output", kept, *YEAR)
        for file in Path(kept, "silver", "claims").rglob("*.parquet"):
            file.unlink()
    finally:
        console.close()
    return runs


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Runs:
    return run_all(tmp_path_factory.mktemp("plain"))


@pytest.fixture(scope="module")
def keyed(tmp_path_factory: pytest.TempPathFactory) -> Runs:
    return run_all(tmp_path_factory.mktemp("keyed"), CLAIMATLAS_PSEUDONYM_KEY=KEY)


# --- Searching ----------------------------------------------------------------------------------------


def forms(file: Path) -> Iterator[bytes]:
    """A file's name and bytes, and what is in it where it is compressed."""
    yield str(file).encode()
    data = file.read_bytes()
    yield data
    if data[:4] == data[-4:] == b"PAR1":
        yield "\n".join(str(column.to_pylist()) for column in pq.read_table(file, partitioning=None).columns).encode()
        yield str(pq.read_metadata(file).to_dict()).encode()
    if data[:2] == b"\x1f\x8b":
        yield gzip.decompress(data)


def is_the_limit(event: str) -> bool:
    """The one thing of which Spark itself writes into an event log what it read: a line that it gave up on."""
    return "MALFORMED_CSV_RECORD" in event and json.loads(event)["Event"] == "SparkListenerTaskEnd"


def without_the_limit(log: Path) -> bytes:
    """An event log but for what the README says of it."""
    return "".join(event for event in log.open(encoding="utf-8") if not is_the_limit(event)).encode()


def found(folder: Path, needles: list[str] | list[bytes], *left_out: str) -> dict[str, set[bytes]]:
    """The files below a folder that hold one of the needles, in whatever case; some folders' names left out."""
    wanted = [needle if isinstance(needle, bytes) else needle.encode() for needle in needles]
    wanted += [needle.decode().encode("utf-16-le") for needle in wanted if needle.isascii()]
    hits: dict[str, set[bytes]] = {}
    looked_at = 0
    for file in sorted(folder.rglob("*")):
        path = file.relative_to(folder)
        if not file.is_file() or set(left_out) & set(path.parts):
            continue
        looked_at += 1
        is_log = file.parent.name == "eventlog"
        texts = [text.lower() for text in ([without_the_limit(file)] if is_log else forms(file))]
        hit = {needle for needle in wanted if any(needle.lower() in text for text in texts)}
        if hit:
            hits[str(path)] = hit
    assert looked_at > 20
    return hits


def test_every_run_ended_as_it_should(plain: Runs, keyed: Runs) -> None:
    for runs in (plain, keyed):
        codes = {name: said.code for name, said in runs.said.items()}
        looks = ("again", "explain", "diff", "describe") if runs is plain else ()
        done = dict.fromkeys(("run", "addition", "rollback", *looks), 0)
        beyond = dict.fromkeys(("gate", "refused addition", "check"), 3)
        refused = {spoil.__name__: 2 for spoil in REFUSED}
        assert codes == {**done, **beyond, **refused, "failed": 1}, [said.err for said in runs.said.values()]
        assert not any(said.has_trace() for said in runs.said.values())


def test_the_needles_are_there_to_be_found(plain: Runs) -> None:
    """Else the searches below would find nothing for another reason."""
    silver = found(plain.output / "silver", NEEDLES)
    assert {needle.decode() for hits in silver.values() for needle in hits} >= set(NEEDLES) - {"NEEDLESEX"}
    assert {"_delta_log", "claims", "population", "rejected"} <= {part for path in silver for part in Path(path).parts}


def test_event_logs_are_whole(plain: Runs, keyed: Runs) -> None:
    for runs in (plain, keyed):
        (log,) = (runs.made / "eventlog").iterdir()
        text = log.read_text(encoding="utf-8")
        assert "SparkListenerApplicationEnd" in text
        assert "beneficiary_id" in text
        # As the README has it.
        assert any(map(is_the_limit, text.splitlines()))


def test_nothing_of_a_person_outside_silver(plain: Runs) -> None:
    assert found(plain.made, NEEDLES, "silver") == {}


def test_nothing_of_a_person_outside_silver_with_a_key(keyed: Runs) -> None:
    assert found(keyed.made, NEEDLES, "silver") == {}


def test_with_a_key_no_id_is_anywhere(keyed: Runs) -> None:
    assert found(keyed.made, [*PERSONS, *PROVIDERS, "NEEDLEREMARK"]) == {}


def test_the_key_is_nowhere(keyed: Runs) -> None:
    padded = KEY.encode().ljust(64, b"\0")
    blocks = [bytes(byte ^ mask for byte in padded) for mask in (0x36, 0x5C)]
    hidden = [KEY.encode(), KEY.encode().hex().encode(), *blocks, *[block.hex().encode() for block in blocks]]
    hidden += [", ".join(map(str, block[:16])).encode() for block in blocks]
    assert found(keyed.made, hidden) == {}
    assert "NEEDLEKEY" not in "".join(said.everything for said in keyed.said.values())


def test_temporary_files_are_closed_to_others_and_gone_at_the_end(plain: Runs, keyed: Runs) -> None:
    for runs in (plain, keyed):
        # Of what others may read there are Java's own libraries alone.
        assert [path for path in runs.open_to_others if ".so" not in path.suffixes] == []
        assert [path for path in (runs.made / "tmp").rglob("*") if path.is_file()] == []
        assert [path.name for path in (runs.made / "tmp").iterdir()] == [f"claimatlas-{os.geteuid()}"]


def test_silver_is_for_its_owner_alone(plain: Runs, keyed: Runs) -> None:
    for runs in (plain, keyed):
        assert stat.S_IMODE((runs.output / "silver").stat().st_mode) == 0o700
        assert stat.S_IMODE((runs.output / "gold").stat().st_mode) != 0o700


# --- What a key changes, and what not ----------------------------------------------------------------


def pseudonym(text: str) -> str:
    return hmac.new(KEY.encode(), text.encode(), hashlib.sha256).hexdigest()


def test_pseudonyms_are_the_same_in_every_table(keyed: Runs) -> None:
    for name in (*SILVER, DELIVERIES):
        ids = {row["beneficiary_id"] for row in read(keyed.output, name, "beneficiary_id")}
        assert pseudonym(ANN) in ids
        assert ids <= {pseudonym(person) for person in PERSONS}
    providers = {row["provider_id"] for row in read(keyed.output, "silver/claims", "provider_id")}
    assert providers == {None, *map(pseudonym, PROVIDERS)}


def test_the_key_changes_no_figure(plain: Runs, keyed: Runs) -> None:
    assert plain.gold == keyed.gold
    assert set(plain.gold) == set(GOLD)
    counts = [json.loads(runs.said["run"].out)["counts"] for runs in (plain, keyed)]
    assert counts[0] == counts[1]
    assert {table: counts[0][f"ingest.{table}"]["rejected"] for table in REJECTED_ROWS} == REJECTED_ROWS


def test_rejected_rows_are_whole_or_with_pseudonyms(plain: Runs, keyed: Runs) -> None:
    whole, hidden = (
        [(row["table"], tuple(row["reasons"]), json.loads(row["row"])) for row in read(runs.output, REJECTED)]
        for runs in (plain, keyed)
    )
    assert len(whole) == len(hidden) == sum(REJECTED_ROWS.values())

    def hide(row: dict[str, str | None]) -> dict[str, object]:
        if "malformed_row" in row:
            line = row["malformed_row"] or ""
            return {"malformed_row": pseudonym(line), "commas": line.count(",")}
        ids = {name: pseudonym(text.strip()) for name in ("beneficiary_id", "provider_id") if (text := row.get(name))}
        return {**{name: value for name, value in row.items() if name != "remark"}, **ids}

    expected = [(table, reasons, hide(row)) for table, reasons, row in whole]
    assert sorted(map(str, hidden)) == sorted(map(str, expected))


def test_the_record_names_the_key_by_its_fingerprint(plain: Runs, keyed: Runs) -> None:
    fingerprint = hmac.new(KEY.encode(), b"claimatlas: which key", hashlib.sha256).hexdigest()[:8]
    for runs, name in ((plain, None), (keyed, fingerprint)):
        record = json.loads(runs.said["run"].out)
        assert record["pseudonym_key"] == record["silver"]["pseudonym_key"] == name
        assert last_record(runs.output)["outcome"] == "gate"
