//! Gateways and their clients: each gateway runs when it may, and what its clients get is checked.

use std::time::Duration;

use super::*;

impl Slot {
    pub(super) fn draw(dice: &mut Dice) -> Self {
        let millis = Duration::from_millis;
        let terms = LeaseTerms {
            lease: millis(3_000),
            serve_known: millis(dice.pick(&[0, 0, 2_000])),
            public_grace: millis(dice.pick(&[0, 3_000])),
        };
        Self { process: None, terms, instance: None, starts_at: 0, skew: 0 }
    }
}

impl World {
    /// Lets a gateway run for a moment, and checks what it does.
    pub(super) fn serve(&mut self, at: usize) -> Result<(), Broken> {
        if self.slots[at].process.is_none() && self.slots[at].starts_at <= self.now {
            self.start(at);
        }
        let ask = self.dice.percent(self.pace.request);
        let runs = self.dice.percent(self.pace.run);
        if ask {
            self.request(at);
        }
        self.take_chunks(at);
        if runs { self.run(at) } else { Ok(()) }
    }

    fn start(&mut self, at: usize) {
        let (now, heard) = (self.now, self.heard());
        let slot = &mut self.slots[at];
        slot.process = Some(Process::start(format!("gateway-{at}"), slot.terms, now, heard));
        self.counts.lives += 1;
        self.note(|| format!("gateway {at} starts"));
    }

    fn request(&mut self, at: usize) {
        let request = Request {
            number: self.requests,
            token: self.dice.index(TOKENS),
            channel: self.dice.index(CHANNELS),
            size: self.dice.below(12) as u32,
            looks: self.rule != Some(Rule::T3EachChunk),
        };
        self.accept(at, request);
    }

    pub(crate) fn accept(&mut self, at: usize, request: Request) {
        if let Some(process) = &mut self.slots[at].process
            && !process.draining
            && process.node().is_some()
        {
            process.accept(request);
            self.requests += 1;
        }
    }

    fn take_chunks(&mut self, at: usize) {
        let Some(process) = &mut self.slots[at].process else { return };
        // Whoever wants a gateway to end takes what it still sends.
        let chunk = if process.draining { self.pace.chunk.max(30) } else { self.pace.chunk };
        for sending in process.sending() {
            if self.dice.percent(chunk) {
                sending.take_chunk();
                process.stir();
            }
        }
    }

    /// Runs a gateway, unless it is stopped, and checks all that it did.
    pub(crate) fn run(&mut self, at: usize) -> Result<(), Broken> {
        let turns = 1 + self.dice.below(6);
        let wall = self.wall(self.slots[at].skew).as_millis();
        let Some(process) = &mut self.slots[at].process else { return Ok(()) };
        if self.now < process.stopped_until || !process.is_due(self.now) {
            return Ok(());
        }
        process.run(self.now, wall, turns);
        let seen = process.seen();
        for sight in seen {
            self.saw(at, sight)?;
        }
        self.check_an_entry(at)?;
        self.end_if_drained(at);
        Ok(())
    }

    fn saw(&mut self, at: usize, sight: Sight) -> Result<(), Broken> {
        let Sight { request, seen, applied } = sight;
        let count = match seen {
            Seen::Granted => &mut self.counts.granted,
            Seen::Denied(_) => &mut self.counts.denied,
            Seen::TryLater => &mut self.counts.try_later,
            Seen::Chunk | Seen::Whole => &mut self.counts.chunks,
            Seen::Cut => &mut self.counts.cut,
        };
        *count += 1;
        let Request { number, token, channel, .. } = request;
        self.note(|| {
            format!("gateway {at}, request {number}, token {token} on {channel}: {seen:?}")
        });
        match self.place(at) {
            Some(place) => self.promises.check(Place { applied, ..place }, request, seen),
            None => Ok(()),
        }
    }

    fn place(&self, at: usize) -> Option<Place> {
        let process = self.slots[at].process.as_ref()?;
        let node = process.node()?;
        let [before, last] = process.heard;
        let database_time = self.wall(before.skew.min(last.skew));
        let (applied, states) = (node.applied().stamp, before.states);
        Some(Place { gateway: at, now: self.now, applied, states, database_time })
    }

    /// Looks at one entry of the table, whether anybody asks for it or not.
    fn check_an_entry(&mut self, at: usize) -> Result<(), Broken> {
        let (token, channel) = (self.dice.index(TOKENS), self.dice.index(CHANNELS));
        let Some(place) = self.place(at) else { return Ok(()) };
        let node = self.slots[at].process.as_ref().and_then(Process::node);
        let known = node.and_then(|node| node.known(&NAMES[channel], &DIGESTS[token]));
        match known {
            None | Some(Err(Denied::Expired(_) | Denied::Replaced(_) | Denied::Void)) => Ok(()),
            Some(decided) => {
                // Served or not is another matter: here the clock isn't looked at.
                let place = Place { database_time: Timestamp::from_millis(0), ..place };
                self.promises.check_as_applied(place, (token, channel), decided)
            }
        }
    }

    fn end_if_drained(&mut self, at: usize) {
        let slot = &mut self.slots[at];
        let Some(process) = &mut slot.process else { return };
        if process.draining && process.is_idle() {
            process.end();
        }
        if process.has_ended() {
            self.counts.ended_in_order += 1;
            self.drop_process(at, 300);
        } else if process.has_failed() {
            self.drop_process(at, 100);
        }
    }

    pub(super) fn drop_process(&mut self, at: usize, rest: u64) {
        let slot = &mut self.slots[at];
        slot.starts_at = self.now + rest;
        if let Some(process) = slot.process.take() {
            self.adrift.extend(process.into_calls().map(|call| (at, call)));
        }
        self.note(|| format!("gateway {at} is gone"));
    }

    /// The faults are over: within a lease and a little, everything is as the database has it.
    pub(super) fn heal(&mut self) -> Result<(), Broken> {
        self.note(|| "the faults are over".to_owned());
        self.healing = true;
        self.pace = Pace::PROMPT;
        self.stalled_until = 0;
        // Not back: a grace that was told by this clock would be waited for by so much longer.
        self.control_skew = CONTROL_SKEW_MAX;
        for slot in &mut self.slots {
            if let Some(process) = &mut slot.process {
                (process.stopped_until, process.cut_off_until) = (0, 0);
            }
        }
        self.settle(HEALING)?;
        if self.control.is_waiting() {
            // For a gateway that may still serve what was public, as far as the clocks can tell.
            self.settle(CLOCKS_APART + HEALING)?;
        }
        if self.control.is_waiting() || self.control.is_writing() {
            return Err(Broken("a change is neither committed nor confirmed in the end".into()));
        }
        self.check_cuts()?;
        for at in 0..GATEWAYS {
            self.check_service(at)?;
        }
        Ok(())
    }

    /// Lets everything happen at once for a while.
    pub(crate) fn settle(&mut self, millis: u64) -> Result<(), Broken> {
        let end = self.now + millis;
        while self.now < end {
            self.step(self.pace.step)?;
            for _ in 0..3 {
                self.step(0)?;
            }
        }
        Ok(())
    }

    /// What is refused for sure is not being sent any more, however little its client takes.
    pub(crate) fn check_cuts(&self) -> Result<(), Broken> {
        for slot in &self.slots {
            for sending in slot.process.iter().flat_map(Process::sending) {
                let Request { token, channel, number, .. } = sending.request;
                if self.promises.refusal_is_confirmed(token, channel) {
                    return Err(Broken(format!("request {number} is still being sent")));
                }
            }
        }
        Ok(())
    }

    fn check_service(&mut self, at: usize) -> Result<(), Broken> {
        for (token, channel) in (0..TOKENS).flat_map(|t| (0..CHANNELS).map(move |c| (t, c))) {
            let request = Request { number: self.requests, token, channel, size: 0, looks: true };
            let before = self.counts;
            self.accept(at, request);
            for _ in 0..6 {
                self.step(0)?;
            }
            let expires_at = self.database.facts.expires_at(token);
            let granted = self.promises.granted(token, channel) && expires_at == NEVER;
            let answered = match granted {
                true => self.counts.granted > before.granted,
                false => self.counts.granted + self.counts.denied > before.granted + before.denied,
            };
            if !answered {
                let what =
                    format!("gateway {at}: token {token} on channel {channel} is not served");
                return Err(Broken(what));
            }
        }
        Ok(())
    }
}
