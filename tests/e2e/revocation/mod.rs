//! No request that is sent after the answer `confirmed: true` is served, on any gateway, whatever
//! befalls the processes (sync.md, "What a revoke promises").

mod api;
mod fleet;
mod load;
mod unreachable;

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use rustix::process::Signal;

use crate::site::patience;
pub(crate) use api::Api;
use fleet::{Fault, Fleet, GATEWAYS, LEASE};
use load::{KNOCKS, Revoked, Run};

const MAKERS: u32 = 4;
/// Enough for those that wait for a gateway that is gone.
const REVOKERS: usize = 300;
const CLIENTS_PER_GATEWAY: usize = 4;
/// How long nothing befalls the fleet: four times this at first, and this between two faults.
const CALM: Duration = Duration::from_secs(1);

/// Longer than the lease: its row is ended meanwhile, and changes are confirmed without it.
const LONG_PAUSE: Duration = LEASE.saturating_add(Duration::from_secs(2));

const FAULTS: [Fault; 5] = [
    Fault::Pause(0, Duration::from_secs(1)),
    Fault::DropConnections,
    Fault::Kill(1),
    Fault::RestartDatabase(Signal::INT),
    Fault::Pause(2, LONG_PAUSE),
];

#[test]
fn holds_whatever_befalls_the_processes() {
    holds(&FAULTS, 200);
}

/// The full form: minutes, not seconds.
#[test]
#[ignore = "takes minutes: docs/testing.md has the command"]
fn holds_whatever_befalls_the_processes_at_length() {
    let mut faults = Vec::new();
    for round in 0..4 {
        for gateway in 0..GATEWAYS {
            faults.push(Fault::Pause(gateway, Duration::from_millis(300 << round)));
            faults.push(Fault::DropConnections);
            faults.push(Fault::Kill((gateway + round) % GATEWAYS));
        }
        faults.push(Fault::RestartDatabase(Signal::INT));
        faults.push(Fault::Pause(round % GATEWAYS, LONG_PAUSE));
        faults.push(Fault::RestartDatabase(Signal::QUIT));
    }
    holds(&faults, 2_000);
}

fn holds(faults: &[Fault], at_least: usize) {
    let mut fleet = Fleet::start();
    let mut api = Api::sign_in(fleet.control);
    let run = Run::new(fleet.addresses());
    times("one after another, nothing else going on", run.revoke_alone(&mut api, 100).iter());
    let (made, to_revoke) = mpsc::channel();
    let to_revoke = Mutex::new(to_revoke);
    std::thread::scope(|scope| {
        let (run, to_revoke) = (&run, &to_revoke);
        for n in 0..GATEWAYS * CLIENTS_PER_GATEWAY {
            scope.spawn(move || run.use_tokens(n % GATEWAYS, n as u64));
        }
        let mut workers = Vec::new();
        for n in 0..MAKERS {
            let (api, made) = (api.another(), made.clone());
            workers.push(scope.spawn(move || run.make(api, n, MAKERS, &made)));
        }
        drop(made);
        for _ in 0..REVOKERS {
            let api = api.another();
            workers.push(scope.spawn(move || run.revoke(api, to_revoke)));
        }
        std::thread::sleep(CALM * 4);
        for &fault in faults {
            run.disturbed.store(true, Ordering::SeqCst);
            fleet.befall(fault, run);
            std::thread::sleep(fault.aftermath());
            run.disturbed.store(false, Ordering::SeqCst);
            std::thread::sleep(CALM);
        }
        run.ending.store(true, Ordering::SeqCst);
        let failed: Vec<_> = workers.into_iter().filter_map(|worker| worker.join().err()).collect();
        patience::until("every gateway to be asked for every token", || {
            run.asked_all().then_some(())
        });
        run.over.store(true, Ordering::SeqCst);
        assert!(failed.is_empty(), "{} threads failed", failed.len());
    });
    report(&run, at_least);
    fleet.stop();
}

fn report(run: &Run, at_least: usize) {
    let revoked = run.revoked.lock().unwrap();
    let count = |number: &AtomicUsize| number.load(Ordering::SeqCst);
    let (served, refused) = (count(&run.served), count(&run.refused));
    let knocks = count(&run.knocks);
    let (unavailable, needless) = (count(&run.unavailable), count(&run.needless));
    println!(
        "{} revocations confirmed; {served} requests served before, {refused} refused after, \
         {unavailable} without an answer while something was wrong, {needless} while nothing was",
        revoked.len(),
    );
    times("undisturbed", revoked.iter().filter(|revoked| revoked.undisturbed));
    times("all", revoked.iter());
    let by_bound = revoked.iter().filter(|revoked| revoked.by_bound).count();
    println!("{knocks} requests with a revoked token awaited a gateway that stood still");
    println!("{by_bound} held to the time promised by `guaranteed_by`, before they were confirmed");

    let wrong = run.wrong.lock().unwrap();
    let some = &wrong[..wrong.len().min(10)];
    assert!(wrong.is_empty(), "{} answers were wrong, such as {some:#?}", wrong.len());
    assert!(revoked.len() >= at_least, "{} revocations", revoked.len());
    // A test that serves nothing finds nothing.
    assert!(refused >= revoked.len() * GATEWAYS * 9 / 10, "{refused} refused");
    assert!(knocks >= KNOCKS, "{knocks} requests awaited a gateway that stood still");
    assert!(needless <= served / 50, "{needless} without an answer while nothing was wrong");
    let on_all = |it: &&Revoked| it.token.served() == GATEWAYS;
    let everywhere = revoked.iter().filter(on_all).count();
    let somewhere = revoked.iter().filter(|it| it.token.served() > 0).count();
    println!("{everywhere} tokens were served on every gateway, {somewhere} on one at least");
    assert!(everywhere > revoked.len() / 2 && somewhere > revoked.len() * 9 / 10);
    let last = revoked.iter().rev().take(20).filter(on_all).count();
    assert!(last >= 15, "only {last} of the last 20 tokens were served on every gateway");
}

fn times<'a>(what: &str, revoked: impl Iterator<Item = &'a Revoked>) {
    let mut times: Vec<Duration> = revoked.map(|revoked| revoked.took).collect();
    times.sort_unstable();
    let Some(last) = times.len().checked_sub(1) else { return };
    let [p50, p99] = [50, 99].map(|percent| times[last * percent / 100]);
    println!("time to proof, {what}: p50 {p50:.1?}, p99 {p99:.1?} of {}", times.len());
}
