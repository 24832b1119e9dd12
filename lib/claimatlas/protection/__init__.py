"""Choose the figures of a release that may be published, and prove that the others cannot be worked out.

Plan (`plan`), mark (`marking`), audit by other worlds (`worlds`), repair (`repair`), clean (`cleaning`), prove by
algebra (`proof`), freeze (`ledger`): docs/confidentiality.md explains each. Nothing here needs Spark.
"""
