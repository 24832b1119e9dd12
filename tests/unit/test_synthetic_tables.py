"""What the generator knows before Spark starts: limits, rates, places, codes."""

import re
from collections import Counter
from datetime import date
from pathlib import Path

import pytest
from claimatlas.configuration import Configuration, load_configuration
from claimatlas.configuration.codes import SIX_DIGITS
from claimatlas.configuration.starters import write_starter
from claimatlas.errors import InputError
from claimatlas.synthetic.booking import NOT_BOOKED, _lags
from claimatlas.synthetic.country import load_country
from claimatlas.synthetic.dice import ALIAS_BITS, AliasTable, Dice
from claimatlas.synthetic.everyday_codes import CONTACTS, OTHERS
from claimatlas.synthetic.parameters import Parameters, parse_years
from claimatlas.synthetic.places import Hospitals, Places, load_places, sector_suffixes
from claimatlas.synthetic.rates import OLDEST, SEXES, load_rates
from claimatlas.synthetic.world import make_world


def places_of(configuration: Configuration, years: tuple[int, ...]) -> tuple[Places, Hospitals]:
    return load_places(configuration.folder, load_country(configuration.folder), configuration.geography, years)


@pytest.fixture(scope="module")
def configuration() -> Configuration:
    return load_configuration()


class TestParameters:
    @pytest.mark.parametrize(("text", "years"), [("2022-2024", (2022, 2024)), ("2023", (2023, 2023))])
    def test_years(self, text: str, years: tuple[int, int]) -> None:
        assert parse_years(text) == years

    @pytest.mark.parametrize("text", ["", "22", "2022-", "2022/2024", "2022-2024-2025", "year"])
    def test_what_is_no_year_is_refused(self, text: str) -> None:
        with pytest.raises(InputError, match="--years"):
            parse_years(text)

    @pytest.mark.parametrize(
        ("beneficiaries", "first", "last", "dirty"),
        [
            (99, 2022, 2022, 0),
            (20_000_001, 2022, 2022, 0),
            (1000, 2005, 2006, 0),
            (1000, 2024, 2023, 0),
            (1000, 2026, 2027, 0),
            (1000, 2022, 2022, -0.1),
            (1000, 2022, 2022, 0.2),
        ],
    )
    def test_limits(self, beneficiaries: int, first: int, last: int, dirty: float) -> None:
        with pytest.raises(InputError):
            Parameters(beneficiaries, first, last, 1, dirty)


class TestDice:
    def test_purposes_and_seeds_have_keys_of_their_own(self) -> None:
        keys = {Dice(seed).key(purpose) for seed in (-1, 0, 1, 10**12) for purpose in ("life", "death")}
        assert len(keys) == 8
        assert all(-(2**63) <= key < 2**63 for key in keys)

    @pytest.mark.parametrize("weights", [[1], [1, 1], [0, 3, 1], [5, 0.5, 80, 3, 3, 0], list(range(1, 600))])
    def test_alias_table_gives_each_outcome_its_weight(self, weights: list[float]) -> None:
        table = AliasTable.of(weights)
        found = [0.0] * len(weights)
        for index, keep in enumerate(table.keep):
            found[index] += keep / 2**ALIAS_BITS / len(weights)
            found[table.other[index]] += 1 / len(weights) - keep / 2**ALIAS_BITS / len(weights)
        assert found == pytest.approx([weight / sum(weights) for weight in weights], abs=1e-6)


class TestRates:
    def test_nobody_delivers_outside_15_to_49(self, configuration: Configuration) -> None:
        rates = load_rates(configuration.folder)
        # Who turns 16 in the year is 15 or 16 at delivery, who turns 49 is 48 or 49.
        assert [age for age, share in enumerate(rates.deliveries) if share > 0] == list(range(16, 50))
        assert max(range(OLDEST), key=lambda age: rates.deliveries[age]) in range(28, 34)
        assert 1.4 < sum(rates.deliveries) < 1.6

    def test_lives_end(self, configuration: Configuration) -> None:
        rates = load_rates(configuration.folder)
        for sex in SEXES:
            assert rates.survivors[sex][0] == 1
            assert rates.survivors[sex][-1] == 0
            # Who has the largest share of all before them dies last.
            assert list(rates.death_age[sex]) == sorted(rates.death_age[sex], reverse=True)
        assert rates.survivors["female"][85] > rates.survivors["male"][85]

    def test_lags(self) -> None:
        lags = _lags()
        assert len(lags) == 1024
        assert 0.005 < lags.count(NOT_BOOKED) / 1024 < 0.015
        within_three_months = sum(0 < lag <= 91 for lag in lags) / 1024
        assert within_three_months > 0.8
        assert max(lags) == 730


class TestPlaces:
    def test_codes_are_those_of_each_year(self, configuration: Configuration) -> None:
        years = (2006, 2018, 2019, 2024, 2025)
        places, _ = load_places(
            configuration.folder, load_country(configuration.folder), configuration.geography, years
        )
        for year in years:
            assert set(places.codes[year]) == set(configuration.geography.vintage(year))

    def test_inhabitants_of_merged_places_are_split(self, configuration: Configuration) -> None:
        places, _ = load_places(
            configuration.folder, load_country(configuration.folder), configuration.geography, (2023,)
        )
        parts = Counter(places.codes[2023])
        merged = {code for code, number in parts.items() if number > 1}
        assert "44083" in merged
        of_parts = [
            sectors for sectors, code in zip(places.sectors, places.codes[2023], strict=True) if code == "44083"
        ]
        assert len(set(of_parts)) == 1

    def test_every_place_is_in_one_province_and_has_hospitals(self, configuration: Configuration) -> None:
        places, hospitals = load_places(
            configuration.folder, load_country(configuration.folder), configuration.geography, (2023,)
        )
        assert [first for first, _ in places.provinces] == [
            sum(size for _, size in places.provinces[:index]) for index in range(len(places.provinces))
        ]
        assert sum(size for _, size in places.provinces) == len(places.base_codes) == 589
        wanted = load_country(configuration.folder).places.hospitals
        assert len(set(hospitals.ids)) == wanted
        for first, number in (*hospitals.near, *hospitals.around):
            assert number > 0
            assert 0 <= first <= first + number <= wanted

    def test_sector_suffixes_have_the_pattern(self) -> None:
        suffixes = sector_suffixes()
        assert len(set(suffixes)) == len(suffixes)
        assert all(re.fullmatch("[A-Z0-9][0-9][0-9A-Z][0-9A-Z-]", suffix) for suffix in suffixes)


class TestWithoutWeights:
    def test_every_missing_file_is_named(self, tmp_path: Path) -> None:
        conf = tmp_path / "conf"
        write_starter("minimal", conf)
        (conf / "synthetic" / "weights.yaml").unlink()
        (conf / "synthetic" / "age_sex.csv").write_text("age_from,sex,inhabitants\n", encoding="utf-8")
        with pytest.raises(InputError) as refused:
            make_world(Parameters(1000, 2022, 2022, 1), load_configuration(str(conf)))
        named = set(re.findall(r"synthetic/(\w+\.(?:csv|yaml))", str(refused.value)))
        needed = {path.name for path in (Path(__file__).parents[2] / "conf" / "synthetic").glob("*.[cy]*")}
        assert named == (needed | {"weights.yaml"}) - {"age_sex.csv"}

    def test_a_row_that_names_many_codes_is_named_by_its_line(self, tmp_path: Path) -> None:
        conf = tmp_path / "conf"
        write_starter("belgium", conf)
        file = conf / "codelists" / "midwife.csv"
        header, first, *others = file.read_text(encoding="utf-8").splitlines()
        columns = first.split(",")
        many = ",".join([columns[0], f"{columns[1][:3]}*", *columns[2:]])
        file.write_text("\n".join([header, many, *others]) + "\n", encoding="utf-8")
        with pytest.raises(InputError, match=r"codes one by one; codelists/midwife.csv, line 2, has \d+\.\.\d+"):
            make_world(Parameters(1000, 2022, 2022, 1), load_configuration(str(conf)))


class TestCodes:
    def test_other_codes_are_in_no_list(self, configuration: Configuration) -> None:
        offers = make_world(Parameters(1000, 2022, 2024, 1), configuration).offers
        listed = {row.code for code_list in configuration.code_lists.values() for row in code_list.rows}
        others = offers.everyday.codes[CONTACTS:]
        assert len(others) == OTHERS
        assert not listed & set(others)
        assert all(SIX_DIGITS.has_valid_check(code) and 100_000 <= code <= 999_999 for code in others)
        assert len(set(others)) > 3000

    def test_everyday_contacts_are_valid_throughout(self, configuration: Configuration) -> None:
        offers = make_world(Parameters(1000, 2006, 2026, 1), configuration).offers
        rows = [row for code_list in configuration.code_lists.values() for row in code_list.rows]
        always = {row.code for row in rows if row.valid_to is None and (row.valid_from or date.min) <= date(2006, 1, 1)}
        assert set(offers.everyday.codes[:CONTACTS]) <= always

    def test_codes_change_on_the_day(self, configuration: Configuration) -> None:
        offers = make_world(Parameters(1000, 2022, 2022, 1), configuration).offers
        (first, before), (second, after) = offers.codes["gp"].segments
        assert (first, second) == (date(2022, 1, 1), date(2022, 8, 1))
        # Tele-advice of the epidemic ended on 31 July, video consultations began the day after.
        assert (101990 in before, 101990 in after) == (True, False)
        assert (101673 in before, 101673 in after) == (False, True)

    def test_an_empty_list_has_no_codes(self, configuration: Configuration) -> None:
        world = make_world(Parameters(1000, 2022, 2022, 1), configuration)
        assert all(codes for name, offer in world.offers.codes.items() for _, codes in offer.segments if name)
