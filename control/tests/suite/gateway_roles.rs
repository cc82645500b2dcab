//! PostgreSQL roles of gateways: each writes the rows that it made, and no other gateway's.

use std::sync::Arc;
use std::time::Duration;

use access::lease::{Instance, LeaseSource as _, LeaseTerms, Registration, Renewal};
use access::{GrantSource as _, ManualClock, SystemClock};
use control::testing::TestDatabase;
use control::usecases::proof::{MemberState, Proof, prove};
use control::usecases::user;
use control::{Control, GatewayRoleError, GatewaySource, Observer, Store};
use sqlx::{AssertSqlSafe, Executor as _};

use crate::world::{PASSWORD, settings};

const LEASE: Duration = Duration::from_secs(180);

/// The database as a role that is made for it.
async fn as_role(database: &TestDatabase, superuser: &Store, role: &str) -> Store {
    sql(superuser, &format!("CREATE ROLE {role} LOGIN")).await.unwrap();
    let url = database.url().replace("//postgres@", &format!("//{role}@"));
    if role.starts_with("control") {
        sql(superuser, &format!("ALTER SCHEMA public OWNER TO {role}")).await.unwrap();
    }
    Store::connect(&url, 4).await.unwrap()
}

async fn sql(store: &Store, sql: &str) -> Result<u64, sqlx::Error> {
    let done = store.pool().execute(sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))).await?;
    Ok(done.rows_affected())
}

fn instance(of: &str) -> Instance {
    Instance(format!("instance-of-{of}"))
}

async fn register(source: &GatewaySource, name: &str) {
    let terms =
        LeaseTerms { lease: LEASE, serve_known: Duration::ZERO, public_grace: Duration::ZERO };
    let (name, version) = (name.to_owned(), "1".to_owned());
    let registration = Registration { instance: instance(&name), name, version, terms };
    source.register(registration).await.unwrap();
}

fn states(proof: &Proof) -> Vec<MemberState> {
    proof.gateways.iter().map(|member| member.state).collect()
}

#[tokio::test]
async fn l4_a_gateway_acknowledges_for_itself_alone() {
    let database = TestDatabase::postgres().await;
    let superuser = Store::connect(database.url(), 1).await.unwrap();
    let clock = Arc::new(ManualClock::at(access::Clock::now(&SystemClock)));
    let owner = as_role(&database, &superuser, "control_of_roles").await;
    owner.migrate().await.unwrap();
    let control = Control::new(owner.clone(), settings(), clock.clone());
    let (a, b) = ("gateway_a", "gateway_b");
    let stores = [as_role(&database, &superuser, a).await, as_role(&database, &superuser, b).await];
    for role in [a, b] {
        owner.grant_gateway_role(role).await.unwrap();
    }
    let [a, b] = stores.each_ref().map(|store| store.gateway_source(clock.clone()));
    register(&a, "a").await;
    register(&b, "b").await;
    let made = user::create_admin(&control, "root", PASSWORD).await.unwrap().revision;
    let applied = a.begin(0).await.unwrap().applied;

    a.acknowledge(instance("a"), applied.clone()).await.unwrap();
    a.acknowledge(instance("b"), applied.clone()).await.unwrap();
    a.end(instance("b")).await.unwrap();
    assert_eq!(a.renew(instance("b")).await.unwrap(), Renewal::Ended, "as if there were no row");
    let proof = prove(&control, made, Duration::ZERO).await.unwrap();
    assert_eq!(states(&proof), [MemberState::Applied, MemberState::Waiting]);
    for (forged, why) in [
        ("UPDATE gateways SET registered_by = 'gateway_b'", "permission denied"),
        (
            "INSERT INTO gateways (instance, name, version, started_at, applied_revision, \
             applied_stamp, renewal, renewed_at, lease_ms, serve_known_ms, registered_by) \
             VALUES ('x', 'x', '1', 0, 0, 0, 0, 0, 0, 0, 'gateway_b')",
            "row-level security",
        ),
        ("DO $$ BEGIN LOCK TABLE gateways IN EXCLUSIVE MODE; END $$", "permission denied"),
    ] {
        let refused = sql(&stores[0], forged).await.unwrap_err().to_string();
        assert!(refused.contains(why), "{forged}: {refused}");
    }
    assert_eq!(sql(&stores[0], "SELECT 1 FROM gateways").await.unwrap(), 1, "its own");

    b.acknowledge(instance("b"), applied).await.unwrap();
    let proof = prove(&control, made, Duration::ZERO).await.unwrap();
    assert_eq!(states(&proof), [MemberState::Applied, MemberState::Applied]);
    assert_eq!(b.renew(instance("b")).await.unwrap(), Renewal::Committed);

    // The control plane ends any of them.
    let mut observer = Observer::new(owner, clock.clone());
    observer.look().await.unwrap();
    clock.advance(LEASE);
    observer.look().await.unwrap();
    for (source, name) in [(a, "a"), (b, "b")] {
        assert_eq!(source.renew(instance(name)).await.unwrap(), Renewal::Ended);
    }
}

#[tokio::test]
async fn rights_that_a_role_has_by_others_are_named_and_nothing_is_given() {
    let database = TestDatabase::postgres().await;
    let store = database.store().await;
    for make in [
        "CREATE ROLE gateway_member IN ROLE pg_read_all_data",
        "CREATE ROLE gateway_noinherit NOINHERIT IN ROLE pg_write_all_data",
    ] {
        sql(&store, make).await.unwrap();
    }
    for (role, right) in [
        ("gateway_member", "by its membership in pg_read_all_data"),
        ("gateway_noinherit", "by its membership in pg_write_all_data"),
    ] {
        let refused = store.grant_gateway_role(role).await.unwrap_err();
        assert!(matches!(refused, GatewayRoleError::ByOthers { .. }), "{refused}");
        assert!(refused.to_string().contains(right), "{refused}");
    }
    for make in [
        "CREATE ROLE gateway_makes_roles CREATEROLE",
        "CREATE ROLE gateway_runs IN ROLE pg_execute_server_program",
        "CREATE ROLE gateway_creates; GRANT CREATE ON SCHEMA public TO gateway_creates",
        "CREATE ROLE gateway_friend; CREATE ROLE friend; GRANT SELECT ON users TO friend WITH GRANT \
         OPTION; SET ROLE friend; GRANT SELECT ON users TO gateway_friend; RESET ROLE",
    ] {
        sql(&store, make).await.unwrap();
    }
    for (role, told) in [
        ("gateway_makes_roles", "CREATEROLE"),
        ("gateway_runs", "may run programs"),
        ("gateway_creates", "CREATE on schema public"),
        ("gateway_friend", "SELECT on users by a grant that another role made"),
    ] {
        let refused = store.grant_gateway_role(role).await.unwrap_err().to_string();
        assert!(refused.contains(told), "{role}: {refused}");
    }
    let view = "CREATE ROLE gateway_views; CREATE VIEW people AS SELECT * FROM users; \
         GRANT SELECT ON people TO gateway_views; GRANT ALL ON tokens_id_seq TO gateway_views";
    sql(&store, view).await.unwrap();
    store.grant_gateway_role("gateway_views").await.unwrap();
    for question in ["people", "tokens_id_seq"] {
        let may = format!("SET ROLE gateway_views; SELECT 1 FROM {question}");
        let refused = sql(&store, &may).await.unwrap_err().to_string();
        assert!(refused.contains("permission denied"), "{question}: {refused}");
        sql(&store, "RESET ROLE").await.unwrap();
    }

    sql(&store, "CREATE ROLE gateway_of_everybody; GRANT SELECT (name) ON tokens TO PUBLIC")
        .await
        .unwrap();
    let refused = store.grant_gateway_role("gateway_of_everybody").await.unwrap_err().to_string();
    assert!(refused.contains("SELECT on tokens by PUBLIC"), "{refused}");
    sql(&store, "REVOKE SELECT (name) ON tokens FROM PUBLIC").await.unwrap();
    store.grant_gateway_role("gateway_of_everybody").await.unwrap();
}

#[tokio::test]
async fn a_role_that_passes_over_row_security_is_no_gateways() {
    let database = TestDatabase::postgres().await;
    let store = database.store().await;
    sql(&store, "CREATE ROLE gateway_bypassing BYPASSRLS").await.unwrap();
    let refused = store.grant_gateway_role("gateway_bypassing").await.unwrap_err();
    assert!(matches!(refused, GatewayRoleError::Unlimited(_)), "{refused}");
}
