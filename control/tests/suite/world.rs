//! A control plane with an admin and two users, and short ways to ask it for things.

use std::sync::Arc;
use std::time::Duration;

use access::source::{Applied, Touched};
use access::{
    ChannelName, Clock as _, Grant, GrantSource as _, ManualClock, Permission, Privacy, SystemClock,
};
use control::testing::{Hooks, TestDatabase};
use control::usecases::channel::NewChannel;
use control::usecases::session::{self, Origin};
use control::usecases::token::{Expiry, Issued, TokenOrder};
use control::usecases::user::NewUser;
use control::usecases::{channel, group, service_account, token, user};
use control::{Actor, Control, Error, Role, ServiceAccount, Settings, StorageName};

pub(crate) const PASSWORD: &str = "correct horse";

pub(crate) struct World {
    pub(crate) control: Control,
    pub(crate) clock: Arc<ManualClock>,
    /// A user with role admin.
    pub(crate) admin: Actor,
    /// A user who holds nothing to begin with.
    pub(crate) alice: Actor,
}

pub(crate) fn settings() -> Settings {
    Settings {
        storages: vec![StorageName { name: "main".into(), kind: "directory".into() }],
        reserved_first_segments: vec!["conda".into(), "repo".into()],
        ..Settings::default()
    }
}

pub(crate) fn name(text: &str) -> ChannelName {
    text.parse().unwrap()
}

impl World {
    pub(crate) async fn new(database: &TestDatabase) -> Self {
        Self::with(database, settings()).await
    }

    pub(crate) async fn with(database: &TestDatabase, settings: Settings) -> Self {
        let clock = Arc::new(ManualClock::at(SystemClock.now()));
        let store = database.store().await;
        let control = Control::new(store, settings, clock.clone());
        let admin = user::create_admin(&control, "root", PASSWORD).await.unwrap().value;
        let admin = Actor::console_as(admin.principal.id, admin.principal.name);
        let alice = add_user(&control, &admin, "alice").await;
        Self { control, clock, admin, alice }
    }

    pub(crate) async fn user(&self, name: &str) -> Actor {
        add_user(&self.control, &self.admin, name).await
    }

    /// The same database with changes that a test can hold.
    pub(crate) fn held_by(&self, hooks: Hooks) -> Control {
        let store = self.control.store().clone().with_hooks(hooks);
        Control::new(store, settings(), self.clock.clone())
    }

    pub(crate) async fn channel(&self, actor: &Actor, channel: &str) -> Result<(), Error> {
        channel::create(&self.control, actor, new_channel(channel)).await.map(drop)
    }

    /// A channel of the admin's with its service account.
    pub(crate) async fn account(&self, channel: &str) -> ServiceAccount {
        self.channel(&self.admin, channel).await.unwrap();
        let made = service_account::create(&self.control, &self.admin, &name(channel)).await;
        made.unwrap().value
    }

    pub(crate) async fn join(&self, group: &str, member: &str) {
        group::add_member(&self.control, &self.admin, group, member).await.unwrap();
    }

    pub(crate) async fn token(
        &self,
        actor: &Actor,
        principal: &str,
        order: TokenOrder,
    ) -> Result<Issued, Error> {
        token::create(&self.control, actor, principal, order).await.map(|done| done.value)
    }

    /// Whoever presents this token's value.
    pub(crate) async fn by(&self, issued: &Issued) -> Actor {
        session::authenticate(&self.control, &issued.secret, Origin::default()).await.unwrap()
    }

    /// What a gateway would be told about the token.
    pub(crate) async fn grant(&self, issued: &Issued) -> Grant {
        let loaded = self.control.store().load(issued.secret.digest()).await.unwrap();
        loaded.grant.expect("a known token")
    }

    pub(crate) fn now(&self) -> access::Timestamp {
        self.clock.now()
    }

    /// The identity of the user of that name.
    pub(crate) async fn principal(&self, name: &str) -> access::PrincipalId {
        user::get(&self.control, &self.admin, name).await.unwrap().principal.id
    }

    pub(crate) async fn is_revoked(&self, issued: &Issued) -> bool {
        token::get(&self.control, &self.admin, issued.token.id).await.unwrap().revoked.is_some()
    }

    /// How far the feed is.
    pub(crate) async fn feed(&self) -> Applied {
        self.control.store().begin(0).await.unwrap().applied
    }

    /// What the feed has told since.
    pub(crate) async fn feed_since(&self, before: Applied) -> Vec<Touched> {
        let read = self.control.store().feed(before.clone()).await.unwrap();
        let changes = read.continuing(&before).expect("the same feed");
        changes.iter().flat_map(|change| change.touched.clone()).collect()
    }

    /// By the database's own word for it, what an audit event says happened to what, oldest first.
    pub(crate) async fn audit(&self) -> Vec<(String, String)> {
        let sql = "SELECT action, target FROM audit_events ORDER BY id";
        sqlx::query_as(sql).fetch_all(&self.control.store().pool()).await.unwrap()
    }
}

async fn add_user(control: &Control, admin: &Actor, name: &str) -> Actor {
    let made = user::create(control, admin, new_user(name)).await.unwrap().value;
    Actor::console_as(made.principal.id, made.principal.name)
}

pub(crate) fn new_user(name: &str) -> NewUser {
    NewUser {
        name: name.into(),
        display_name: name.into(),
        email: String::new(),
        role: Role::User,
        password: PASSWORD.into(),
    }
}

pub(crate) fn new_channel(channel: &str) -> NewChannel {
    NewChannel {
        name: name(channel),
        description: String::new(),
        privacy: Privacy::Private,
        storage: None,
        prefix: None,
        include_subchannels: false,
    }
}

/// An order for a token that lasts 90 days.
pub(crate) fn order(token: &str, permission: Permission, channels: &[&str]) -> TokenOrder {
    TokenOrder {
        name: token.into(),
        description: String::new(),
        expires: Expiry::In(Duration::from_secs(90 * 24 * 3600)),
        permission,
        channels: channels.iter().map(|channel| name(channel)).collect(),
        admin: false,
        limits: Default::default(),
    }
}
