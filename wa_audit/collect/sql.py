"""The SQL that may be run in an account: constants, each one SELECT on a database's own catalog.

To IAM, `redshift-data:ExecuteStatement` is writing, whatever the statement says. So the guard lets no other
text through, and not even these unless the user asked for them: see `plan.OPTIONS`.
"""

from __future__ import annotations

# One row for each external table, with its schema; one for a schema without tables; and one without either
# where no schema is to be seen, so that an answer without rows is no answer. Superusers see every row of the
# views, others those of schemas that they may use. The views speak of the one database that the statement
# runs in, so the others are counted, without those that every cluster has: `sys:internal` is written without
# its colon, which would begin a parameter. Options, locations and parameters stay where they are: a role's
# ARN or a user's name may stand in them.
# https://docs.aws.amazon.com/redshift/latest/dg/r_SVV_EXTERNAL_SCHEMAS.html
# https://docs.aws.amazon.com/redshift/latest/dg/r_SVV_EXTERNAL_TABLES.html
# https://docs.aws.amazon.com/redshift/latest/dg/r_SVV_EXTERNAL_COLUMNS.html
EXTERNAL_TABLES = (
    "SELECT u.usesuper,"
    " (SELECT COUNT(*) FROM pg_database WHERE datallowconn AND NOT datistemplate"
    " AND datname NOT LIKE 'padb_harvest' AND datname NOT LIKE 'sys_internal') AS databases,"
    " s.schemaname, s.eskind, s.databasename,"
    " t.tablename, t.input_format, t.serialization_lib, t.location LIKE 's3%' AS in_s3, p.partition_keys"
    " FROM pg_user u"
    " LEFT JOIN svv_external_schemas s ON 1 = 1"
    " LEFT JOIN svv_external_tables t ON t.schemaname = s.schemaname"
    " LEFT JOIN (SELECT schemaname, tablename, COUNT(*) AS partition_keys FROM svv_external_columns"
    " WHERE part_key > 0 GROUP BY schemaname, tablename) p"
    " ON p.schemaname = t.schemaname AND p.tablename = t.tablename"
    " WHERE u.usename = current_user"
    " ORDER BY s.schemaname, t.tablename"
)

STATEMENTS = frozenset({EXTERNAL_TABLES})
"""Every text that may be run."""

OPERATIONS = frozenset({"redshift-data:ExecuteStatement"})
"""The operations that run one, in their parameter `Sql`."""
