"""Many accounts: which of them a run reads (`planning`), what of each (`shards`), how each is audited by
itself (`scanning`), what comes of it (`outcomes`), and what all of them come to (`merging`).

A shard is an account and its regions. A run is one pass over the shards, and names what it writes:

    shards/run=20261126T060000Z/account_id=123456789012/findings.parquet    one object a shard, and all of it
    organizations/20261126T060000Z/organization.json                        what they come to
    organizations/20261126T060000Z/organization.html                        a page of it

The first are a table that Athena and DuckDB read as it is. An account that could not be entered has an
object too, without rows, which says why.
"""

SHARDS, ORGANIZATIONS = "shards", "organizations"
