# Databricks notebook source
# MAGIC %md
# MAGIC # Publish the atlas
# MAGIC
# MAGIC From a release of gold to a static site in a folder of a volume: protected, reviewed, written. No Spark is used.
# MAGIC The cluster needs the wheel with its extra `publish`.
# MAGIC
# MAGIC | parameter | meaning |
# MAGIC |---|---|
# MAGIC | `output` | root of the tables, as a folder of a volume |
# MAGIC | `site` | folder of the site, not in the output |
# MAGIC | `conf` | your own configuration folder; empty: the shipped one |
# MAGIC | `release` | number of the release; empty: the newest |
# MAGIC | `approved_by` | who approved the review report |
# MAGIC | `review` | the hash of that report; without it a draft is made |
# MAGIC
# MAGIC The first run prints the review report and its hash. Read it, look at the draft, then give both parameters.
# MAGIC On your machine: `python notebooks/publish_the_atlas.py output=OUT site=SITE`.

# COMMAND ----------

from pathlib import Path

from claimatlas.cli import main
from claimatlas.notebooks.surroundings import parameters

dbutils = parameters(globals())

# COMMAND ----------

dbutils.widgets.text("output", ".atlas/output", "Root of the tables")
dbutils.widgets.text("site", ".atlas/site", "Folder of the site")
dbutils.widgets.text("conf", "", "Configuration folder")
dbutils.widgets.text("release", "", "Release")
dbutils.widgets.text("approved_by", "", "Who approved the report")
dbutils.widgets.text("review", "", "Hash of the report")

output, site = dbutils.widgets.get("output"), dbutils.widgets.get("site")
conf, release = dbutils.widgets.get("conf"), dbutils.widgets.get("release")
approved_by, review = dbutils.widgets.get("approved_by"), dbutils.widgets.get("review")
tables = ["--output", output, *(["--conf", conf] if conf else []), *(["--release", release] if release else [])]

# COMMAND ----------

# MAGIC %md
# MAGIC ## Protect, unless the release was protected before

# COMMAND ----------

if not list(Path(output, "protection").glob(f"review_{release or '*'}.json")) and main(["protect", *tables]):
    raise SystemExit("The release cannot be protected: the reason stands above.")

# COMMAND ----------

# MAGIC %md
# MAGIC ## The site

# COMMAND ----------

approval = ["--approved-by", approved_by, "--review", review] if review else ["--draft"]
if main(["publish", *tables, "--site", site, *approval]):
    raise SystemExit("The site was not written: the reason stands above.")
print(f"{'Published' if review else 'Draft'}: {site}/index.html")
