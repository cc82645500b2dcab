//! For tests, of this crate and of those above it: steps at which a change can be held, and
//! throw-away databases of both kinds.
//!
//! A test that can't have its database fails; it is never skipped.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failing test panics")]

mod database;
mod hooks;
mod judging;
mod postgres;

pub use database::TestDatabase;
pub use hooks::{Hooks, Pause, Step};
pub use judging::{ChangeRow, Silence};
pub use postgres::postgres_programs;

/// Makes each test twice, on a fresh SQLite file and in a fresh PostgreSQL database:
///
/// ```ignore
/// control::on_both_databases! {
///     async fn a_revoked_token_is_told_so(database: TestDatabase) { … }
/// }
/// ```
#[macro_export]
macro_rules! on_both_databases {
    ($($(#[$attribute:meta])* async fn $name:ident($database:ident: TestDatabase) $body:block)*) => {$(
        $(#[$attribute])*
        mod $name {
            #[allow(unused_imports, reason = "some tests name everything by its path")]
            use super::*;

            async fn test($database: &$crate::testing::TestDatabase) $body

            #[tokio::test]
            async fn sqlite() {
                test(&$crate::testing::TestDatabase::sqlite()).await;
            }

            #[tokio::test]
            async fn postgres() {
                test(&$crate::testing::TestDatabase::postgres().await).await;
            }
        }
    )*};
}
