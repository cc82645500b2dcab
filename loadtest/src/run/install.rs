//! Cold installs: a client that comes, takes what it needs and goes.

use std::cell::Cell;
use std::rc::Rc;

use access::Clock;

use super::Shared;
use crate::client::Connection;
use crate::target::Target;

/// Installs that go on at the same time.
pub(super) const AT_A_TIME: u32 = 4;

/// One client after another, until the run is over.
pub(super) async fn repeat<C: Clock>(shared: Rc<Shared<C>>, target: Rc<Target>) {
    while let Some((number, _)) = shared.next().await {
        install(&shared, &target, number).await;
    }
}

/// The index over one connection, then everything else over all of them, each asking for the next
/// file as soon as it has one. The whole install has one token.
async fn install<C: Clock>(shared: &Rc<Shared<C>>, target: &Rc<Target>, number: u64) {
    let next = Rc::new(Cell::new(1));
    let first = ask(shared, target, None, 0, number).await;
    let mut first = Some(first);
    let workers: Vec<_> = (0..shared.plan.connections)
        .map(|_| {
            let (shared, target) = (Rc::clone(shared), Rc::clone(target));
            let (next, mut kept) = (Rc::clone(&next), first.take().flatten());
            tokio::task::spawn_local(async move {
                while next.get() < shared.workload.files.len() {
                    let file = next.replace(next.get() + 1);
                    kept = ask(&shared, &target, kept.take(), file, number).await;
                }
            })
        })
        .collect();
    for worker in workers {
        if let Err(panic) = worker.await {
            shared.tally.borrow_mut().fail(panic.to_string());
        }
    }
}

async fn ask<C: Clock>(
    shared: &Shared<C>,
    target: &Target,
    kept: Option<Connection>,
    file: usize,
    install: u64,
) -> Option<Connection> {
    let request = shared.workload.request_for(file, install);
    let done = shared.exchange(target, kept, request, shared.clock.moment()).await;
    shared.count(done)
}
