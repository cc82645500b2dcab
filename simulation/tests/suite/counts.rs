//! What has happened in histories, so that ones in which nothing does are noticed.

use std::ops::AddAssign;

/// Defines the counts, and how often each happens at least in so many histories.
macro_rules! counts {
    ($($(#[$doc:meta])* $name:ident: $times:literal in $histories:literal,)+) => {
        #[derive(Clone, Copy, Debug, Default)]
        pub(crate) struct Counts {
            $($(#[$doc])* pub(crate) $name: u64,)+
        }

        impl AddAssign for Counts {
            fn add_assign(&mut self, other: Self) {
                $(self.$name += other.$name;)+
            }
        }

        impl Counts {
            /// Fails when something has hardly happened in so many histories.
            pub(crate) fn require_at_least(&self, histories: u64) {
                $({
                    let least = histories * $times / $histories;
                    assert!(self.$name >= least, "{} {}, of {least}", self.$name, stringify!($name));
                })+
            }
        }
    };
}

counts! {
    changes: 3 in 1,
    confirmed: 2 in 1,
    granted: 20 in 1,
    denied: 20 in 1,
    /// Answered 503.
    try_later: 10 in 1,
    chunks: 50 in 1,
    cut: 3 in 1,
    /// Processes started.
    lives: 2 in 1,
    registrations: 3 in 1,
    ended_in_order: 1 in 4,
    ended_by_observer: 1 in 1,
    restores: 1 in 20,
    failovers: 1 in 10,
}
