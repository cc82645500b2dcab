//! The tokens, as condagate and the peers are told them.

use std::fmt::Write as _;
use std::rc::Rc;

use access::TokenSecret;

use super::Channel;
use crate::error::Error;
use crate::workload::{Population, Token};

/// How many tokens there are that nobody knows.
const UNKNOWN: usize = 100;

/// The tokens of a lab.
pub(crate) struct Tokens {
    /// Let in everywhere. Some are seen often, most seldom.
    pub(crate) known: Rc<Population>,
    /// Of the same form.
    pub(crate) unknown: Vec<Token>,
}

impl Tokens {
    pub(super) fn make(known: usize) -> Result<Self, Error> {
        let one = |status: u16| match TokenSecret::generate() {
            Ok(secret) => Ok(Token { secret, status }),
            Err(cause) => Err(Error::Setup(format!("no randomness for tokens: {cause}"))),
        };
        let make =
            |count: usize, status| (0..count).map(|_| one(status)).collect::<Result<Vec<_>, _>>();
        let (known, unknown) = (make(known, 200)?, make(UNKNOWN, 401)?);
        Ok(Self { known: Rc::new(Population::by_rank(known)), unknown })
    }

    /// Each known token with `mark` behind it.
    pub(super) fn map(&self, mark: &str) -> String {
        let mut map = String::new();
        for token in self.known.tokens() {
            let _ = write!(map, "{}{mark}", token.secret.reveal());
        }
        map
    }

    /// A line for each of `tokens`, as `condagate token import` takes them.
    pub(super) fn import(tokens: &[Token], first: usize) -> String {
        let mut lines = String::new();
        let channel = Channel::NAME;
        for (number, token) in (first..).zip(tokens) {
            let line = serde_json::json!({
                "value": token.secret.reveal(),
                "service_account": format!("service-account-channel-{channel}"),
                "name": format!("machine-{number}"),
                "permission": "read",
                "channels": [channel],
                "expires_in": "90d",
            });
            let _ = writeln!(lines, "{line}");
        }
        lines
    }
}
