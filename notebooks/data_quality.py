# Databricks notebook source
# MAGIC %md
# MAGIC # Data quality of a batch
# MAGIC
# MAGIC What came in, what was rejected and why, whether months are missing, how late lines are booked, of how many the
# MAGIC domicile is unknown. The bounds are those of `conf/settings.yaml` (section `checks`), the judgement is that of
# MAGIC `claimatlas check`.
# MAGIC
# MAGIC It reads `silver/`, which holds single records, and shows counts only. Who may read silver may run it.
# MAGIC
# MAGIC | parameter | meaning |
# MAGIC |---|---|
# MAGIC | `output` | root of the tables, as given to the jobs |
# MAGIC | `conf` | your own configuration folder, a path or a URI; empty: the shipped one |
# MAGIC | `year` | of service; empty: every year that is there, and the newest in the figure of months |
# MAGIC
# MAGIC On your machine: `python notebooks/data_quality.py output=.demo/output year=2023`.

# COMMAND ----------

from claimatlas.checks.checks_stage import check_store
from claimatlas.checks.findings import COMPLETENESS, DRIFT, RUN_OUT, SUMS, UNKNOWN_DOMICILE, out_of_bounds
from claimatlas.checks.report import verdict
from claimatlas.notebooks import figures, quality, result
from claimatlas.notebooks.surroundings import configuration_of, surroundings, whole_number
from claimatlas.tables.schemas import CLAIMS, REJECTED
from claimatlas.tables.store import Store

spark, dbutils, display = surroundings(globals())

# COMMAND ----------

dbutils.widgets.text("output", ".demo/output", "Root of the tables")
dbutils.widgets.text("conf", "", "Configuration folder")
dbutils.widgets.text("year", "", "Year")

store = Store.at(spark, dbutils.widgets.get("output"))
configuration = configuration_of(spark, dbutils.widgets.get("conf"))
YEARS = [whole_number(dbutils, "year")] if dbutils.widgets.get("year") else []

# COMMAND ----------

# MAGIC %md
# MAGIC ## What came in
# MAGIC
# MAGIC Every row that was read is accepted, rejected, or was sent before. A superseded row was accepted once and is
# MAGIC corrected by a later batch.

# COMMAND ----------

received = quality.rows_received(store)
display(spark.createDataFrame(received, quality.RECEIVED))
display(quality.lines_by_batch(store.read(CLAIMS)))

# COMMAND ----------

# MAGIC %md
# MAGIC ## What was rejected, and why
# MAGIC
# MAGIC A row with several reasons counts for each. `silver/rejected` keeps it whole, for the sender to repair.

# COMMAND ----------

rejected = quality.rejected_by_reason(store.read(REJECTED))
reasons = {f"{row['table']}: {row['reason']}": row["rows"] for row in result.as_rows(rejected)}
display(rejected)
if reasons:
    display(figures.bars(reasons, "Rejected rows by reason", "rows"))
else:
    print("No row was rejected.")

# COMMAND ----------

# MAGIC %md
# MAGIC ## The verdict
# MAGIC
# MAGIC How many figures are judged, and every one that is beyond its bound.

# COMMAND ----------

checked = check_store(store, configuration, YEARS)
print(verdict(checked.findings))
display(spark.createDataFrame(quality.sentences(checked), "check string, sentence string"))

# COMMAND ----------

# MAGIC %md
# MAGIC ## Is a month missing?
# MAGIC
# MAGIC Claim lines of each month, in % of the mean of the same month in the earlier years, for all lines and for each
# MAGIC family of codes. A frame: too few. Months that are too recent, and families with too few lines to tell, are not
# MAGIC judged.

# COMMAND ----------

by_month = [finding for finding in checked.findings if finding.check == COMPLETENESS]
MONTHS_OF = max((finding.subject["year"] for finding in by_month), default=None)
shares = quality.by_month(by_month, MONTHS_OF)
wrong = set(quality.by_month(out_of_bounds(by_month), MONTHS_OF))
if shares:
    display(figures.months(shares, wrong, f"Claim lines by month of {MONTHS_OF}"))
else:
    print("No month is judged: there is no earlier year, or there are too few lines.")

# COMMAND ----------

# MAGIC %md
# MAGIC ## How late lines are booked
# MAGIC
# MAGIC Shares of the lines with a booking date, in %, by year of service. Lines that are still to come are not seen, so
# MAGIC a recent year looks better than it will be.

# COMMAND ----------

run_out = quality.measured(checked.findings, RUN_OUT, ["year", "share"])
display(spark.createDataFrame(run_out, quality.MEASURED))

# COMMAND ----------

# MAGIC %md
# MAGIC ## Unknown domiciles
# MAGIC
# MAGIC They count for the country only. In %, by population and year.

# COMMAND ----------

domiciles = quality.measured(checked.findings, UNKNOWN_DOMICILE, ["population", "year"])
unknown = {row["what"]: row["percent"] for row in domiciles}
display(spark.createDataFrame(domiciles, quality.MEASURED))
display(figures.bars(unknown, "Unknown domiciles", "%", [row["what"] for row in domiciles if not row["within"]]))

# COMMAND ----------

# MAGIC %md
# MAGIC ## Does gold add up, and how far did it move?
# MAGIC
# MAGIC Sums across levels and dimensions, which have no tolerance, and the change of each national value, in %, against
# MAGIC the year before and against the run that was replaced.

# COMMAND ----------

sums = [finding for finding in checked.findings if finding.check == SUMS]
print(
    f"{sum(finding.cases or 0 for finding in sums):,} sums compared, {len(out_of_bounds(sums)):,} kinds of them wrong."
)
display(
    spark.createDataFrame(
        quality.measured(checked.findings, DRIFT, ["indicator_id", "year", "against"]), quality.MEASURED
    )
)
