//! A form that was sent.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use sha2::{Digest as _, Sha256};

use super::failure::Failure;
use super::fields::{Fields, Filled};
use super::visitor::{Asked, Visitor};
use crate::actor::Repeatable;
use crate::api::credential::is_same_origin;
use crate::{Actor, Control};

/// The field of the token by which a form is known to be ours.
pub(super) const CSRF: &str = "csrf";
/// The field of the key by which a form that is sent twice is known to be the same.
pub(super) const ONCE: &str = "once";

/// A form of ours that its visitor sent.
pub(super) struct Posted {
    /// Whoever sent it; what is done as `visitor.actor` is done once, however often it is sent.
    pub(super) visitor: Visitor,
    /// What they typed.
    pub(super) fields: Fields,
}

impl Posted {
    /// The form, to be shown again.
    pub(super) fn filled(&self) -> Filled {
        Filled { fields: self.fields.clone(), once: self.fields.some(ONCE), ..Filled::default() }
    }
}

impl FromRequest<Control> for Posted {
    type Rejection = Failure;

    async fn from_request(request: Request, control: &Control) -> Result<Self, Failure> {
        if !is_same_origin(request.headers()) {
            return Err(Failure::cross_origin());
        }
        let found = request.extensions().get::<Option<Visitor>>().cloned().flatten();
        let asked = request.extensions().get::<Asked>().map(|asked| asked.target.clone());
        let target = asked.unwrap_or_default();
        let body =
            Bytes::from_request(request, control).await.map_err(|_why| Failure::too_large())?;
        let fields = Fields::parse(&body);
        let Some(mut visitor) = found else {
            return Err(Failure::form(target, &fields));
        };
        // Another session than the one in which the page was opened: the visitor is asked whether
        // they mean it, since they may be somebody else by now.
        if fields.raw(CSRF) != visitor.csrf {
            return Err(Failure::form(target, &fields));
        }
        visitor.actor = Actor { repeatable: repeatable(&target, &fields), ..visitor.actor };
        Ok(Self { visitor, fields })
    }
}

/// What is sent under a form's key; the key of another form is another request.
fn repeatable(target: &str, fields: &Fields) -> Option<Repeatable> {
    let key = fields.some(ONCE)?;
    let mut request = Sha256::new();
    for part in [key.as_str(), "\n", target, "\n", &fields.to_keep().encode()] {
        request.update(part);
    }
    Some(Repeatable {
        key_digest: Sha256::digest(&key).into(),
        request_digest: request.finalize().into(),
    })
}

/// A new form's key.
pub(super) fn new_key() -> String {
    let mut bytes = [0; 16];
    // Without randomness a double submit may be two: the names of what is made still keep it one.
    let _ = getrandom::fill(&mut bytes);
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
