"""Which figures of a release may be published, and the proof that the others cannot be worked out from them.

Plan (`plan`), mark (`marking`), close (`closing`), prove (`proof`), repair (`repair`), audit (`worlds`), freeze
(`ledger`): docs/confidentiality.md explains each. Nothing here needs Spark.
"""
