//! A PostgreSQL role for gateways, with the rights that they need and no others (sync.md, "Least
//! rights").

use sqlx::{AssertSqlSafe, Connection as _, Executor as _, Row as _};

use super::dialect::Dialect;
use super::{Store, StoreError};

/// What a gateway reads and writes, a row per table. Columns are named where the table holds what
/// it has no use for: names of tokens, accounts and people. Password hashes, sessions, audit events
/// and kept answers are in other tables.
const RIGHTS: [(&str, &str); 16] = [
    ("_sqlx_migrations", "SELECT"),
    ("database_identity", "SELECT"),
    ("revision_counter", "SELECT"),
    ("revisions", "SELECT (revision, stamp)"),
    ("changes", "SELECT"),
    ("channels", "SELECT (id, name, privacy, storage, prefix, include_subchannels)"),
    ("principals", "SELECT (id, deactivated_at)"),
    ("group_members", "SELECT (group_id, principal_id)"),
    ("group_permissions", "SELECT"),
    ("token_values", "SELECT (digest, token_id, hint, valid_until)"),
    ("token_channels", "SELECT"),
    ("tokens", TOKENS),
    // The rows that it made: the migration "own rows".
    // Columns to update: who may update a table may lock it.
    (
        "gateways",
        "SELECT, INSERT, UPDATE (applied_revision, applied_stamp, renewal, renewed_at, ended_at)",
    ),
    ("token_last_used", "SELECT, INSERT, UPDATE (last_used_at, last_used_from)"),
    ("usage_days", "SELECT, INSERT, UPDATE (downloads, bytes, addresses)"),
    // Kept for days only: gateways forget what is older.
    ("usage_addresses, usage_reporters", "SELECT, INSERT, UPDATE, DELETE"),
];
const TOKENS: &str = "SELECT (id, principal_id, permission, issued_at, expires_at, revoked_at, \
     networks, requests_per_second, bytes_per_day)";

/// What a role may do anyway: a superuser, who passes over row security, and who may act as the
/// tables' owner can't be limited.
const ROLE: &str = "SELECT quote_ident(r.rolname) AS quoted, \
     CAST(r.rolsuper OR r.rolbypassrls OR r.rolcreaterole OR r.rolreplication \
     OR pg_has_role(r.oid, c.relowner, 'MEMBER') OR pg_has_role(r.oid, n.nspowner, 'MEMBER') \
     OR pg_has_role(r.oid, d.datdba, 'MEMBER') OR EXISTS (SELECT 1 FROM pg_roles m WHERE m.rolname IN \
     ('pg_execute_server_program', 'pg_read_server_files', 'pg_write_server_files', \
     'pg_signal_backend') AND pg_has_role(r.oid, m.oid, 'MEMBER')) AS int) AS mighty, \
     CAST(has_schema_privilege(r.oid, n.oid, 'CREATE') AS int) AS creates, \
     CAST(has_schema_privilege(r.oid, c.relnamespace, 'USAGE') AS int) AS in_schema, \
     quote_ident(n.nspname) AS schema, \
     CAST(has_database_privilege(r.oid, current_database(), 'CONNECT') AS int) AS connects, \
     quote_ident(current_database()) AS database \
     FROM pg_roles r, pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
     JOIN pg_database d ON d.datname = current_database() \
     WHERE r.rolname = $1 AND c.oid = CAST('gateways' AS regclass)";

/// The tables and views, and the sequences, of their owner.
const RELATIONS: &str = "SELECT string_agg(quote_ident(c.relname), ', ') \
     FILTER (WHERE c.relkind <> 'S') AS tables, string_agg(quote_ident(c.relname), ', ') \
     FILTER (WHERE c.relkind = 'S') AS sequences FROM pg_class c \
     JOIN pg_class g ON g.oid = CAST('gateways' AS regclass) \
     AND g.relnamespace = c.relnamespace AND g.relowner = c.relowner \
     WHERE c.relkind IN ('r', 'v', 'm', 'S')";

/// What the role may do on these tables though nothing of it was given to itself: by what everybody
/// may, by a role that it is a member of, or by what a role gave it that is not the tables' owner.
/// $1 is its name.
const BY_OTHERS: &str = "SELECT may.what || ' on ' || c.relname || ' by ' || o.shown FROM pg_roles r \
     CROSS JOIN LATERAL (SELECT 1 AS place, 'public' AS name, 'PUBLIC' AS shown UNION ALL \
     SELECT 2, m.rolname, 'its membership in ' || quote_ident(m.rolname) FROM pg_roles m \
     WHERE m.oid <> r.oid AND pg_has_role(r.oid, m.oid, 'MEMBER') UNION ALL \
     SELECT 3, r.rolname, 'a grant that another role made') AS o \
     CROSS JOIN (VALUES ('SELECT'), ('INSERT'), ('UPDATE'), ('REFERENCES'), ('DELETE'), ('TRUNCATE'), \
     ('TRIGGER')) AS may (what) \
     JOIN pg_class g ON g.oid = CAST('gateways' AS regclass) \
     JOIN pg_class c ON g.relnamespace = c.relnamespace AND g.relowner = c.relowner \
     AND c.relkind IN ('r', 'v', 'm', 'S') \
     WHERE r.rolname = $1 AND (has_table_privilege(CAST(o.name AS name), c.oid, may.what) \
     OR CASE WHEN may.what IN ('SELECT', 'INSERT', 'UPDATE', 'REFERENCES') \
     THEN has_any_column_privilege(CAST(o.name AS name), c.oid, may.what) ELSE false END) \
     ORDER BY o.place, o.name, c.relname, may.what LIMIT 1";

/// Why a role was not given the rights of a gateway.
#[derive(Debug, thiserror::Error)]
pub enum GatewayRoleError {
    /// The database is SQLite.
    #[error(
        "SQLite has no roles: who can open the file can read all of it. Gateways with rights of \
         their own need PostgreSQL"
    )]
    Sqlite,
    /// The server has no such role.
    #[error(
        "PostgreSQL has no role `{0}`; make it with CREATE ROLE … LOGIN PASSWORD '…', then run \
         this again"
    )]
    Missing(String),
    /// Its rights can't be limited.
    #[error(
        "the role `{0}` is a superuser or has BYPASSRLS, CREATEROLE or REPLICATION, owns the tables, \
         their schema or the database or may act as their owner, or may run programs or read files \
         on the server: what it may do can't be limited; make a role for gateways alone"
    )]
    Unlimited(String),
    /// It has rights that are not its own to take.
    #[error(
        "the role `{role}` may do more than a gateway needs, and not by rights of its own: {right}. \
         Take that away (REVOKE … FROM PUBLIC, REVOKE role FROM role), or make a role for gateways \
         alone, then run this again"
    )]
    ByOthers {
        /// The role.
        role: String,
        /// One of the rights, and through whom.
        right: String,
    },
    /// The database refused, or didn't answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<sqlx::Error> for GatewayRoleError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

impl Store {
    /// Gives the PostgreSQL role `role` the rights of a gateway on the tables of this version, and
    /// takes every other right on them. Doing it again changes nothing.
    ///
    /// # Errors
    /// [`GatewayRoleError`]; then its rights are as before.
    pub async fn grant_gateway_role(&self, role: &str) -> Result<(), GatewayRoleError> {
        let Dialect::Postgres { .. } = self.dialect else { return Err(GatewayRoleError::Sqlite) };
        let mut connection = self.reader().await?;
        let mut transaction = connection.begin().await?;
        let found = sqlx::query(ROLE).bind(role).fetch_optional(&mut *transaction).await?;
        let found = found.ok_or_else(|| GatewayRoleError::Missing(role.to_owned()))?;
        if found.try_get::<i32, _>("mighty")? != 0 {
            return Err(GatewayRoleError::Unlimited(role.to_owned()));
        }
        let quoted: String = found.try_get("quoted")?;
        let relations = sqlx::query(RELATIONS).fetch_one(&mut *transaction).await?;
        let mut revoke = String::new();
        for (kind, column) in [("TABLE", "tables"), ("SEQUENCE", "sequences")] {
            if let Some(names) = relations.try_get::<Option<String>, _>(column)? {
                revoke += &format!("REVOKE ALL ON {kind} {names} FROM {quoted} CASCADE;");
            }
        }
        transaction.execute(sqlx::raw_sql(AssertSqlSafe(revoke))).await?;
        if found.try_get::<i32, _>("creates")? != 0 {
            let right = format!("CREATE on schema {}", found.try_get::<String, _>("schema")?);
            return Err(GatewayRoleError::ByOthers { role: role.to_owned(), right });
        }
        // What it may still do comes from elsewhere.
        let by_others = sqlx::query_scalar(BY_OTHERS).bind(role);
        if let Some(right) = by_others.fetch_optional(&mut *transaction).await? {
            return Err(GatewayRoleError::ByOthers { role: role.to_owned(), right });
        }
        let mut sql = String::new();
        for (tables, rights) in RIGHTS {
            sql += &format!("GRANT {rights} ON {tables} TO {quoted};");
        }
        // Most have these as everybody does, and not every owner of tables may give them.
        if found.try_get::<i32, _>("in_schema")? == 0 {
            let schema: String = found.try_get("schema")?;
            sql += &format!("GRANT USAGE ON SCHEMA {schema} TO {quoted};");
        }
        if found.try_get::<i32, _>("connects")? == 0 {
            let database: String = found.try_get("database")?;
            sql += &format!("GRANT CONNECT ON DATABASE {database} TO {quoted};");
        }
        transaction.execute(sqlx::raw_sql(AssertSqlSafe(sql))).await?;
        Ok(transaction.commit().await?)
    }
}
