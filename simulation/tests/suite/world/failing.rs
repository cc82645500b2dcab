//! What goes wrong.

use super::*;

impl World {
    /// Has faults happen, of the kinds that this history has.
    pub(super) fn fail(&mut self) {
        if self.healing {
            return;
        }
        for at in 0..GATEWAYS {
            self.fail_gateway(at);
        }
        if self.faults.clocks && self.dice.rarely(80) {
            self.set_clocks();
        }
        if self.faults.prune && self.dice.rarely(200) {
            let kept = 1 + self.dice.index(3);
            self.database.prune(kept);
            self.note(|| format!("all but {kept} revisions are pruned"));
        }
        if self.faults.stall && self.dice.rarely(60) {
            self.stalled_until = self.now + self.dice.below(6_000);
            self.note(|| "the database stalls".to_owned());
        }
        if self.faults.restore || self.faults.failover {
            if self.dice.rarely(300) {
                self.back_up();
            }
            if self.faults.failover && self.dice.rarely(40) {
                self.fail_over();
            }
            if self.faults.restore && self.dice.rarely(40) && !self.backups.is_empty() {
                self.restore();
            }
        }
    }

    fn fail_gateway(&mut self, at: usize) {
        let (stop, suspend) =
            (self.faults.stop && self.dice.rarely(60), self.faults.suspend && self.dice.rarely(60));
        let cut_off = self.faults.cut_off && self.dice.rarely(60);
        let (kill, end) =
            (self.faults.kill && self.dice.rarely(40), self.faults.end && self.dice.rarely(40));
        let evict = self.faults.evict && self.dice.rarely(800);
        let (long, token) = (self.dice.below(9_000), self.dice.index(TOKENS));
        let Some(process) = &mut self.slots[at].process else { return };
        if stop || suspend {
            process.stopped_until = self.now + long;
            if suspend && self.rule == Some(Rule::L3CountsSuspend) {
                process.suspended = long;
            }
            self.note(|| format!("gateway {at} is stopped for {long} ms"));
        } else if cut_off {
            process.cut_off_until = self.now + long;
            self.note(|| format!("gateway {at} is cut off for {long} ms"));
        } else if kill {
            self.drop_process(at, 500);
        } else if end {
            self.end_in_order(at);
        } else if evict && let Some(node) = process.node() {
            node.evict(&DIGESTS[token]);
            self.note(|| format!("gateway {at} evicts token {token}"));
        }
    }

    /// A gateway is told to stop: it takes no more requests, and serves those it has.
    pub(crate) fn end_in_order(&mut self, at: usize) {
        let slot = &mut self.slots[at];
        let Some(process) = &mut slot.process else { return };
        if process.node().is_none() {
            return;
        }
        process.draining = true;
        if self.rule == Some(Rule::L5EndIsLast)
            && let Some(instance) = slot.instance.clone()
        {
            let now = self.wall(self.database_skew);
            self.database.execute(&Ask::End(instance), now);
        }
        self.note(|| format!("gateway {at} is told to stop"));
    }

    fn set_clocks(&mut self) {
        let off = [-20_000, -5_000, 0, 5_000, 20_000];
        match self.dice.below(3) {
            0 => self.database_skew = self.dice.pick(&off),
            1 => {
                // A guarantee is told by this clock, and allows it to be set by half a minute
                // between a change and the question.
                let off = [-CONTROL_SKEW_MAX, -3_000, 0, 3_000, CONTROL_SKEW_MAX];
                self.control_skew = self.dice.pick(&off);
            }
            _ => {
                let skew = self.dice.pick(&off);
                self.slots.iter_mut().for_each(|slot| slot.skew = skew);
            }
        }
        self.note(|| "a clock is set".to_owned());
    }

    /// Another server takes over. It has all that was committed: what commits is durable.
    fn fail_over(&mut self) {
        self.break_connections();
        self.counts.failovers += 1;
        if self.rule == Some(Rule::F5Durable)
            && let Some(older) = self.backups.last()
        {
            self.database = older.clone();
        }
        if self.dice.percent(50) {
            self.another_identity();
        }
        self.note(|| "another server takes over".to_owned());
    }

    pub(crate) fn back_up(&mut self) {
        self.backups.push(self.database.clone());
    }

    /// An older copy is restored. What was told before counts for what it was told of. Gateways
    /// that the copy doesn't know aren't waited for: until their leases have ended, nothing is told.
    pub(crate) fn restore(&mut self) {
        self.break_connections();
        self.counts.restores += 1;
        let older = self.dice.index(self.backups.len());
        self.database = self.backups[older].clone();
        if self.dice.percent(50) {
            self.another_identity();
        }
        let counter = self.database.counter();
        let stamp = self.database.stamp(counter).unwrap_or(Stamp(0));
        // What it takes back may have been public.
        self.promises.follow(&self.database.facts, stamp, true);
        self.control.lose_proofs();
        let unknown = |slot: &Slot| {
            let instance = slot.process.is_some().then_some(slot.instance.as_ref()).flatten();
            instance.is_some_and(|instance| !self.database.knows(instance))
        };
        if self.slots.iter().any(unknown) {
            self.silent_until = self.now + LEASE_AND_MORE;
        }
        self.note(|| format!("a copy at revision {} is restored", counter.0));
    }

    fn another_identity(&mut self) {
        self.identities += 1;
        self.database.identity = self.identities;
    }

    fn break_connections(&mut self) {
        self.control.lose_transactions();
        for process in self.slots.iter_mut().filter_map(|slot| slot.process.as_mut()) {
            process.stir();
            for call in std::mem::take(&mut process.calls) {
                call.answer(Err(lost()));
            }
        }
        self.adrift.clear();
        self.late.clear();
    }
}
