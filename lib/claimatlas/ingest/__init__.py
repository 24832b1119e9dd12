"""Raw files to silver: discover, read, validate, load, merge; every row is accepted or rejected with reasons.

``look`` finds the input before Spark starts, ``replace_silver`` loads silver whole, ``merge.batch`` adds a batch to it.
"""
