# Databricks notebook source
# MAGIC %md
# MAGIC # A tour of the result
# MAGIC
# MAGIC One indicator as it is published: its national values, its places beside the country, a map, its age classes.
# MAGIC Figures are read through `gold/releases`, so what a run is still writing is never seen.
# MAGIC
# MAGIC | parameter | meaning |
# MAGIC |---|---|
# MAGIC | `output` | root of the tables, as given to the jobs |
# MAGIC | `conf` | your own configuration folder, a path or a URI; empty: the shipped one |
# MAGIC | `indicator`, `year`, `level` | what to look at; without a year the newest |
# MAGIC | `language` | of titles and of names of places |
# MAGIC | `least_denominator` | a place or class with fewer people or deliveries is not shown |
# MAGIC | `boundaries`, `code_property` | a GeoJSON file, and its property with the codes; empty: a map of tiles |
# MAGIC
# MAGIC On your machine: `python notebooks/tour_of_the_result.py indicator=cube_013_023 level=province`.

# COMMAND ----------

from claimatlas.notebooks import figures, places, result
from claimatlas.notebooks.outlines import read_outlines
from claimatlas.notebooks.surroundings import configuration_of, surroundings, whole_number
from claimatlas.tables.schemas import COMPARISONS
from claimatlas.tables.store import Store

spark, dbutils, display = surroundings(globals())

# COMMAND ----------

dbutils.widgets.text("output", ".demo/output", "Root of the tables")
dbutils.widgets.text("conf", "", "Configuration folder")
dbutils.widgets.text("indicator", "cube_007_008a", "Indicator")
dbutils.widgets.text("year", "", "Year")
dbutils.widgets.text("level", "arrondissement", "Level of place")
dbutils.widgets.dropdown("language", "en", ["en", "fr", "nl"], "Language")
dbutils.widgets.text("least_denominator", "20", "Least denominator shown")
dbutils.widgets.text("boundaries", "", "GeoJSON file of boundaries")
dbutils.widgets.text("code_property", "", "Property with the code")

LEVEL = dbutils.widgets.get("level")
LANGUAGE = dbutils.widgets.get("language")
MIN_DENOMINATOR = whole_number(dbutils, "least_denominator")

# COMMAND ----------

# MAGIC %md
# MAGIC ## What is published
# MAGIC
# MAGIC The release that every figure below comes from.

# COMMAND ----------

store = Store.at(spark, dbutils.widgets.get("output"))
configuration = configuration_of(spark, dbutils.widgets.get("conf"))
indicator = result.indicator_at(configuration, dbutils.widgets.get("indicator"), LEVEL)
published = result.published_in(store)
cells = result.cells_of(published, indicator)
YEAR = result.year_of(cells, dbutils.widgets.get("year"))

COUNTRY = configuration.settings.geography.country_level
UNIT = result.UNITS[indicator.unit]
TITLE = getattr(indicator.names, LANGUAGE)

display(spark.createDataFrame([result.release_of(published)], result.RELEASE))

# COMMAND ----------

# MAGIC %md
# MAGIC ## The country
# MAGIC
# MAGIC Values of the whole country by year. The bars are Wilson's 95 % intervals; what is no percentage has none. A
# MAGIC year that is `provisional` is one whose claims do not reach the end of what the indicator observes.

# COMMAND ----------

national = result.by_year(cells, COUNTRY)
national_rows = result.as_rows(national)
VALUE = next((row["value"] for row in national_rows if row["year"] == YEAR), None)

display(national)
display(figures.series(national_rows, "year", TITLE, UNIT))

# COMMAND ----------

# MAGIC %md
# MAGIC ## Places beside the country
# MAGIC
# MAGIC A place is `lower` or `higher` when its whole interval lies below or above the national value, else `similar`.
# MAGIC Of many places that are all like the country, about one in twenty will be lower or higher by chance.
# MAGIC
# MAGIC The trend is the Cochran-Armitage test over five years, empty where five years are not published.

# COMMAND ----------

in_place = result.by_place(cells, LEVEL, YEAR, MIN_DENOMINATOR)
if indicator.unit == "percent":
    in_place = result.with_comparison(in_place, result.table_of(published, COMPARISONS), indicator.id, LEVEL, YEAR)
    display(result.compared_by_year(published, indicator, LEVEL))

place_rows = result.as_rows(in_place)
names = places.names_of(configuration, LEVEL, YEAR, LANGUAGE)
display(in_place)
print(f"{len(place_rows)} places with a value and a denominator of {MIN_DENOMINATOR} or more; others are not shown.")

# COMMAND ----------

display(figures.ranked(place_rows, names, VALUE, f"{TITLE}, {YEAR}, by {LEVEL}", UNIT))

# COMMAND ----------

# MAGIC %md
# MAGIC ## How much is chance
# MAGIC
# MAGIC The funnel: a small place varies more. Between the inner lines lie 95 % of the places that are like the country,
# MAGIC between the outer ones 99.8 %. Only percentages have one.

# COMMAND ----------

if indicator.unit == "percent" and VALUE is not None:
    display(figures.funnel(place_rows, VALUE, f"{TITLE}, {YEAR}, by {LEVEL}"))

# COMMAND ----------

# MAGIC %md
# MAGIC ## On a map
# MAGIC
# MAGIC With boundaries of yours: each place in the colour of its value. Without: a map of tiles, one square of the same
# MAGIC size for each place, near where it lies; it shows neighbours roughly, and neither area nor borders. Grey: no
# MAGIC value, or too few to be shown. Colours go from the lowest to the highest value shown, whatever the difference.

# COMMAND ----------

values = {row["geo_code"]: row["value"] for row in place_rows}
boundaries, tiles = dbutils.widgets.get("boundaries"), places.tiles_of(configuration, LEVEL, YEAR)
MAP = f"{TITLE}, {YEAR}, by {LEVEL}"
if boundaries:
    outlines = read_outlines(boundaries, dbutils.widgets.get("code_property") or LEVEL)
    display(figures.outline_map(values, outlines, MAP, UNIT))
elif tiles:
    display(figures.tile_map(values, tiles, names, MAP, UNIT))
else:
    print(f"The configuration has no tiles for the level {LEVEL}: give boundaries to see a map.")

# COMMAND ----------

# MAGIC %md
# MAGIC ## By age, sex and what else is declared
# MAGIC
# MAGIC The whole country, by each dimension of the indicator. An age is that at delivery, or on 31 December.

# COMMAND ----------

for dimension in indicator.dimensions:
    split = result.by_dimension(cells, dimension, COUNTRY, YEAR, MIN_DENOMINATOR)
    values_in_order = configuration.dimensions.values(dimension, indicator.population)
    rows = result.in_order(result.as_rows(split), dimension, values_in_order)
    name = result.name_of(configuration, dimension, LANGUAGE)
    display(split)
    display(figures.series(rows, dimension, f"{TITLE}, {YEAR}, by: {name}", UNIT))
if not indicator.dimensions:
    print(f"{indicator.id} is not split.")
