"""The outlines of the atlas: every union of every vintage and level, and the making of a topology."""

import json
from pathlib import Path

import pytest
from claimatlas.atlas.outlines import topology_of_geojson
from claimatlas.atlas.projection import BELGIAN_LAMBERT
from claimatlas.atlas.topology import Topology, area
from claimatlas.configuration.load import load_configuration
from claimatlas.errors import InputError

LARGER = {"arrondissement": 43, "province": 10, "region": 3, "country": 1}


@pytest.fixture(scope="module")
def belgium():
    return Topology.load()


@pytest.fixture(scope="module")
def geography():
    return load_configuration().geography


def doubled(rings):
    return round(2 * area(rings))


class TestBelgium:
    @pytest.mark.parametrize(
        ("year", "municipalities"), [(2006, 589), (2018, 589), (2019, 581), (2024, 581), (2025, 565)]
    )
    def test_each_vintage_has_the_units_that_the_geography_has(self, belgium, geography, year, municipalities):
        expected = {}
        for level, code in geography.units(year):
            expected.setdefault(level, []).append(code)
        assert {level: list(belgium.codes(level, year)) for level in belgium.levels(year)} == expected
        assert len(expected["municipality"]) == municipalities
        # Until 2018 Mouscron was an arrondissement of its own, and La Louvière was none.
        assert {level: len(codes) for level, codes in expected.items() if level != "municipality"} == LARGER

    @pytest.mark.parametrize("year", [2018, 2019, 2025])
    def test_a_union_has_the_area_of_its_parts_to_the_square(self, belgium, year):
        parts = {part: doubled(belgium.union([part])) for part in range(len(belgium.parts))}
        vintage = belgium.vintages[year]
        for level, units in vintage.items():
            outlines = belgium.rings(level, year)
            for code, members in units.parts().items():
                assert doubled(outlines[code]) == sum(parts[part] for part in members), (level, code)

    @pytest.mark.parametrize("year", [2018, 2019, 2025])
    def test_every_ring_is_closed(self, belgium, year):
        for level in belgium.levels(year):
            for code, rings in belgium.rings(level, year).items():
                assert rings, (level, code)
                assert all(ring[0] == ring[-1] and len(ring) > 3 for ring in rings), (level, code)

    def test_no_two_parts_overlap_along_a_border(self, belgium):
        directed = [arc for part in belgium.parts for ring in part for arc in ring]
        assert len(directed) == len(set(directed))

    def test_no_arc_within_a_unit_is_drawn(self, belgium):
        # Belgium's outline has as many points as its outer border, far fewer than the municipalities together.
        of_country = sum(len(ring) for ring in belgium.rings("country", 2019)["01000"])
        of_all = sum(len(ring) for rings in belgium.rings("municipality", 2019).values() for ring in rings)
        assert of_country < of_all / 10

    def test_brussels_lies_in_no_province(self, belgium, geography):
        provinces = belgium.vintages[2019]["province"]
        without = [
            belgium.vintages[2018]["municipality"].codes[part] for part, unit in enumerate(provinces.of) if unit < 0
        ]
        assert without == sorted(c for c, p in geography.vintage(2018).items() if p.parents["region"] == "04000")
        assert len(without) == 19

    def test_a_merged_municipality_is_the_union_of_the_old_ones(self, belgium, geography):
        merged = [
            code
            for code, before in geography.predecessors.items()
            if len(before) > 1 and code in geography.vintage(2019)
        ]
        assert len(merged) == 7
        for code in merged:
            old = belgium.rings("municipality", 2018)
            assert doubled(belgium.rings("municipality", 2019)[code]) == sum(
                doubled(old[part]) for part in geography.predecessors[code]
            )

    def test_the_area_is_that_of_belgium(self, belgium):
        """30,667 km² by Statbel; a conformal conic of two parallels stretches by less than one in a thousand."""
        ostend, arlon = BELGIAN_LAMBERT.project(2.9, 51.2), BELGIAN_LAMBERT.project(5.8, 49.7)
        assert ostend[0] < 0 < arlon[0]
        assert arlon[1] < 0 < ostend[1]
        # The plane is 9,900 steps wide without its margins.
        square_kilometres = area(belgium.rings("country", 2019)["01000"]) * (_width() / 9_900 / 1000) ** 2
        assert square_kilometres == pytest.approx(30_667, rel=0.01)

    def test_the_source_is_named(self, belgium):
        for needed in ("Statbel", "CC BY 4.0", "reworked"):
            assert needed in belgium.attribution
        notice = (Path(__file__).parents[2] / "NOTICE").read_text(encoding="utf-8")
        assert "lib/claimatlas/atlas/data/topology.json" in notice

    def test_what_is_written_is_read_again(self, belgium):
        document = json.loads(json.dumps(belgium.as_document()))
        assert Topology.of_document(document) == belgium


def _width():
    """The width of Belgium in metres: from the westernmost to the easternmost point, in the plane's projection."""
    west, east = BELGIAN_LAMBERT.project(2.5457, 51.0896), BELGIAN_LAMBERT.project(6.4079, 50.3236)
    return east[0] - west[0]


class TestOtherOutlines:
    def square(self, x, y):
        return [[x, y], [x + 1, y], [x + 1, y + 1], [x, y + 1], [x, y]]

    def write(self, folder, features):
        path = folder / "outlines.geojson"
        path.write_text(json.dumps({"type": "FeatureCollection", "attribution": "Somebody", "features": features}))
        return path

    def feature(self, code, *rings):
        return {"type": "Feature", "properties": {"id": code}, "geometry": {"type": "Polygon", "coordinates": rings}}

    def test_neighbours_share_arcs_and_larger_places_are_unions(self, tmp_path):
        path = self.write(tmp_path, [self.feature("a", self.square(4, 50)), self.feature("b", self.square(5, 50))])
        topology = topology_of_geojson(path, "id", "district", parents={"land": {"a": "L", "b": "L"}})
        assert len(topology.arcs) == 3
        outlines = topology.rings("district", 2023)
        (land,) = topology.rings("land", 2023)["L"]
        assert len(land) == 7  # The shared edge is gone, its two ends stay on the border.
        assert doubled([land]) == doubled(outlines["a"]) + doubled(outlines["b"])
        assert topology.attribution == "Somebody"

    def test_an_enclave_is_a_hole_of_what_lies_around_it(self, tmp_path):
        outer = [[0, 50], [3, 50], [3, 53], [0, 53], [0, 50]]
        hole = self.square(1, 51)[::-1]
        path = self.write(tmp_path, [self.feature("around", outer, hole), self.feature("within", self.square(1, 51))])
        topology = topology_of_geojson(path, "id", "district", parents={"land": {"around": "L", "within": "L"}})
        assert len(topology.arcs) == 2
        assert len(topology.rings("district", 0)["around"]) == 2
        (land,) = topology.rings("land", 0)["L"]
        assert len(land) == 5

    def test_a_place_in_no_larger_one_is_left_out_there(self, tmp_path):
        path = self.write(tmp_path, [self.feature("a", self.square(4, 50)), self.feature("b", self.square(5, 50))])
        topology = topology_of_geojson(path, "id", "district", parents={"land": {"a": "L"}})
        assert topology.codes("land", 0) == ("L",)
        assert topology.rings("land", 0)["L"] == topology.rings("district", 0)["a"]

    def test_a_country_on_the_equator_has_a_map(self, tmp_path):
        path = self.write(tmp_path, [self.feature("a", self.square(30, -1)), self.feature("b", self.square(30, 0))])
        outlines = topology_of_geojson(path, "id", "district").rings("district", 0)
        assert doubled(outlines["a"]) == pytest.approx(doubled(outlines["b"]), rel=0.01)

    @pytest.mark.parametrize(
        ("features", "message"),
        [
            ([], "no features"),
            (
                [{"type": "Feature", "properties": {"id": "a"}, "geometry": {"type": "Point", "coordinates": [1, 2]}}],
                "Point",
            ),
            ([{"type": "Feature", "properties": {}, "geometry": {}}], "must be a text"),
        ],
    )
    def test_what_is_no_outline_is_refused(self, tmp_path, features, message):
        with pytest.raises(InputError, match=message):
            topology_of_geojson(self.write(tmp_path, features), "id", "district")

    def test_two_features_of_one_code_are_refused(self, tmp_path):
        path = self.write(tmp_path, [self.feature("a", self.square(4, 50)), self.feature("a", self.square(5, 50))])
        with pytest.raises(InputError, match="'a'"):
            topology_of_geojson(path, "id", "district")

    def test_a_file_that_is_no_topology_is_refused(self, tmp_path):
        path = tmp_path / "topology.json"
        path.write_text("{}")
        with pytest.raises(InputError, match="no topology"):
            Topology.load(path)
