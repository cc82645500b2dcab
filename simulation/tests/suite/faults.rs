//! What goes wrong in a history, and how fast everything goes.

use crate::dice::Dice;

/// Which faults a history has.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Faults {
    /// A gateway is stopped for a while.
    pub(crate) stop: bool,
    /// Its machine is suspended for a while.
    pub(crate) suspend: bool,
    /// A gateway is killed.
    pub(crate) kill: bool,
    /// A gateway is stopped in order.
    pub(crate) end: bool,
    /// The cache evicts.
    pub(crate) evict: bool,
    /// Old revisions are pruned.
    pub(crate) prune: bool,
    /// Clocks are set.
    pub(crate) clocks: bool,
    /// A gateway is cut off from the database.
    pub(crate) cut_off: bool,
    /// The database answers nobody for a while.
    pub(crate) stall: bool,
    /// Connections break, before or after a statement was executed.
    pub(crate) breaks: bool,
    /// Another server takes over.
    pub(crate) failover: bool,
    /// An older copy is restored.
    pub(crate) restore: bool,
    /// Writers and observers are stopped in the middle of what they do.
    pub(crate) slow_control: bool,
}

/// How likely each thing is at each step, in percent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    pub(crate) execute: u64,
    pub(crate) answer: u64,
    pub(crate) run: u64,
    pub(crate) notify: u64,
    pub(crate) request: u64,
    pub(crate) chunk: u64,
    pub(crate) write: u64,
    pub(crate) prove: u64,
    /// The longest step, in milliseconds.
    pub(crate) step: u64,
}

impl Faults {
    pub(crate) fn draw(dice: &mut Dice) -> Self {
        let mut one = |percent| dice.percent(percent);
        Self {
            stop: one(50),
            suspend: one(30),
            kill: one(40),
            end: one(40),
            evict: one(50),
            prune: one(40),
            clocks: one(40),
            cut_off: one(40),
            stall: one(30),
            breaks: one(40),
            failover: one(20),
            restore: one(10),
            slow_control: one(40),
        }
    }
}

impl Pace {
    pub(crate) fn draw(dice: &mut Dice) -> Self {
        Self {
            execute: dice.pick(&[30, 60, 90]),
            answer: dice.pick(&[30, 60, 90]),
            run: dice.pick(&[40, 70, 95]),
            notify: dice.pick(&[0, 50, 95]),
            request: dice.pick(&[10, 25, 40]),
            chunk: dice.pick(&[5, 20, 50]),
            write: dice.pick(&[30, 60, 90]),
            prove: dice.pick(&[30, 60, 90]),
            step: dice.pick(&[40, 60, 80]),
        }
    }

    /// Nothing is slow and nothing is lost.
    pub(crate) const PROMPT: Self = Self {
        execute: 100,
        answer: 100,
        run: 100,
        notify: 100,
        request: 0,
        chunk: 0,
        write: 100,
        prove: 100,
        step: 100,
    };
}
