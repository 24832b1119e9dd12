"""Which figures of a release may be published, and the proof that the others cannot be worked out from them.

Plan (`plan`), mark (`marking`), audit by other worlds (`worlds`), repair (`repair`), clean (`cleaning`), prove by
algebra (`proof`), freeze (`ledger`): docs/confidentiality.md explains each. Nothing here needs Spark.
"""
