//! Reading the audit log.

use serde_json::Value;

use super::Here;
use crate::site::Database;

#[test]
fn the_audit_log_is_read_filtered_and_exported() {
    let here = Here::new(Database::Sqlite);
    here.sign_in();
    here.done("group create analysts");
    here.done("group permit analysts demo read");
    here.done("group permit analysts demo write");
    let list = here.done("audit list --since 1h --limit 1");
    assert!(list.contains("group.set_permission"), "the newest first: {list}");
    assert!(list.contains("permission read → write"), "{list}");
    let created = here.json("audit list --action group.create --actor alice --target analysts");
    let [event] = created.as_array().unwrap().as_slice() else { panic!("{created}") };
    assert_eq!(event["after"]["name"], "analysts", "{event}");
    assert_eq!(here.json("audit list --until 2026-01-01"), Value::Array(vec![]));

    let all = here.json("audit list");
    let exported = here.done("audit export");
    let exported = exported.lines().map(|line| serde_json::from_str(line).unwrap());
    assert_eq!(Value::Array(exported.collect()), all);
    here.site.stop();
}
