//! Steps at which a test holds a change, so that a race happens in the same order every time.

use std::sync::Arc;

use tokio::sync::Notify;

/// A step of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The transaction is open; the counter is not taken yet.
    Begun,
    /// The rules are read and the writes done; the revision is not recorded yet.
    Decided,
}

/// What a test does to the changes of one store.
#[derive(Clone, Debug, Default)]
pub struct Hooks {
    pause: Option<(Step, Arc<Pause>)>,
    statement: Option<&'static str>,
    counts_last: bool,
}

/// Where a change waits for the test, and the test for the change.
#[derive(Debug, Default)]
pub struct Pause {
    reached: Notify,
    go_on: Notify,
}

impl Hooks {
    /// Holds every change at `step`; the second value waits for it and lets it go.
    pub fn pausing_at(step: Step) -> (Self, Arc<Pause>) {
        let pause = Arc::new(Pause::default());
        (Self { pause: Some((step, Arc::clone(&pause))), ..Self::default() }, pause)
    }

    /// Has each change begin with this statement, which must read nothing: a setting of its
    /// transaction.
    #[must_use]
    pub fn beginning_with(mut self, statement: &'static str) -> Self {
        self.statement = Some(statement);
        self
    }

    /// Takes rule F1 out: the counter is taken by the last statement instead of the first.
    #[must_use]
    pub fn counting_last(mut self) -> Self {
        self.counts_last = true;
        self
    }

    /// The same rules without holding anything.
    #[must_use]
    pub fn without_pause(self) -> Self {
        Self { pause: None, ..self }
    }

    pub(crate) fn statement(&self) -> Option<&'static str> {
        self.statement
    }

    pub(crate) fn counts_last(&self) -> bool {
        self.counts_last
    }

    pub(crate) async fn reached(&self, step: Step) {
        if let Some((at, pause)) = &self.pause
            && *at == step
        {
            pause.reached.notify_one();
            pause.go_on.notified().await;
        }
    }
}

impl Pause {
    /// Waits until a change has come to the step.
    pub async fn reached(&self) {
        self.reached.notified().await;
    }

    /// Lets it go on.
    pub fn go_on(&self) {
        self.go_on.notify_one();
    }
}
