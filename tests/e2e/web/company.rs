//! A company as the stories need it: people with different rights, channels, tokens, and a month of
//! downloads.

use std::net::SocketAddr;
use std::num::{NonZeroU32, NonZeroU64};
use std::sync::Arc;
use std::time::Duration;

use access::usage::{LastUse, ReporterId, UsageCount, UsageKey, UsageReport};
use access::{Clock as _, Day, Limits, Permission, Privacy, SystemClock, TokenId, UsageSink as _};
use control::usecases::channel::{self, NewChannel};
use control::usecases::token::{self, Expiry, TokenOrder};
use control::usecases::user::{self, NewUser};
use control::usecases::{group, service_account};
use control::{Actor, Control, Error, Role};

use crate::browser::Browser;
use crate::site::{Connection, DAY, Database, PASSWORD, Process, Setup, Site, patience, port};

/// Who is there. `alice`, the first admin, owns every channel.
pub(super) const ADMIN: &str = "alice";
/// An admin who holds `manage` on `analytics` and what is below, and on nothing else.
pub(super) const OTHER_ADMIN: &str = "mira.okafor";
/// A user who owns `analytics`.
pub(super) const OWNER: &str = "jonas.lindqvist";
/// A user who may read `analytics`.
pub(super) const READER: &str = "ana.ferreira";

/// `control.seats`.
pub(super) const SEATS: u32 = 12;

const CHANNELS: [(&str, Privacy, &str); 8] = [
    ("analytics", Privacy::Private, "Shared data tooling"),
    ("analytics/prod", Privacy::Private, "What runs in production"),
    ("analytics/staging", Privacy::Private, "Candidates for production"),
    ("bioinfo", Privacy::Authenticated, "Sequencing pipelines"),
    ("geo", Privacy::Public, "Maps and projections"),
    ("ml-base", Privacy::Private, "Models and their runtimes"),
    ("robotics", Privacy::Private, ""),
    ("demo", Privacy::Private, ""),
];

const PACKAGES: [(&str, u64, u64); 8] = [
    ("pytorch", 210, 880_000_000),
    ("cudatoolkit", 130, 640_000_000),
    ("numpy", 310, 9_000_000),
    ("pyarrow", 140, 31_000_000),
    ("pandas", 260, 15_000_000),
    ("analytics-core", 190, 2_400_000),
    ("scikit-learn", 90, 11_000_000),
    ("", 0, 90_000_000),
];

/// A company whose pages are served.
pub(super) struct Company {
    pub(super) site: Site,
    pub(super) control: SocketAddr,
    /// Gateways beside the one in the control plane's process.
    gateways: Vec<Process>,
}

impl Company {
    pub(super) fn new(database: Database) -> Self {
        let mut setup = Setup::with_demo_channel(database);
        let control = port::free();
        setup.set("control.listen", &format!("[\"{control}\"]"));
        setup.set("control.seats", &SEATS.to_string());
        setup.text("control.public_url", format!("http://{control}"));
        setup.text("gateway.public_url", "https://conda.example.com");
        setup.text("gateway.name", "gw-eu-1");
        setup.command("serve");
        fill(&setup);
        Self { site: setup.start(), control, gateways: Vec::new() }
    }

    /// The same with three gateways.
    pub(super) fn with_more_gateways(database: Database) -> Self {
        let mut company = Self::new(database);
        for name in ["gw-eu-2", "gw-us-1"] {
            company.add_gateway(name, "180s");
        }
        company
    }

    /// Starts a gateway with this lease.
    pub(super) fn add_gateway(&mut self, name: &str, lease: &str) {
        let (listen, metrics) = (port::free().to_string(), port::free());
        let environment = [
            ("CONDAGATE_GATEWAY__NAME", name),
            ("CONDAGATE_GATEWAY__LEASE", lease),
            ("CONDAGATE_GATEWAY__LISTEN", &listen),
            ("CONDAGATE_METRICS__LISTEN", &metrics.to_string()),
        ];
        let gateway = self.site.run(&["gateway"], &environment);
        patience::until("another gateway to be ready", || {
            let answer = Connection::open(metrics).and_then(|mut c| c.get("/readyz", &[]));
            answer.ok().filter(|answer| answer.status() == 200)
        });
        self.gateways.push(gateway);
    }

    /// The gateway that was started last.
    pub(super) fn last_gateway(&self) -> &Process {
        self.gateways.last().unwrap()
    }

    /// A browser in which this user has signed in.
    pub(super) fn as_user(&self, name: &str) -> Browser {
        Browser::signed_in(self.control, name, PASSWORD)
    }

    /// A browser in which nobody has.
    pub(super) fn as_nobody(&self) -> Browser {
        Browser::open(self.control)
    }
}

fn fill(setup: &Setup) {
    setup.admin.does(async |control, alice| {
        for (name, shown, role) in [
            (OTHER_ADMIN, "Mira Okafor", Role::Admin),
            (OWNER, "Jonas Lindqvist", Role::User),
            (READER, "Ana Ferreira", Role::User),
        ] {
            user::create(control, alice, new_user(name, shown, role)).await?;
        }
        for (name, privacy, description) in CHANNELS.into_iter().filter(|c| c.0 != "demo") {
            channel::create(control, alice, new_channel(name, privacy, description)).await?;
        }
        for (channel, member) in [
            ("analytics", OTHER_ADMIN),
            ("analytics:prod", OTHER_ADMIN),
            ("analytics:staging", OTHER_ADMIN),
            ("analytics", OWNER),
            ("analytics:prod", OWNER),
        ] {
            group::add_member(control, alice, &format!("{channel}_owners"), member).await?;
        }
        for channel in ["analytics", "analytics/prod", "bioinfo"] {
            service_account::create(control, alice, &channel.parse().unwrap()).await?;
        }
        let description = "Reads what runs in production";
        group::create(control, alice, "prod-readers", description).await?;
        group::add_member(control, alice, "prod-readers", READER).await?;
        let prod = "analytics/prod".parse().unwrap();
        for channel in ["analytics".parse().unwrap(), prod] {
            let read = Some(Permission::Read);
            group::set_permission(control, alice, "prod-readers", &channel, read).await?;
        }
        let mut tokens = Vec::new();
        for (name, description, days) in [
            ("airflow-prod", "Scheduled jobs in production", 180),
            ("ci-github-runners", "All repositories of the team", 90),
            ("customer-borealis", "Handed out with contract 4711", 365),
            ("onboarding-laptops", "", 6),
        ] {
            tokens.push(issue(control, alice, (name, description), days).await?);
        }
        // The last has never been used.
        tokens.pop();
        report_usage(control, alice, &tokens).await
    });
}

async fn issue(
    control: &Control,
    alice: &Actor,
    (name, description): (&str, &str),
    days: u32,
) -> Result<TokenId, Error> {
    let order = TokenOrder {
        name: name.to_owned(),
        description: description.to_owned(),
        expires: Expiry::In(days * DAY),
        permission: Permission::Read,
        channels: vec!["analytics/prod".parse().unwrap()],
        admin: false,
        // What is handed out is for one customer's networks.
        limits: match name {
            "customer-borealis" => Limits {
                networks: ["198.51.100.0/24", "2001:db8:4711::/48", "203.0.113.0/24"]
                    .map(|network| network.parse().unwrap())
                    .into(),
                requests_per_second: NonZeroU32::new(20),
                bytes_per_day: NonZeroU64::new(20 << 30),
            },
            _ => Limits::default(),
        },
    };
    let account = "service-account-channel-analytics:prod";
    Ok(token::create(control, alice, account, order).await?.value.token.id)
}

/// Each day the packages of `analytics/prod`, by the tokens in turns; weekends are quiet, and one
/// day was not.
async fn report_usage(control: &Control, alice: &Actor, tokens: &[TokenId]) -> Result<(), Error> {
    let prod = channel::get(control, alice, &"analytics/prod".parse().unwrap()).await?;
    let now = SystemClock.now();
    let from = "203.0.113.9".parse().unwrap();
    let mut counts = Vec::new();
    let mut addresses = Vec::new();
    for ago in 0..90_u32 {
        let day = now.day().minus(ago);
        for (at, &token) in tokens.iter().enumerate() {
            let key = UsageKey { day, token: Some(token), channel: prod.channel.id };
            addresses.push((key, from));
            counts.extend(PACKAGES.map(|(package, downloads, bytes)| {
                let downloads = downloads * business(day, ago) / (40 * (at as u64 + 1));
                let bytes = bytes * downloads.max(1);
                UsageCount { key, package: package.into(), downloads, bytes }
            }));
        }
    }
    let last_uses = (0..).zip(tokens).map(|(hours, &token)| {
        let at = now.minus(Duration::from_secs(60 + hours * 7_200));
        LastUse { token, at, from }
    });
    let report = UsageReport {
        reporter: ReporterId::generate().unwrap(),
        number: 1,
        made_at: now,
        counts,
        addresses,
        last_uses: last_uses.collect(),
    };
    control.store().report(Arc::new(report)).await.unwrap();
    Ok(())
}

/// How busy a day was: about 10.
fn business(day: Day, ago: u32) -> u64 {
    // The first day of 1970 was a Thursday.
    let weekend = matches!(day.number().rem_euclid(7), 2 | 3);
    let varies = day.number().unsigned_abs().wrapping_mul(2_654_435_761) % 4;
    match ago {
        0 => 5,
        18 => 24,
        _ if weekend => 4 + varies,
        _ => 9 + varies,
    }
}

fn new_user(name: &str, shown: &str, role: Role) -> NewUser {
    NewUser {
        name: name.to_owned(),
        display_name: shown.to_owned(),
        email: format!("{name}@example.com"),
        role,
        password: PASSWORD.to_owned(),
    }
}

pub(super) fn new_channel(name: &str, privacy: Privacy, description: &str) -> NewChannel {
    NewChannel {
        name: name.parse().unwrap(),
        description: description.to_owned(),
        privacy,
        storage: Some("main".to_owned()),
        prefix: Some(name.to_owned()),
        include_subchannels: false,
    }
}
