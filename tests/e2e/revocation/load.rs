//! Tokens that come and go, and clients that use them on every gateway meanwhile.

use std::collections::VecDeque;
use std::io;
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use access::{Clock as _, Moment, SystemClock, Timestamp};
use serde_json::{Value, json};

use super::api::Api;
use super::fleet::GATEWAYS;
use crate::site::{Answer, Connection, Revocation, Standing, patience};

/// How many tokens are made in a second; as many are revoked.
const PER_SECOND: u32 = 50;
/// How long a token is used before it is revoked.
const AGE: Duration = Duration::from_millis(1500);
/// How many tokens clients draw from when nothing is to be asked at once.
const IN_USE: usize = 100;
/// How long a client rests when nothing is to be asked at once.
const REST: Duration = Duration::from_millis(10);
/// How long one answer may wait for its proof.
const WAIT: &str = "20s";
/// How many requests await a gateway that stands still.
pub(super) const KNOCKS: usize = 50;
/// When a proof that doesn't come is a failure of its own.
const PROVEN_WITHIN: Duration = Duration::from_secs(120);

pub(super) struct Token {
    id: i64,
    value: String,
    made: Moment,
    revocation: Revocation,
    /// On which gateways it was served.
    served: [AtomicBool; GATEWAYS],
}

impl Token {
    /// What is asked for with it.
    fn path(&self) -> String {
        format!("/t/{}/demo/noarch/repodata.json.zst", self.value)
    }

    /// On how many gateways it was served.
    pub(super) fn served(&self) -> usize {
        self.served.iter().filter(|served| served.load(Ordering::SeqCst)).count()
    }
}

/// One confirmed revocation.
pub(super) struct Revoked {
    pub(super) token: Arc<Token>,
    /// From sending the request to having the whole answer that says so.
    pub(super) took: Duration,
    /// Whether nothing befell the fleet in that time.
    pub(super) undisturbed: bool,
    /// Whether clients had to keep to `guaranteed_by`, since it came before the confirmation.
    pub(super) by_bound: bool,
}

/// What is going on, for all threads.
pub(super) struct Run {
    gateways: Vec<SocketAddr>,
    /// Tokens to ask for at once, for each gateway.
    asks: [Mutex<VecDeque<Arc<Token>>>; GATEWAYS],
    in_use: Mutex<VecDeque<Arc<Token>>>,
    /// No more tokens are made.
    pub(super) ending: AtomicBool,
    /// Everything is revoked: clients end.
    pub(super) over: AtomicBool,
    pub(super) disturbed: AtomicBool,
    pub(super) revoked: Mutex<Vec<Revoked>>,
    /// What must not be.
    pub(super) wrong: Mutex<Vec<String>>,
    pub(super) served: AtomicUsize,
    pub(super) refused: AtomicUsize,
    /// Requests without an answer about the token, while something was wrong and while nothing was.
    pub(super) unavailable: AtomicUsize,
    pub(super) needless: AtomicUsize,
    /// Requests with a token known to be gone that a paused gateway found when it went on.
    pub(super) knocks: AtomicUsize,
}

impl Run {
    pub(super) fn new(gateways: Vec<SocketAddr>) -> Self {
        Self {
            gateways,
            asks: Default::default(),
            in_use: Mutex::default(),
            ending: AtomicBool::new(false),
            over: AtomicBool::new(false),
            disturbed: AtomicBool::new(false),
            revoked: Mutex::default(),
            wrong: Mutex::default(),
            served: AtomicUsize::new(0),
            refused: AtomicUsize::new(0),
            unavailable: AtomicUsize::new(0),
            needless: AtomicUsize::new(0),
            knocks: AtomicUsize::new(0),
        }
    }

    /// Has every gateway asked for a token before anything else.
    fn ask_everywhere(&self, token: &Arc<Token>) {
        for asks in &self.asks {
            asks.lock().unwrap().push_back(Arc::clone(token));
        }
    }

    fn fail(&self, what: String) {
        self.wrong.lock().unwrap().push(what);
    }

    /// Whether every request that was to be made is.
    pub(super) fn asked_all(&self) -> bool {
        self.asks.iter().all(|asks| asks.lock().unwrap().is_empty())
    }

    /// Makes tokens at their pace, every `of`-th of them.
    pub(super) fn make(&self, mut api: Api, number: u32, of: u32, made: &Sender<Arc<Token>>) {
        let started = patience::now();
        for n in 0.. {
            let due = Duration::from_secs(1) * (n * of + number) / PER_SECOND;
            std::thread::sleep(due.saturating_sub(patience::now().since(started)));
            if self.ending.load(Ordering::SeqCst) {
                break;
            }
            match make_one(&mut api, &format!("t-{number}-{n}")) {
                Ok(answer) if answer.status() == 201 => {
                    let token = Arc::new(issued(&answer.json()));
                    self.ask_everywhere(&token);
                    let mut in_use = self.in_use.lock().unwrap();
                    in_use.push_back(Arc::clone(&token));
                    if in_use.len() > IN_USE {
                        in_use.pop_front();
                    }
                    made.send(token).unwrap();
                }
                // The database is away.
                Err(_) => {}
                Ok(answer) if answer.status() >= 500 => {}
                Ok(answer) => self.fail(format!("create: {}", answer.text())),
            }
        }
    }

    /// Revokes tokens in their order when they are of age, until there are no more.
    pub(super) fn revoke(&self, mut api: Api, made: &Mutex<Receiver<Arc<Token>>>) {
        loop {
            let token = {
                let made = made.lock().unwrap();
                let Ok(token) = made.recv() else { return };
                std::thread::sleep(AGE.saturating_sub(patience::now().since(token.made)));
                token
            };
            let revoked = self.revoke_one(&mut api, token);
            self.ask_everywhere(&revoked.token);
            self.revoked.lock().unwrap().push(revoked);
        }
    }

    /// Makes and revokes tokens one after another, while nothing else goes on.
    pub(super) fn revoke_alone(&self, api: &mut Api, count: usize) -> Vec<Revoked> {
        let one = |n| {
            let made = make_one(api, &format!("alone-{n}")).unwrap();
            self.revoke_one(api, Arc::new(issued(&made.json())))
        };
        (0..count).map(one).collect()
    }

    fn revoke_one(&self, api: &mut Api, token: Arc<Token>) -> Revoked {
        let delete = format!("/tokens/{}?wait={WAIT}", token.id);
        let mut revision = None;
        let mut bound: Option<Timestamp> = None;
        token.revocation.set(Standing::Going);
        let begun = patience::now();
        let mut undisturbed = !self.disturbed.load(Ordering::SeqCst);
        loop {
            let answer = match revision {
                None => api.ask("DELETE", &delete, &Value::Null),
                Some(it) => {
                    api.ask("GET", &format!("/revisions/{it}/proof?wait={WAIT}"), &Value::Null)
                }
            };
            let took = patience::now().since(begun);
            undisturbed &= !self.disturbed.load(Ordering::SeqCst);
            let proof = answer.as_ref().map(Answer::json).unwrap_or_default();
            match answer.as_ref().map(Answer::status) {
                Ok(200) if proof["confirmed"] == true => {
                    let by_bound = token.revocation.standing() == Standing::Gone;
                    token.revocation.set(Standing::Gone);
                    return Revoked { token, took, undisturbed, by_bound };
                }
                Ok(202) if proof["confirmed"] == false => {
                    revision = proof["revision"].as_i64();
                    let by = proof["guaranteed_by"].as_str().unwrap().parse().unwrap();
                    bound = bound.min(Some(by)).or(Some(by));
                }
                // The database is away.
                Ok(500..) | Err(_) => std::thread::sleep(Duration::from_millis(50)),
                Ok(status) => panic!("token {}: {status}: {proof}", token.id),
            }
            if bound.is_some_and(|bound| SystemClock.now() > bound) {
                token.revocation.set(Standing::Gone);
            }
            assert!(took < PROVEN_WITHIN, "token {}: no proof after {took:?}", token.id);
        }
    }

    /// Asks one gateway for files, as a client does, until the run is over.
    pub(super) fn use_tokens(&self, gateway: usize, seed: u64) {
        let mut connection = None;
        let mut random = seed + 1;
        while !self.over.load(Ordering::SeqCst) {
            let first = self.asks[gateway].lock().unwrap().pop_front();
            let token = first.or_else(|| {
                std::thread::sleep(REST);
                // Marsaglia's xorshift.
                random ^= random << 13;
                random ^= random >> 7;
                random ^= random << 17;
                let in_use = self.in_use.lock().unwrap();
                let place = random.checked_rem(in_use.len() as u64)?;
                in_use.get(usize::try_from(place).unwrap()).cloned()
            });
            let Some(token) = token else { continue };
            if connection.is_none() {
                connection = Connection::open(self.gateways[gateway]).ok();
            }
            let began = token.revocation.standing();
            let answer = connection.as_mut().and_then(|c| c.get(&token.path(), &[]).ok());
            match &answer {
                Some(answer) => self.judge(gateway, &token, began, answer),
                None => {
                    self.unanswered().fetch_add(1, Ordering::SeqCst);
                    std::thread::sleep(REST);
                }
            }
            if !answer.is_some_and(|answer| answer.whole) {
                connection = None;
            }
        }
    }

    /// Sends requests to a gateway that stands still, with tokens that are gone by now and that it
    /// served before.
    pub(super) fn knock(&self, gateway: usize) -> Vec<(Arc<Token>, Connection<TcpStream>)> {
        let revoked = self.revoked.lock().unwrap();
        let known = revoked.iter().rev().map(|revoked| &revoked.token);
        let known = known.filter(|token| token.served[gateway].load(Ordering::SeqCst));
        let knock = |token: &Arc<Token>| {
            let mut connection = Connection::open(self.gateways[gateway]).unwrap();
            connection.send_get(&token.path(), &[]).unwrap();
            (Arc::clone(token), connection)
        };
        known.take(KNOCKS).map(knock).collect()
    }

    /// Judges what it answers to these.
    pub(super) fn answered(
        &self,
        gateway: usize,
        waiting: Vec<(Arc<Token>, Connection<TcpStream>)>,
    ) {
        self.knocks.fetch_add(waiting.len(), Ordering::SeqCst);
        for (token, mut connection) in waiting {
            if let Ok(head) = connection.head() {
                let answer = connection.rest(head);
                self.judge(gateway, &token, Standing::Gone, &answer);
            }
        }
    }

    fn unanswered(&self) -> &AtomicUsize {
        match self.disturbed.load(Ordering::SeqCst) {
            true => &self.unavailable,
            false => &self.needless,
        }
    }

    fn judge(&self, gateway: usize, token: &Token, began: Standing, answer: &Answer) {
        let ended = token.revocation.standing();
        let tally = match (answer.status(), began, ended) {
            (200, Standing::Valid | Standing::Going, _) => {
                token.served[gateway].store(true, Ordering::SeqCst);
                &self.served
            }
            (401, Standing::Gone, _) => &self.refused,
            (401, _, Standing::Going | Standing::Gone) => return,
            (503, ..) => self.unanswered(),
            (status, ..) => {
                let (id, request, text) = (token.id, answer.request_id(), answer.text());
                let text = if status == 200 { "its file" } else { &text };
                return self.fail(format!(
                    "gateway {gateway}, request {request}, token {id}, {began:?} to {ended:?}, was \
                     answered {status}: {text}"
                ));
            }
        };
        tally.fetch_add(1, Ordering::SeqCst);
    }
}

fn make_one(api: &mut Api, name: &str) -> io::Result<Answer> {
    let order = json!({
        "name": name, "expires_in": "1d", "permission": "read", "channels": ["demo"],
    });
    api.ask("POST", "/service-accounts/service-account-channel-demo/tokens", &order)
}

fn issued(answer: &Value) -> Token {
    Token {
        id: answer["id"].as_i64().unwrap(),
        value: answer["value"].as_str().unwrap().to_owned(),
        made: patience::now(),
        revocation: Revocation::default(),
        served: Default::default(),
    }
}
