//! The section `[database]`.

use crate::section::settings;
use crate::value::DatabaseUrl;

settings! {
    /// Where users, channels, tokens and the audit log are kept.
    pub struct Database {
        /// `sqlite://FILE` on one machine, `postgres://USER@HOST/DATABASE` on more than one.
        url: DatabaseUrl = DatabaseUrl::sqlite("condagate.db");
        /// Connections in the pool; feed and lease use one more.
        max_connections: u32 = 10, within 1..=1000;
    }
}
