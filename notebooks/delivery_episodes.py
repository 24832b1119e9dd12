# Databricks notebook source
# MAGIC %md
# MAGIC # A study of delivery episodes
# MAGIC
# MAGIC Billings of deliveries that follow each other closely are one delivery. How closely, and counted from where, is
# MAGIC a choice: the source page says "within 30 days", not of which billing. This notebook shows what hangs on it.
# MAGIC
# MAGIC It reads `silver/`, which holds single records, and shows counts of the whole country only. Who may read silver
# MAGIC may run it.
# MAGIC
# MAGIC | parameter | meaning |
# MAGIC |---|---|
# MAGIC | `output` | root of the tables, as given to the jobs |
# MAGIC | `conf` | your own configuration folder, a path or a URI; empty: the shipped one |
# MAGIC | `year` | of the deliveries; empty: the newest that `silver/deliveries` holds |
# MAGIC | `least_days`, `most_days` | which rules to try: within so many days |
# MAGIC
# MAGIC On your machine: `python notebooks/delivery_episodes.py output=.demo/output year=2023`.

# COMMAND ----------

from claimatlas.claims.netting import indicator_lines, service_counts
from claimatlas.deliveries.days import delivery_days, delivery_services
from claimatlas.deliveries.episodes import count_by_reading, with_episode_starts
from claimatlas.deliveries.sensitivity import count_by_gap, first_contact_by_day, gaps_between_days
from claimatlas.notebooks import episodes, figures, result
from claimatlas.notebooks.surroundings import configuration_of, surroundings, whole_number
from claimatlas.tables.schemas import CLAIMS, deliveries_table
from claimatlas.tables.store import Store
from pyspark.sql import functions as F

spark, dbutils, display = surroundings(globals())

# COMMAND ----------

dbutils.widgets.text("output", ".demo/output", "Root of the tables")
dbutils.widgets.text("conf", "", "Configuration folder")
dbutils.widgets.text("year", "", "Year")
dbutils.widgets.text("least_days", "20", "Least days tried")
dbutils.widgets.text("most_days", "60", "Most days tried")

store = Store.at(spark, dbutils.widgets.get("output"))
configuration = configuration_of(spark, dbutils.widgets.get("conf"))
GAP = configuration.settings.episode_gap_days
TRIED = episodes.rules_to_try(whole_number(dbutils, "least_days"), whole_number(dbutils, "most_days"))

# COMMAND ----------

# MAGIC %md
# MAGIC ## From claim lines to days
# MAGIC
# MAGIC Lines that take each other back are netted; of several deliveries billed on one day one is kept. What is left is
# MAGIC one row for each woman and day.

# COMMAND ----------

claims, formed = store.read(CLAIMS), store.read(deliveries_table(configuration))
YEAR = result.year_of(formed, dbutils.widgets.get("year"))
services = delivery_services(indicator_lines(claims, configuration), configuration)
days = delivery_days(services)

counted = services.agg(*service_counts()).crossJoin(days.agg(F.count(F.lit(1)).alias("delivery_days")))
display(counted)

# COMMAND ----------

# MAGIC %md
# MAGIC ## Days between billings of one woman
# MAGIC
# MAGIC Gaps of a few days are billings of one stay. Between that and the eight months or so of the next pregnancy there
# MAGIC should be next to nothing: if gaps cluster around the rule, the rule matters. All years of silver, gaps of up to
# MAGIC 100 days in steps of five; the orange one holds the last day within the rule.

# COMMAND ----------

gaps = result.as_rows(gaps_between_days(days).orderBy("gap_days"))
steps = episodes.in_steps(gaps, step=5, most=100)
display(spark.createDataFrame(list(steps.items()), "days_between string, times long"))
display(figures.bars(steps, "Days from one billing of a delivery to the next", "times", [episodes.step_of(GAP, 5)]))

# COMMAND ----------

# MAGIC %md
# MAGIC ## The two readings
# MAGIC
# MAGIC `chained`: within the gap of the previous billing. `anchored`: within the gap of the first billing of the
# MAGIC delivery. They differ only where billings go on for longer than the gap.

# COMMAND ----------

readings = count_by_reading(with_episode_starts(days, GAP)).groupBy("year").pivot("reading", ["chained", "anchored"])
display(readings.agg(F.first("deliveries")).orderBy("year"))
display(
    formed.where(F.col("year") == YEAR)
    .groupBy("billings")
    .agg(F.count(F.lit(1)).alias("deliveries"))
    .orderBy("billings")
)

# COMMAND ----------

# MAGIC %md
# MAGIC ## How much hangs on the number of days
# MAGIC
# MAGIC Deliveries of the year if the rule were another number of days. A flat curve around the line: the choice hardly
# MAGIC matters.

# COMMAND ----------

tried = count_by_gap(days, TRIED).where(F.col("year") == YEAR)
curves = episodes.curves(result.as_rows(tried))
display(
    tried.groupBy("gap_days").pivot("reading", ["chained", "anchored"]).agg(F.first("deliveries")).orderBy("gap_days")
)
display(
    figures.lines(curves, GAP, f"Deliveries of {YEAR} by the days of the rule", "within so many days", "deliveries")
)

# COMMAND ----------

# MAGIC %md
# MAGIC ## The two readings of the midwives' list
# MAGIC
# MAGIC The source page's list of midwives' codes is mostly prenatal; `source_and_postnatal` adds the postnatal ones.
# MAGIC Deliveries with a contact of the group within the postnatal window under each reading, as the run counted them
# MAGIC that formed the deliveries. Null: that run did not count it, as the code list was empty or nobody had declared
# MAGIC it.

# COMMAND ----------

contacts = episodes.contacts_by_reading(store, configuration, YEAR)
display(spark.createDataFrame(list(contacts.items()), "contact string, deliveries long"))
known = {name: number for name, number in contacts.items() if number is not None}
display(figures.bars(known, f"Deliveries of {YEAR} with a contact", "deliveries"))

# COMMAND ----------

# MAGIC %md
# MAGIC ## When the first contact comes
# MAGIC
# MAGIC Share of deliveries with a contact of any group by each day after the delivery. Its end is 100 % less
# MAGIC `cube_007_008a`; a curve that still rises there says that the length of the window matters.

# COMMAND ----------

LAST = configuration.settings.all_windows["postnatal"].last_day
by_day = first_contact_by_day(formed.where(F.col("year") == YEAR), LAST).orderBy("day")
shares = [(row["day"], 100 * row["with_contact"] / row["deliveries"]) for row in result.as_rows(by_day)]
display(by_day)
display(
    figures.lines(
        {"any contact": shares}, LAST, f"First contact after deliveries of {YEAR}", "day after the delivery", "%"
    )
)
