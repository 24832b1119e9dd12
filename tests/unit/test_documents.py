"""The documents: generated parts are current, links and rule numbers resolve, commands and examples are understood."""

import importlib
import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest
import yaml
from claimatlas.cli import COMMANDS, parser_of
from claimatlas.configuration import load_configuration
from claimatlas.configuration.model import Declaration
from claimatlas.configuration.settings import Settings
from claimatlas.conventions import Z

from scripts.documents import commands, keys, method
from scripts.documents.markdown import anchors, fences, links
from scripts.documents.pages import ROOT, generated, pages, render, rendered

SHEETS = sorted((ROOT / "docs" / "indicators").rglob("*.md"))
PAGES = pages()
METHOD = ROOT / "docs" / "method.md"


def name_of(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


# --- What is generated -------------------------------------------------------------------------------


@pytest.mark.parametrize("file", generated(), ids=name_of)
def test_generated_parts_are_current(file: Path) -> None:
    assert file.read_text(encoding="utf-8") == rendered(file), f"{name_of(file)} is not current: run make docs"


def test_a_block_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="no block 'elsewhere'"):
        render("<!-- begin elsewhere -->\n<!-- end -->\n", METHOD)


def test_a_block_is_written_anew() -> None:
    text = "before\n<!-- begin make-targets -->\nold\n<!-- end -->\nafter\n"
    assert "| `make test` |" in render(text, METHOD)
    assert "old" not in render(text, METHOD)
    assert render(render(text, METHOD), METHOD) == render(text, METHOD)


def test_nothing_is_described_that_is_not_there() -> None:
    assert keys.unused_descriptions() == set()


def _all_below(model: type[Declaration]) -> set[str]:
    """The models of the package that are made from a model; tests may have made others."""
    ours = [below for below in model.__subclasses__() if below.__module__.startswith("claimatlas.")]
    return {name for below in ours for name in {below.__name__, *_all_below(below)}}


def test_every_declaration_of_the_configuration_is_in_a_reference() -> None:
    for file in (ROOT / "lib/claimatlas/configuration").glob("*.py"):
        importlib.import_module(f"claimatlas.configuration.{file.stem}")
    described = {owner for model in keys.MODELS.values() for _, owner, _, _ in keys.fields_of(model)}
    assert _all_below(Declaration) - described == set(), "name the model in MODELS of scripts/documents/keys.py"


def test_every_model_has_its_table_on_a_page() -> None:
    blocks = {
        block for file in PAGES for block in re.findall(r"<!-- begin keys (\w+)", file.read_text(encoding="utf-8"))
    }
    assert set(keys.MODELS) - blocks == {"Settings"}, "settings have a block of their own, with the shipped values"


def test_every_variable_is_described() -> None:
    assert set(keys.descriptions()["variables"]) == commands.variables_in_use()


def test_every_key_of_the_shipped_settings_is_in_the_reference() -> None:
    def dotted(value: object, start: str = "") -> Iterator[str]:
        if (
            isinstance(value, dict)
            and "stop" not in value
            and start not in ("plausible_age", "plausible_age_at_delivery")
        ):
            for key, below in value.items():
                # Of what is declared by name the reference has the keys once.
                name = "NAME" if start == "provider_attributes" else str(key)
                yield from dotted(below, f"{start}.{name}" if start else name)
        else:
            yield start

    shipped = yaml.safe_load((ROOT / "conf" / "settings.yaml").read_text(encoding="utf-8"))
    missing = (
        set(dotted(shipped))
        - anchors((ROOT / "docs/reference/settings.md").read_text(encoding="utf-8"))
        - {
            "null_texts",
            "date_sentinels",
        }
    )
    assert missing == set()


def test_examples_of_settings_are_understood() -> None:
    shipped = load_configuration().settings
    examples = [
        example
        for dotted, owner, key, _ in keys.fields_of(Settings)
        if (example := str(keys.described(owner, key).get("example", ""))).partition("=")[0].startswith(dotted)
    ]
    assert len(examples) > 40
    # The file of sectors that is named is not there.
    for example in examples:
        if "sector_table" not in example:
            assert load_configuration(None, [example]).settings != shipped, example


# --- The method --------------------------------------------------------------------------------------


def _cited_in_code() -> Iterator[tuple[str, str]]:
    """Every "section n" of a comment or a text: where it is, and the number."""
    numbers = re.compile(r"\bsections? (\d(?:\.\d+)?)((?:(?:,| and| to|, and) \d(?:\.\d+)?)*)")
    for folder in ("lib", "conf", "jobs", "tests", "benchmarks", "docs", "scripts"):
        for file in (ROOT / folder).rglob("*"):
            # The raw files of an example are as the field writes them: some in Latin-1.
            if file.suffix not in (".py", ".yaml", ".md", ".csv") or file == Path(__file__) or "input" in file.parts:
                continue
            for found in numbers.finditer(file.read_text(encoding="utf-8")):
                for number in [found[1], *re.findall(r"\d(?:\.\d+)?", found[2])]:
                    yield name_of(file), number


def test_every_section_that_is_cited_is_in_the_method() -> None:
    there = anchors(METHOD.read_text(encoding="utf-8"))
    cited = list(_cited_in_code())
    assert len(cited) > 40
    assert [(file, number) for file, number in cited if number not in there] == []


def test_every_scenario_stands_under_each_rule_that_it_cites() -> None:
    text = METHOD.read_text(encoding="utf-8")
    for numbers, title, file in method.all_scenarios():
        for number in numbers:
            _, heading, after = text.partition(f"\n### {number} ")
            assert heading, f"{name_of(file)}: the method has no rule {number}"
            rule = after.partition("\n### ")[0]
            assert f"- [{title}](../{name_of(file)})" in rule, f"{name_of(file)}: not under rule {number}"


def test_the_rule_of_two_billings_names_its_setting_and_its_scenarios() -> None:
    rule = METHOD.read_text(encoding="utf-8").partition("\n### 3.3 ")[2].partition("\n### ")[0]
    assert "day 31 starts a new delivery" in rule
    assert "reference/settings.md#episode_gap_days) = `30`" in rule
    assert "tests/spec/3_deliveries/table_1_day_30.yaml" in rule


def test_every_decision_of_the_settings_is_in_the_method() -> None:
    """Settings that change a figure; names of files and bounds of checks change none."""
    named = set(re.findall(r"reference/settings\.md#([a-z_.]+)\) =", METHOD.read_text(encoding="utf-8")))
    deciding = {name for name in Settings.model_fields if name not in ("checks", "languages", "tables")}
    assert {name.partition(".")[0] for name in named} == deciding


# --- Links -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("file", [*PAGES, *SHEETS], ids=name_of)
def test_links_resolve(file: Path) -> None:
    broken = []
    for target in links(file.read_text(encoding="utf-8")):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, fragment = unquote(target).partition("#")
        other = (file.parent / path).resolve() if path else file
        if not other.exists() or (
            fragment and fragment not in anchors(other.read_text(encoding="utf-8") if other.is_file() else "")
        ):
            broken.append(target)
    assert broken == []


def test_a_broken_link_is_seen() -> None:
    text = '# One thing\n\n## One thing\n\n<a id="own"></a> [there](#one-thing-1) ![picture](no.svg)\n'
    assert list(links(text)) == ["#one-thing-1", "no.svg"]
    assert anchors(text) == {"one-thing", "one-thing-1", "own"}


def test_every_page_is_in_the_index() -> None:
    index = ROOT / "docs" / "README.md"
    there = {(index.parent / target.partition("#")[0]).resolve() for target in links(index.read_text(encoding="utf-8"))}
    records = {file for file in PAGES if file.parent.name == "decisions" and file.name != "README.md"}
    expected = {file for file in PAGES if ROOT / "docs" in file.parents} - {index} - records
    assert {name_of(file) for file in expected - there} == set()


# --- Commands ----------------------------------------------------------------------------------------


def _command_lines() -> Iterator[tuple[str, list[str]]]:
    """Every call of a command in a page's blocks of code: where it is, and its words from the command's name on."""
    called = re.compile(r"(?:\bclaimatlas |jobs/)(?P<name>[a-z_-]+)(?:\.py)?(?P<rest>(?: [^\n]*)?)$")
    for file in PAGES:
        if file.name == "CHANGELOG.md":
            continue
        for block in fences(file):
            for line in block.replace("\\\n", " ").splitlines():
                found = called.search(line.partition("  #")[0].strip())
                if found and found["name"].replace("_", "-") in COMMANDS:
                    yield name_of(file), [found["name"].replace("_", "-"), *shlex.split(found["rest"])]


CALLS = list(_command_lines())


def test_there_are_calls_to_look_at() -> None:
    assert len(CALLS) > 20
    assert {name for name, _ in CALLS} >= {"README.md", "docs/reliability.md"}


@pytest.mark.parametrize(("file", "call"), CALLS, ids=[f"{file}: {' '.join(call)}" for file, call in CALLS])
def test_commands_in_the_documents_are_understood(file: str, call: list[str]) -> None:
    parser = parser_of(call[0])
    known = {option for action in parser._actions for option in action.option_strings}
    given = [word.partition("=")[0] for word in call[1:] if word.startswith("--")]
    assert [option for option in given if option not in known] == []
    if "…" not in call:
        required = [action.option_strings[0] for action in parser._actions if action.required and action.option_strings]
        assert [option for option in required if option not in given] == []


OF_OTHERS = {"--py-files", "--packages", "--jars", "--engine"}
"""Options of spark-submit and of the tests."""
FORMER = {"--accept-columns", "--accept-jumps", "--everything"}
"""Former names, which the changelog gives; the commands take them for one version."""


def test_options_in_the_documents_exist() -> None:
    actions = [action for name in COMMANDS for action in parser_of(name)._actions]
    known = {option for action in actions for option in action.option_strings}
    named = {
        (name_of(file), option)
        for file in PAGES
        if file.parts[len(ROOT.parts)] not in ("deploy", "benchmarks")
        for option in re.findall(r"`(--[a-z-]+)", file.read_text(encoding="utf-8"))
    }
    assert {(file, option) for file, option in named if option not in known | OF_OTHERS | FORMER} == set()
    assert {option for _, option in named} >= OF_OTHERS
    assert {file for file, option in named if option in FORMER} == {"CHANGELOG.md"}


def test_make_targets_in_the_documents_exist() -> None:
    there = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = {
        (name_of(file), target)
        for file in PAGES
        for target in re.findall(r"(?:^|`)make ([a-z-]+)", file.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert len(named) > 10
    assert {(file, target) for file, target in named if target not in there} == set()


# --- Examples ----------------------------------------------------------------------------------------


def test_the_new_indicator_of_the_guide_is_accepted(tmp_path: Path) -> None:
    flag, declaration = fences(ROOT / "docs/how-to/new-indicator.md", "yaml")
    folder = tmp_path / "conf"
    shutil.copytree(ROOT / "conf", folder)
    services = (folder / "services.yaml").read_text(encoding="utf-8")
    changed = services.replace("delivery_flags:\n", f"delivery_flags:\n{flag}", 1)
    (folder / "services.yaml").write_text(changed, encoding="utf-8")
    (folder / "indicators" / "share_physiotherapy.yaml").write_text(declaration, encoding="utf-8")
    assert "share_physiotherapy" in {indicator.id for indicator in load_configuration(str(folder)).indicators}


def test_the_mapping_of_the_guide_is_accepted(tmp_path: Path) -> None:
    (example,) = fences(ROOT / "docs/mappings.md", "yaml")
    (tmp_path / "our-fund.yaml").write_text(example, encoding="utf-8")
    loaded = load_configuration(None, [], mapping=str(tmp_path / "our-fund.yaml"))
    assert loaded.mapping.claims.source("claim_id").join == ("FUND", "LINE")


@pytest.mark.parametrize("file", PAGES, ids=name_of)
def test_python_in_the_documents_compiles(file: Path) -> None:
    for block in fences(file, "python"):
        compile(block, name_of(file), "exec")


# --- The demo ----------------------------------------------------------------------------------------


def test_the_documents_name_the_size_of_the_demo() -> None:
    (people,) = re.findall(
        r"^DEMO_BENEFICIARIES := (\d+)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE
    )
    for file in ("README.md", "docs/tutorial.md"):
        text = (ROOT / file).read_text(encoding="utf-8")
        assert re.findall(r"claims of ([\d,]+) people", text) == [f"{int(people):,}"], file


def test_the_shown_lines_of_the_demo_are_a_result() -> None:
    """Value and interval of each line follow from its own counts, and its people are those of the demo, about."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    shares = re.findall(
        r"^\w+ +20\d\d +([\d.]+) +% +([\d.]+) - ([\d.]+) +([\d,]+) +([\d,]+) +final$", readme, re.MULTILINE
    )
    assert len(shares) >= 5
    (people,) = re.findall(r"claims of ([\d,]+) people", readme)
    for *shown, numerator, denominator in shares:
        counted, of_all = (int(number.replace(",", "")) for number in (numerator, denominator))
        share, z = counted / of_all, Z
        middle = (share + z**2 / (2 * of_all)) / (1 + z**2 / of_all)
        half = z * (share * (1 - share) / of_all + z**2 / (4 * of_all**2)) ** 0.5 / (1 + z**2 / of_all)
        assert [float(figure) for figure in shown] == pytest.approx(
            [100 * share, 100 * (middle - half), 100 * (middle + half)], abs=0.00051
        )
        assert of_all < 1.1 * int(people.replace(",", ""))
    assert max(int(row[4].replace(",", "")) for row in shares) > 0.9 * int(people.replace(",", ""))


# --- Wording -----------------------------------------------------------------------------------------


def test_the_readme_fits_on_a_screen_or_two() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 150


@pytest.mark.parametrize("file", [file for file in PAGES if file.name != "CHANGELOG.md"], ids=name_of)
def test_a_batch_is_not_called_a_delivery(file: Path) -> None:
    by_hand = re.sub(r"<!-- begin .*?<!-- end -->", "", file.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert not re.search(r"deliver(?:y|ies)\s+of\s+data", by_hand)


def test_every_entry_of_the_changelog_says_what_it_does_to_figures() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8").partition("\n### ")[2]
    entries = re.findall(r"^- (.*)$", text, re.MULTILINE)
    assert len(entries) > 40
    assert [entry for entry in entries if not re.match(r"`\[figures: (none|up|down|change|stop|new)\]` ", entry)] == []


@pytest.mark.parametrize("file", PAGES, ids=name_of)
def test_python_in_documents_imports_what_there_is(file: Path) -> None:
    for block in fences(file, "python"):
        for module, names in re.findall(r"^from (claimatlas[\w.]*) import ([\w, ]+)$", block, re.MULTILINE):
            there = importlib.import_module(module)
            for name in names.split(","):
                assert hasattr(there, name.strip()), f"{module} has no {name.strip()}"
