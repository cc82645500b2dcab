//! A change is there as a whole or not at all: the control plane is killed in the middle of it,
//! after the first row that it writes in each table.

use std::fmt::Write as _;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::json;

use crate::command_line::Here;
use crate::site::{Admin, CONDAGATE, Database, Process, patience};

/// What is done twice: once to see which tables it writes, and once with everything going wrong.
const CHANGES: [&str; 9] = [
    "channel create fresh#",
    "service-account create bare#",
    "token create --channel base# --name new",
    "token reissue # --overlap 1h",
    "token revoke #",
    "token import values#",
    "group delete team#",
    "user deactivate bob#",
    "channel delete base#",
];

/// What that needs.
const BEFORE: [&str; 8] = [
    "channel create base#",
    "service-account create base#",
    // The first two tokens of all: their numbers are 1 and 2.
    "token create --channel base# --name old",
    "channel create bare#",
    "group create team#",
    "group add-member team# alice",
    "group permit team# base# read",
    "user create bob# --password-stdin",
];

const PASSWORD: &str = "bob's own password";

/// More of the processor's time than any step of these changes takes.
const ENDLESS: Duration = Duration::from_millis(300);

#[test]
fn a_killed_process_leaves_no_half_change_on_sqlite() {
    leaves_no_half_change(Database::Sqlite);
}

#[test]
fn a_killed_process_leaves_no_half_change_on_postgres() {
    leaves_no_half_change(Database::Postgres);
}

fn leaves_no_half_change(database: Database) {
    let mut here = Here::running("control", database);
    prepare(&here);
    let tables = tables(&here.site.admin);
    let writes = CHANGES.map(|change| (change, written(&here, &tables, change)));
    let mut kills = 0;
    for (change, written) in writes {
        assert!(written.len() > 3, "{change} writes {written:?}");
        for table in &written {
            here = killed(here, change, table, &tables);
            kills += 1;
        }
        here.done(&line(change, 2));
    }
    println!("killed {kills} times");
    here.site.stop();
}

fn line(change: &str, number: usize) -> String {
    change.replace('#', &number.to_string())
}

fn prepare(here: &Here) {
    for number in [1, 2] {
        here.sign_in();
        for command in BEFORE {
            let command = line(command, number);
            let words: Vec<&str> = command.split_whitespace().collect();
            let done = here.run(&words, &[], PASSWORD);
            assert!(done.status.success(), "{command}: {done:?}");
        }
        let mut values = String::new();
        for value in 0..3 {
            let token = json!({
                "value": format!("imported-value-{number}{value}"),
                "service_account": format!("service-account-channel-base{number}"),
                "name": format!("imported {value}"),
                "permission": "read",
                "channels": [format!("base{number}")],
                "expires_in": "30d",
            });
            let _ = writeln!(values, "{token}");
        }
        std::fs::write(here.site.path(&format!("values{number}")), values).unwrap();
        // A session that ends with its user.
        assert!(here.signs_in(&format!("bob{number}"), PASSWORD));
    }
    here.sign_in();
}

fn tables(admin: &Admin) -> Vec<String> {
    let tables = if admin.is_on_postgres() {
        "SELECT CAST(tablename AS TEXT) FROM pg_tables WHERE schemaname = 'public'"
    } else {
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'"
    };
    admin.texts(format!("{tables} ORDER BY 1"))
}

/// Which tables a change writes.
fn written(here: &Here, tables: &[String], change: &str) -> Vec<String> {
    let admin = &here.site.admin;
    admin.sql("CREATE TABLE written (name TEXT NOT NULL)");
    for table in tables {
        watch(admin, table, &format!("INSERT INTO written VALUES ('{table}')"));
    }
    here.done(&line(change, 1));
    for table in tables {
        unwatch(admin, table);
    }
    let written = admin.texts("SELECT DISTINCT name FROM written ORDER BY 1");
    admin.sql("DROP TABLE written");
    written
}

/// Kills the control plane when the change has written its first row of that table, and sees that
/// nothing at all is left of it.
fn killed(here: Here, change: &str, table: &str, tables: &[String]) -> Here {
    let admin = &here.site.admin;
    let before = content(admin, tables);
    stop_at(admin, table);
    let home = here.site.folder.path();
    let change = line(change, 2);
    let environment = [("HOME", home.to_str().unwrap())];
    let mut client =
        Process::start("client", CONDAGATE, change.split_whitespace(), &environment, home);
    let began = here.site.process.processor_time();
    patience::until(&format!("{change} to write {table}"), || {
        assert!(client.ended().is_none(), "{change}: {}", client.stderr());
        let stopped = if admin.is_on_postgres() {
            let sleeping = "SELECT 'x' FROM pg_stat_activity \
                 WHERE datname = current_database() AND wait_event = 'PgSleep'";
            admin.texts(sleeping).len() == 1
        } else {
            here.site.process.processor_time() >= began + ENDLESS
        };
        stopped.then_some(())
    });
    here.site.process.signal(Signal::KILL);
    // Before it can ask again.
    drop(client);
    let here = Here { site: here.site.restart(Signal::KILL), ..here };
    let admin = &here.site.admin;
    go_on(admin, table);
    let after = content(admin, tables);
    assert_eq!(before, after, "{change}, killed at {table}");
    here
}

/// Every row of every table.
fn content(admin: &Admin, tables: &[String]) -> Vec<(String, Vec<String>)> {
    let rows = |table: &String| {
        let row = if admin.is_on_postgres() {
            format!("CAST({table} AS TEXT)")
        } else {
            let columns =
                format!("SELECT 'quote(\"' || name || '\")' FROM pragma_table_info('{table}')");
            admin.texts(columns).join(" || ',' || ")
        };
        (table.clone(), admin.texts(format!("SELECT {row} FROM {table} ORDER BY 1")))
    };
    tables.iter().map(rows).collect()
}

/// Has whoever writes a row of the table do something besides.
fn watch(admin: &Admin, table: &str, sql: &str) {
    if admin.is_on_postgres() {
        admin.sql(format!(
            "CREATE FUNCTION watch_{table}() RETURNS trigger LANGUAGE plpgsql AS \
             $$ BEGIN {sql}; RETURN NULL; END $$; \
             CREATE TRIGGER watch AFTER INSERT OR UPDATE OR DELETE ON {table} \
             FOR EACH ROW EXECUTE FUNCTION watch_{table}()"
        ));
        return;
    }
    for event in ["INSERT", "UPDATE", "DELETE"] {
        admin.sql(format!(
            "CREATE TRIGGER watch_{table}_{event} AFTER {event} ON {table} BEGIN {sql}; END"
        ));
    }
}

fn unwatch(admin: &Admin, table: &str) {
    if admin.is_on_postgres() {
        admin.sql(format!("DROP FUNCTION watch_{table} CASCADE"));
        return;
    }
    for event in ["INSERT", "UPDATE", "DELETE"] {
        admin.sql(format!("DROP TRIGGER watch_{table}_{event}"));
    }
}

/// Has whoever writes a row of the table stop there: on SQLite for ever, on PostgreSQL, whose server
/// outlives its client, until [`go_on`].
fn stop_at(admin: &Admin, table: &str) {
    if admin.is_on_postgres() {
        admin.sql("CREATE TABLE stop ()");
        let stops = "SELECT 1 FROM pg_tables WHERE tablename = 'stop'";
        let wait = format!("WHILE EXISTS ({stops}) LOOP PERFORM pg_sleep(0.05); END LOOP");
        watch(admin, table, &wait);
    } else {
        // A trigger can't have a recursive query of its own.
        admin.sql(
            "CREATE VIEW stop AS WITH RECURSIVE up (n) AS (SELECT 1 UNION ALL SELECT 1 FROM up) \
             SELECT count(*) FROM up",
        );
        watch(admin, table, "SELECT * FROM stop");
    }
}

fn go_on(admin: &Admin, table: &str) {
    let what = if admin.is_on_postgres() { "TABLE" } else { "VIEW" };
    admin.sql(format!("DROP {what} stop"));
    unwatch(admin, table);
}
