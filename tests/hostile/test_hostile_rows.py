"""Mutated rows through the ingest: each is accepted as the reference understands it, or rejected with its reasons.

Some hundred mutants share one ingest, because it costs seconds however small it is; each is judged by itself.
"""

import re
import shutil
from collections import Counter
from pathlib import Path

import pytest
from integration.console import Console, Said

from hostile.judge import AS_OF, Verdict, fields_of, judge, lines_of, mutants_in
from hostile.mutations import MUTANTS, SEED
from hostile.rows import Batch, batch

pytestmark = pytest.mark.integration

ROWS = MUTANTS - MUTANTS // 5
OF_A_BATCH = 400


def ingest(console: Console, source: Path, output: Path) -> Said:
    """The real command; every row may be rejected."""
    options = ["--set", "max_rejected_share=1", "--as-of", AS_OF.isoformat()]
    said = console.run("ingest", "--input", source, "--output", output, *options)
    assert not said.has_trace(), said.err
    assert said.code in (0, 2), said.err
    assert said.code == 0 or len(said.messages) == 1, said.err
    return said


def verdict_of(console: Console, mutants: Batch, folder: Path) -> Verdict:
    """Judge a batch; when the input is refused, which mutant it was is found by halves."""
    source = mutants.write(folder / "input")
    said = ingest(console, source, folder / "output")
    if said.code == 0:
        verdict = judge(mutants, source, folder / "output")
        verdict.outcomes["mutants read"] += len(mutants.mutants)
        return verdict
    assert mutants.mutants, f"sound files are refused: {said.err}"
    assert not (folder / "output" / "silver").exists()
    if len(mutants.mutants) == 1:
        return Verdict(Counter({"mutants refused": 1}))
    half = len(mutants.mutants) // 2
    verdict = Verdict()
    for name, part in (("a", mutants.mutants[:half]), ("b", mutants.mutants[half:])):
        found = verdict_of(console, Batch(mutants.headers, part), folder / name)
        verdict.outcomes += found.outcomes
        verdict.wrong += found.wrong
    return verdict


def test_every_row_is_accepted_or_rejected_as_the_reference_says(console: Console, tmp_path: Path) -> None:
    outcomes: Counter[str] = Counter()
    kinds: Counter[str] = Counter()
    failures = []
    for start in range(0, ROWS, OF_A_BATCH):
        mutants = batch(range(start, min(start + OF_A_BATCH, ROWS)))
        folder = tmp_path / f"batch{start}"
        verdict = verdict_of(console, mutants, folder)
        outcomes += verdict.outcomes
        kinds.update(mutant.kind for mutant in mutants.mutants)
        bad = mutants_in(verdict.wrong)
        failures += [
            f"number {mutant.number}, {mutant.kind} in {mutant.table}: {mutant.what}"
            for mutant in mutants.mutants
            if mutant.number in bad
        ]
        failures += verdict.wrong
        if not verdict.wrong:
            shutil.rmtree(folder)
    print(f"rows, seed {SEED}: {kinds.total()} mutants, {dict(sorted(kinds.items()))}; {dict(outcomes)}")
    assert not failures, f"seed {SEED}: {len(failures)} complaints; kept in {tmp_path}\n" + "\n".join(failures[:60])


# --- The judge itself ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("a,b,", ["a", "b", ""]),
        ('"a,b","c""d",e"f', ["a,b", 'c"d', 'e"f']),
        ('a,"b', None),
        ('"a"b,c', None),
        (' "a",""', [' "a"', ""]),
    ],
)
def test_fields_by_the_rule_of_csv(text: str, fields: list[str] | None) -> None:
    assert fields_of(text) == fields


def test_a_line_that_ends_within_quotes_is_malformed_and_nothing_else() -> None:
    (line,) = lines_of("x.csv", b'a,b\n1,"2', ["a", "b"])
    assert line.raw.text == '1,"2'


def test_what_is_lost_invented_or_changed_is_found(console: Console, tmp_path: Path) -> None:
    """A judge that cannot fail proves nothing: other files than those that were read are noticed, each by name."""
    mutants = batch(range(1_000_000, 1_000_020))
    source = mutants.write(tmp_path / "input")
    assert ingest(console, source, tmp_path / "output").code == 0
    assert judge(mutants, source, tmp_path / "output").wrong == []
    claims = source / "claims"
    sound = (claims / "sound.csv").read_text(encoding="utf-8")

    def complaints(text: str) -> list[str]:
        (claims / "sound.csv").write_text(text, encoding="utf-8")
        return judge(mutants, source, tmp_path / "output").wrong

    header, first, *others = sound.splitlines(keepends=True)
    assert len(complaints("".join([header, *others]))) == 1, "a row was invented"
    assert len(complaints(sound + first.replace("sound0", "soundless"))) == 1, "a row was lost"
    assert len(complaints(sound.replace("sound1p", "sound1q", 1).replace("sound1b", "sound1x", 1))) == 2, "a value"
    assert len(complaints(sound + re.sub(r"\d{4}-\d\d-\d\d", "2022-02-30", first))) >= 1, "a rejection"
    assert complaints(sound) == []
