"""Mutated configuration folders: settings, mappings, services, an indicator, code lists, geography."""

import csv
import io
import random
import re
import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from comparison import CONF

from hostile.mutations import TEXTS, hostile_text

INDICATOR = "indicators/stat_013_023.yaml"
YAML_FILES = ("settings.yaml", "services.yaml", "mappings/standard.yaml", INDICATOR)
CSV_FILES = (
    "codelists/gp_raadpl.csv",
    "codelists/imaging_therapeutic.csv",
    "geography/changes.csv",
    "geography/municipalities.csv",
)
CANARY = "hostile_canary"
"""A file that appears, in the working folder, when something in a configuration is run."""

_BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 10)
)
YAML_VALUES = (
    f"!!python/object/apply:os.system ['touch {CANARY}']",
    f"!!python/object/new:subprocess.Popen [['touch', '{CANARY}']]",
    "!!python/name:os.system",
    "!!python/tuple [1, 2]",
    "!!set {a, b}",
    "!!int abc",
    "!!float abc",
    "!!bool maybe",
    "!!timestamp never",
    "!!binary é",
    "!!null x",
    "!unknown x",
    "&a [*a]",
    "&a {b: *a}",
    "*nothing",
    "[" * 3000,
    "[" * 300 + "]" * 300,
    "{a: " * 60 + "1" + "}" * 60,
    "{? [1, 2] : 3}",
    "{? {a: 1} : 3}",
    "{<<: {a: 1}}",
    "{<<: 3}",
    "2022-02-30",
    "2022-13-01",
    "0000-01-01",
    "9999-12-31",
    "2022-01-01T25:61:61",
    "0x_",
    "0b_",
    "0o8",
    "09",
    "1__0",
    "1:99:99",
    "040",
    "&a 040",
    "!!int 040",
    "0o17",
    "1:30",
    "1e3",
    "NO",
    "{yes: 1, 040: 2, 9999-12-31: 3}",
    "{&a no: *a}",
    "-.inf",
    ".nan",
    ".inf",
    "1e400",
    "9" * 50,
    "-" + "9" * 50,
    "9" * 5000,
    "~",
    "null",
    "[]",
    "{}",
    "yes",
    "true",
    "''",
    '"\\ud800"',
    '"\\0"',
    '"\\x1b[2J"',
    "'unfinished",
    '"unfinished',
    "| \n  text",
    ">-",
    "{{x}}",
    "%TAG x",
    "@x",
    "`x`",
    "'[('",
    "'(?P<a>x)'",
    "'(a+)+$'",
    "'\\p{Nope}'",
    *(f"'{text}'" for text in ("../../etc/passwd", "x`; DROP TABLE y; --", "=cmd|calc", "/dev/null", "/")),
)
YAML_DOCUMENTS = (
    "",
    "---\n...\n",
    "- a\n- b\n",
    "just text",
    _BOMB,
    "&a\na: *a\n",
    "a: &a\n  b: *a\n",
    "? ? ? ? a\n",
    "a: 1\n---\na: 2\n",
    "[" * 5000,
    "a:\n" * 50,
    "\t- a",
    "%YAML 9.9\n---\na: 1\n",
    f"!!python/object/apply:os.system ['touch {CANARY}']",
    "null",
    "? !!python/tuple [a]\n: b\n",
    "2022-02-30: x\n",
)


@dataclass
class ConfigurationMutant:
    """A spoilt folder, the settings to override, and what was done, in short."""

    folder: Path
    overrides: list[str] = field(default_factory=list)
    what: list[str] = field(default_factory=list)

    def change(self, name: str, data: bytes, what: str) -> None:
        """Write a file anew."""
        (self.folder / name).write_bytes(data)
        self.what.append(f"{name}: {what[:200]}")

    def text(self, name: str) -> str:
        """A file as it stands; what is not UTF-8 by now is replaced."""
        return (self.folder / name).read_bytes().decode("utf-8", "replace")


def small_configuration(folder: Path) -> Path:
    """The shipped configuration with one indicator and a few municipalities, so that it loads fast."""
    shutil.copytree(CONF, folder, ignore=shutil.ignore_patterns("cube_*", "stat_013_024*", "synthetic", "*.md"))
    file = folder / INDICATOR
    file.write_text(re.sub(r"(?m)^related:.*$\n?", "", file.read_text(encoding="utf-8")), encoding="utf-8")
    # Those that the shipped changes name must stay.
    changes = (folder / "geography/changes.csv").read_text(encoding="utf-8")
    file = folder / "geography/municipalities.csv"
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    kept = [line for number, line in enumerate(lines) if number < 20 or line[:5] in changes]
    file.write_text("".join(kept), encoding="utf-8")
    return folder


def mutate(mutant: ConfigurationMutant, dice: random.Random) -> str:
    """Spoil a copy of the small configuration once or twice; gives back the kind of the last change."""
    kind = ""
    for _ in range(dice.choice((1, 1, 1, 2))):
        kind = dice.choice(list(KINDS))
        # What the first change left may be beyond the second.
        with suppress(csv.Error, OSError, ValueError):
            KINDS[kind](mutant, dice)
    return kind


def _yaml_value(mutant: ConfigurationMutant, dice: random.Random) -> None:
    name = dice.choice(YAML_FILES)
    lines = mutant.text(name).splitlines(keepends=True)
    keyed = [number for number, line in enumerate(lines) if re.match(r"\s*[\w]+:", line)]
    if not keyed:
        return
    number = dice.choice(keyed)
    value = dice.choice(YAML_VALUES) if dice.random() < 0.7 else hostile_text(dice)
    lines[number] = lines[number].partition(":")[0] + f": {value}\n"
    mutant.change(name, "".join(lines).encode("utf-8", "surrogatepass"), lines[number])


def _yaml_line(mutant: ConfigurationMutant, dice: random.Random) -> None:
    name = dice.choice(YAML_FILES)
    lines = mutant.text(name).splitlines(keepends=True) or [""]
    number = dice.randrange(len(lines))
    turn = dice.random()
    if turn < 0.3:
        del lines[number]
    elif turn < 0.5:
        lines.insert(number, lines[number])
    elif turn < 0.8:
        lines.insert(number, f"{hostile_text(dice)}: {dice.choice(YAML_VALUES)}\n")
    else:
        lines[number] = re.sub(r"\w+", lambda _: hostile_text(dice), lines[number], count=1)
    mutant.change(name, "".join(lines).encode(), f"line {number + 1}")


def _yaml_document(mutant: ConfigurationMutant, dice: random.Random) -> None:
    text = dice.choice(YAML_DOCUMENTS)
    if dice.random() < 0.5:
        name = dice.choice(YAML_FILES)
        mutant.change(name, (text + mutant.text(name)).encode(), f"before it {text[:60]!r}")
    else:
        mutant.change(dice.choice(YAML_FILES), text.encode(), repr(text[:60]))


def _csv_cell(mutant: ConfigurationMutant, dice: random.Random) -> None:
    name = dice.choice(CSV_FILES)
    rows = list(csv.reader(io.StringIO(mutant.text(name))))
    row = dice.choice(rows)
    if not row:
        return
    column = dice.randrange(len(row))
    row[column] = dice.choice((hostile_text(dice), "9" * 5000, "x" * 200_000))
    out = io.StringIO()
    csv.writer(out, quoting=dice.choice((csv.QUOTE_MINIMAL, csv.QUOTE_ALL)), lineterminator="\n").writerows(rows)
    mutant.change(name, out.getvalue().encode(), f"column {column} {row[column]!r}")


def _csv_line(mutant: ConfigurationMutant, dice: random.Random) -> None:
    name = dice.choice(CSV_FILES)
    lines = mutant.text(name).splitlines(keepends=True) or [""]
    number = dice.choice((0, dice.randrange(len(lines))))
    turn = dice.random()
    if turn < 0.25:
        del lines[number]
    elif turn < 0.5:
        lines.insert(number, dice.choice(lines))
    elif turn < 0.75:
        lines[number] = lines[number].replace(",", dice.choice((";", "\t", ",,", '","', '"', "\r", "\x00")), 1)
    else:
        lines[number] = ",".join(sorted(lines[number].strip().split(","), key=lambda _: dice.random())) + "\n"
    mutant.change(name, "".join(lines).encode(), f"line {number + 1}")


def _bytes(mutant: ConfigurationMutant, dice: random.Random) -> None:
    name = dice.choice((*YAML_FILES, *CSV_FILES))
    data = bytearray((mutant.folder / name).read_bytes())
    for _ in range(dice.choice((1, 1, 5, 50))):
        position = dice.randrange(len(data) + 1)
        data[position : position + dice.randrange(3)] = dice.choice(
            (b"\x00", b"\xff", b"\r", b'"', b":", bytes([dice.randrange(256)]))
        )
    if dice.random() < 0.2:
        del data[dice.randrange(len(data)) :]
    mutant.change(name, bytes(data), "bytes")


def _encoding(mutant: ConfigurationMutant, dice: random.Random) -> None:
    name = dice.choice((*YAML_FILES, *CSV_FILES))
    encoding = dice.choice(("utf-16", "utf-16-le", "utf-32", "latin-1", "utf-8-sig", "utf-7", "cp037"))
    mutant.change(name, (mutant.text(name) + "# é").encode(encoding, "replace"), encoding)


def _override(mutant: ConfigurationMutant, dice: random.Random) -> None:
    names = ("episode_gap_days", "mapping", "geography.levels", "geography.sector_table", "geography.sector_pattern")
    names += ("first_service_date", "max_rejected_share", "postnatal_window.last_day", "age_categories.deliveries")
    name = dice.choice((*names, hostile_text(dice), "geography.", ".", "a.b.c"))
    value = dice.choice(YAML_VALUES) if dice.random() < 0.6 else hostile_text(dice)
    mutant.overrides.append(dice.choice((f"{name}={value}", f"{name} {value}", f" {name} = {value}")))
    mutant.what.append(f"--set {mutant.overrides[-1][:200]}")


def _path(mutant: ConfigurationMutant, dice: random.Random) -> None:
    mutant.what.append("paths")
    turn = dice.randrange(6)
    if turn == 0:
        mutant.overrides.append(
            f"mapping={dice.choice(('../settings', '/etc/passwd', 'a/b', '..', 'standard.yaml', 'x'))}"
        )
    elif turn == 1:
        mutant.overrides.append(f"geography.sector_table={dice.choice(('/etc/passwd', '/', '/dev/null', '../x', '.'))}")
    elif turn == 2:
        (mutant.folder / "codelists" / (dice.choice(("a`b", "x y", "'; --", "é", "=cmd")) + ".csv")).write_text(
            "list\n"
        )
    elif turn == 3:
        name = dice.choice((*YAML_FILES, *CSV_FILES))
        (mutant.folder / name).unlink(missing_ok=True)
        (mutant.folder / name).mkdir()
    elif turn == 4:
        name = dice.choice((*YAML_FILES, *CSV_FILES))
        (mutant.folder / name).unlink(missing_ok=True)
        (mutant.folder / name).symlink_to(
            dice.choice((name.rpartition("/")[2], "/nowhere", "/etc/hostname", "/dev/null"))
        )
    else:
        folder = dice.choice(("codelists", "indicators", "mappings", "geography"))
        shutil.rmtree(mutant.folder / folder)
        if dice.random() < 0.5:
            (mutant.folder / folder).write_text(dice.choice(TEXTS), encoding="utf-8")


KINDS: dict[str, Callable[[ConfigurationMutant, random.Random], None]] = {
    "yaml_value": _yaml_value,
    "yaml_line": _yaml_line,
    "yaml_document": _yaml_document,
    "csv_cell": _csv_cell,
    "csv_line": _csv_line,
    "bytes": _bytes,
    "encoding": _encoding,
    "override": _override,
    "path": _path,
}
