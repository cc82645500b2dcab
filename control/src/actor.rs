//! Who acts.

use std::fmt;
use std::net::IpAddr;

use access::{PrincipalId, TokenId};

use crate::store::SessionId;

/// Who asks for a use case, and from where. Only a claim: what the actor may do is read from the
/// database inside the transaction that acts on it.
#[derive(Clone, Debug)]
pub struct Actor {
    /// The user or service account; none for the operator at the machine itself.
    pub principal: Option<PrincipalId>,
    /// Their name, for the audit log.
    pub name: String,
    /// By which credential.
    pub via: Via,
    /// From which address, when over the network.
    pub address: Option<IpAddr>,
    /// The request it belongs to, as in the logs.
    pub request_id: Option<String>,
    /// Set for a request that may be sent again: recorded with what it makes.
    pub repeatable: Option<Repeatable>,
}

/// A request that may be sent again (api.md, `Idempotency-Key`), as it is recorded.
#[derive(Clone, Debug)]
pub struct Repeatable {
    /// SHA-256 of the key by which its sender knows it.
    pub key_digest: [u8; 32],
    /// SHA-256 of the key and the request, so that it can't be found by trying bodies: one may
    /// hold a password.
    pub request_digest: [u8; 32],
}

/// The credential by which somebody acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Via {
    /// The command line, with access to the database itself.
    Console,
    /// A password, looked at to sign in.
    Password,
    /// A sign-in with a password.
    Session(SessionId),
    /// A token of theirs.
    Token(TokenId),
}

impl Actor {
    /// The operator at the machine, who has the database anyway.
    pub fn console() -> Self {
        Self {
            principal: None,
            name: "console".into(),
            via: Via::Console,
            address: None,
            request_id: None,
            repeatable: None,
        }
    }

    /// Whether it is the operator at the machine, acting for nobody else.
    pub(crate) fn is_console(&self) -> bool {
        self.principal.is_none() && self.via == Via::Console
    }

    /// The operator at the machine, acting for a user: what that user may not do stays refused.
    pub fn console_as(user: PrincipalId, name: impl Into<String>) -> Self {
        Self { principal: Some(user), name: name.into(), ..Self::console() }
    }
}

/// As in the audit log: `console`, `password`, `session:7`, `token:12`.
impl fmt::Display for Via {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Console => f.write_str("console"),
            Self::Password => f.write_str("password"),
            Self::Session(SessionId(id)) => write!(f, "session:{id}"),
            Self::Token(TokenId(id)) => write!(f, "token:{id}"),
        }
    }
}
