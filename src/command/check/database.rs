//! The control database: reachable, of this version, and durable (sync.md F5).

use std::fs::OpenOptions;
use std::io;
use std::path::{Path, PathBuf};

use access::Channel;
use config::DatabaseKind;
use control::{Durability, Inspection, MigrationStatus};

use super::files;
use super::finding::Finding;
use crate::process::Database;

const ABOUT: &str = "database.url";
/// How far the clocks of two machines may be apart (sync.md T5).
const MAX_SKEW_MS: i64 = 2_000;
/// About the file of a database that can be looked into.
const FILE: &str = "database file";

/// What is found, and the channels that are registered.
pub(super) async fn look(settings: &config::Database) -> (Vec<Finding>, Vec<Channel>) {
    let mut found = Vec::new();
    if settings.url.kind() == DatabaseKind::Sqlite {
        match sqlite_file(&settings.url.masked()) {
            Some(file) => found.extend(look_at_file(&file)),
            None => found.push(in_memory()),
        }
        if found.iter().any(|finding| finding.about != FILE) {
            return (found, Vec::new());
        }
    }
    match Database::inspect(settings).await {
        Ok(inspection) => {
            found.extend(judge(&settings.url.masked(), &inspection));
            (found, inspection.channels)
        }
        Err(why) => {
            found.push(Finding::error(ABOUT, why.to_string()));
            (found, Vec::new())
        }
    }
}

fn judge(url: &str, inspection: &Inspection) -> Vec<Finding> {
    let mut found = vec![match inspection.migrations {
        MigrationStatus { unknown: 1.., .. } => Finding::error(
            ABOUT,
            format!(
                "{url} was made by a newer condagate; install that version, or restore the backup \
                 from before it"
            ),
        ),
        MigrationStatus { pending: 1.., .. } => Finding::error(
            ABOUT,
            format!(
                "{url} is not of this version yet; run `condagate migrate` (`serve` and `control` do \
                 it when they start)"
            ),
        ),
        _ => Finding::ok(
            ABOUT,
            format!("{url} is of this version; channels: {}", inspection.channels.len()),
        ),
    }];
    found.extend(durability(&inspection.durability));
    found.extend(skew(inspection.skew_ms));
    found
}

/// Tokens expire by the database's time (sync.md T5).
fn skew(ahead_ms: i64) -> Option<Finding> {
    (ahead_ms.abs() > MAX_SKEW_MS).then(|| {
        let (seconds, word) =
            (ahead_ms.abs() / 1000, if ahead_ms > 0 { "ahead" } else { "behind" });
        let message = format!(
            "the database's clock is {seconds} s {word} of this machine's; tokens expire by the \
             database's: set both by NTP"
        );
        Finding::warn("database clock", message)
    })
}

/// What keeps commits from being durable.
fn durability(settings: &Durability) -> Vec<Finding> {
    const SUBJECT: &str = "database durability";
    let found: Vec<Finding> = match settings {
        Durability::Sqlite { journal_mode } => (journal_mode != "wal")
            .then(|| {
                let message = format!(
                    "the journal mode is `{journal_mode}`, not `wal`; condagate sets it when it \
                     starts, unless the file system can't: keep the file on a local disk"
                );
                Finding::warn(SUBJECT, message)
            })
            .into_iter()
            .collect(),
        Durability::Postgres {
            fsync,
            full_page_writes,
            synchronous_commit,
            transaction_read_only,
            synchronous_standby_names,
            standbys,
        } => {
            let cases = [
                (
                    transaction_read_only != "off",
                    Finding::error(SUBJECT, "the server is read-only; connect to the primary"),
                ),
                (
                    fsync != "on",
                    Finding::error(
                        SUBJECT,
                        "the server runs with `fsync = off`: a crash can bring a revoked token \
                         back, or lose the database; set it to `on`",
                    ),
                ),
                (
                    full_page_writes != "on",
                    Finding::warn(
                        SUBJECT,
                        "the server runs with `full_page_writes = off`: a crash can lose the \
                         database, unless its file system never tears a page; set it to `on`",
                    ),
                ),
                (
                    synchronous_commit == "off",
                    Finding::warn(
                        SUBJECT,
                        "this role's default is `synchronous_commit = off`; condagate's sessions set \
                         `on`, which a pooler between may lose: run `ALTER ROLE … SET \
                         synchronous_commit = on`",
                    ),
                ),
                (
                    *standbys > 0 && synchronous_standby_names.is_empty(),
                    Finding::warn(
                        SUBJECT,
                        "the server has standbys, but none that is synchronous: a failover can lose \
                         the last changes, revokes that were confirmed among them; set \
                         `synchronous_standby_names`, and fence the old primary",
                    ),
                ),
            ];
            cases.into_iter().filter_map(|(wrong, finding)| wrong.then_some(finding)).collect()
        }
    };
    match found[..] {
        [] => vec![Finding::ok(SUBJECT, "what is committed survives a crash")],
        _ => found,
    }
}

/// The file of `sqlite://FILE`; none for one in memory.
fn sqlite_file(url: &str) -> Option<PathBuf> {
    let file = url.strip_prefix("sqlite://")?.split('?').next()?;
    let decoded = percent_encoding::percent_decode_str(file).decode_utf8_lossy();
    (!decoded.starts_with(':')).then(|| PathBuf::from(&*decoded))
}

fn in_memory() -> Finding {
    Finding::warn(ABOUT, "is in memory: everything is gone when the process ends; name a file")
}

/// What is wrong with the file; about [`FILE`] where it can be looked into all the same.
fn look_at_file(file: &Path) -> Option<Finding> {
    let name = file.display();
    match OpenOptions::new().read(true).write(true).open(file) {
        Ok(_) => files::exposed(FILE, file),
        Err(why) if why.kind() == io::ErrorKind::NotFound => {
            Some(match file.parent().filter(|folder| !folder.as_os_str().is_empty()) {
                Some(folder) if !folder.is_dir() => Finding::error(
                    ABOUT,
                    format!(
                        "{name} can't be made: there is no folder {}; make it",
                        folder.display()
                    ),
                ),
                _ => Finding::warn(
                    ABOUT,
                    format!(
                        "there is no {name} yet; `condagate migrate`, `serve` or `control` makes it. \
                         Is this the folder you meant?"
                    ),
                ),
            })
        }
        Err(why) => Some(Finding::error(
            ABOUT,
            format!("{name} can't be read and written: {why}; run this as the user of the service"),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::super::finding::Level;
    use super::*;

    fn settings(url: &str) -> config::Database {
        let text = format!("[database]\nurl = \"{url}\"\n");
        let loaded = config::Config::from_text(&text, Path::new(""), std::iter::empty());
        loaded.unwrap().config.database
    }

    async fn levels(url: &str) -> Vec<(Level, String)> {
        let found = look(&settings(url)).await.0.into_iter();
        let found = found.filter(|finding| finding.about != FILE);
        found.map(|finding| (finding.level, finding.message)).collect()
    }

    #[tokio::test]
    async fn a_database_that_is_not_there_is_not_made() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("c.db");
        let found = levels(&format!("sqlite://{}", file.display())).await;
        assert_eq!((found.len(), found[0].0), (1, Level::Warn), "{found:?}");
        assert!(!file.exists());
        let found = levels(&format!("sqlite://{}/no/c.db", folder.path().display())).await;
        assert_eq!((found.len(), found[0].0), (1, Level::Error), "{found:?}");
        assert_eq!(levels("sqlite::memory:").await[0].0, Level::Warn);
    }

    #[tokio::test]
    async fn a_file_that_is_no_database_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("c.db");
        std::fs::write(&file, "not a database, but long enough to be asked for a header".repeat(9))
            .unwrap();
        let found = levels(&format!("sqlite://{}", file.display())).await;
        assert_eq!((found.len(), found[0].0), (1, Level::Error), "{found:?}");
    }

    control::on_both_databases! {
        async fn a_database_is_looked_at_and_not_changed(database: TestDatabase) {
            let store = control::Store::connect(database.url(), 2).await.unwrap();
            for _ in 0..2 {
                let found = levels(database.url()).await;
                assert_eq!(found[0].0, Level::Error, "{found:?}");
                assert!(found[0].1.contains("condagate migrate"), "{found:?}");
            }
            store.migrate().await.unwrap();
            let found = levels(database.url()).await;
            assert_eq!(found[0].0, Level::Ok, "{found:?}");
            // The tests' own server is set to be fast, not durable.
            let levels: Vec<_> = found[1..].iter().map(|finding| finding.0).collect();
            match database.is_postgres() {
                true => assert_eq!(levels, [Level::Error, Level::Warn], "{found:?}"),
                false => assert_eq!(levels, [Level::Ok], "{found:?}"),
            }
            store.close().await;
        }
    }

    #[test]
    fn clocks_that_are_apart_are_told() {
        assert_eq!(skew(2_000), None);
        assert!(skew(-7_400).unwrap().message.contains("7 s behind"));
        assert_eq!(skew(2_001).unwrap().level, Level::Warn);
    }

    #[test]
    fn settings_that_lose_commits_are_told() {
        let replicated =
            |fsync: &str, commit: &str, read_only: &str, (standbys, names): (i64, &str)| {
                let found = durability(&Durability::Postgres {
                    fsync: fsync.into(),
                    full_page_writes: "on".into(),
                    synchronous_commit: commit.into(),
                    transaction_read_only: read_only.into(),
                    synchronous_standby_names: names.into(),
                    standbys,
                });
                found.into_iter().map(|finding| finding.level).collect::<Vec<_>>()
            };
        let postgres = |fsync: &str, commit: &str, read_only: &str| {
            replicated(fsync, commit, read_only, (0, ""))
        };
        assert_eq!(postgres("on", "remote_apply", "off"), [Level::Ok]);
        assert_eq!(postgres("off", "on", "off"), [Level::Error]);
        assert_eq!(replicated("on", "on", "off", (1, "")), [Level::Warn]);
        assert_eq!(replicated("on", "on", "off", (1, "ANY 1 (a, b)")), [Level::Ok]);
        assert_eq!(postgres("on", "off", "off"), [Level::Warn]);
        assert_eq!(postgres("on", "on", "on"), [Level::Error]);
        let sqlite = durability(&Durability::Sqlite { journal_mode: "delete".into() });
        assert_eq!(sqlite[0].level, Level::Warn);
    }

    #[test]
    fn the_file_in_a_url() {
        assert_eq!(sqlite_file("sqlite:///a%3Fb.db?mode=rw"), Some("/a?b.db".into()));
        assert_eq!(sqlite_file("sqlite://a.db"), Some("a.db".into()));
        assert_eq!(sqlite_file("sqlite://:memory:"), None);
    }
}
