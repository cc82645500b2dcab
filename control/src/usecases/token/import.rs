//! Taking over the tokens of another system, so that their holders' URLs need not change.

use std::collections::HashMap;

use access::source::{Revision, Touched};
use access::{ChannelId, ChannelName, Permission, PrincipalId, TokenId, TokenSecret};
use serde_json::json;

use super::TokenOrder;
use super::rules::{
    check_expiry, check_limits, check_numbers, grantable_channel, require_manager,
    visible_principal,
};
use crate::Actor;
use crate::store::{
    self, Change, Event, NewToken, NewValue, Principal, PrincipalKind, StoreError, Target,
    TokenForm,
};
use crate::usecases::caller::Caller;
use crate::usecases::names::{check_text, check_token_name};
use crate::usecases::{Control, Error};

/// How many tokens an import may have that is taken whole or not at all.
pub const MAX_ATOMIC: usize = 10_000;
/// How many tokens one change takes: no other change, a revoke least of all, should wait for long.
const MAX_PER_CHANGE: usize = 100;

/// One token of another system.
#[derive(Debug)]
pub struct Import {
    /// Its value, as its holder knows it.
    pub value: TokenSecret,
    /// The service account or user that it is to act for.
    pub principal: String,
    /// What it is to be.
    pub order: TokenOrder,
}

/// What became of one token of an import.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Imported {
    /// It was made, by this revision.
    Created(TokenId, Revision),
    /// This principal has a token of this value already.
    Exists(TokenId),
    /// Nothing was made; why not.
    Refused(String),
}

/// Imports tokens, each under the rules of its issue; an admin may import users' tokens too. What
/// couldn't be read is given as the reason why. If `atomic`, one refusal is enough for nothing to
/// be made; if not, tokens are made in several changes, and a failure in between leaves those that
/// were made: asking again finds them there. The answer has as many items as `tokens`.
///
/// # Errors
/// [`Error::InvalidField`] for too many at once, [`Error::NotSignedIn`], [`Error::NotPermitted`];
/// [`Error::Store`].
pub async fn import(
    control: &Control,
    actor: &Actor,
    tokens: Vec<Result<Import, String>>,
    atomic: bool,
) -> Result<Vec<Imported>, Error> {
    if !atomic {
        let mut outcomes = Vec::with_capacity(tokens.len());
        for part in tokens.chunks(MAX_PER_CHANGE) {
            outcomes.extend(import_part(control, actor, part, false).await?);
        }
        return Ok(outcomes);
    }
    if tokens.len() > MAX_ATOMIC {
        let message = format!("all or nothing takes at most {MAX_ATOMIC} tokens");
        return Err(Error::invalid("atomic", message));
    }
    import_part(control, actor, &tokens, true).await
}

/// Imports tokens in one change.
async fn import_part(
    control: &Control,
    actor: &Actor,
    tokens: &[Result<Import, String>],
    atomic: bool,
) -> Result<Vec<Imported>, Error> {
    let mut change = control.store.change(control.now()).await?;
    let caller = Caller::of_change(&mut change, actor).await?;
    let mut importer =
        Importer { control, actor, caller, principals: HashMap::new(), channels: HashMap::new() };
    let mut outcomes = Vec::with_capacity(tokens.len());
    for token in tokens {
        outcomes.push(match token {
            Ok(token) => importer.import(&mut change, token).await?,
            Err(unreadable) => Imported::Refused(unreadable.clone()),
        });
    }
    let refused = outcomes.iter().any(|outcome| matches!(outcome, Imported::Refused(_)));
    let created = |outcome: &Imported| matches!(outcome, Imported::Created(..));
    if atomic && refused {
        for outcome in outcomes.iter_mut().filter(|outcome| created(outcome)) {
            *outcome = Imported::Refused("nothing was imported: another line was refused".into());
        }
    } else if outcomes.iter().any(created) {
        change.commit().await?;
    }
    Ok(outcomes)
}

/// One change's view: what was found out for one token holds for the others, since the change
/// holds the counter.
struct Importer<'a> {
    control: &'a Control,
    actor: &'a Actor,
    caller: Caller,
    principals: HashMap<String, Result<Principal, String>>,
    channels: HashMap<(PrincipalId, Permission, ChannelName), Result<ChannelId, String>>,
}

impl Importer<'_> {
    /// Imports one token. A refused one has written nothing.
    async fn import(&mut self, change: &mut Change, token: &Import) -> Result<Imported, Error> {
        let (principal, channels, form) = match self.permitted(change, token).await {
            Ok(Permitted::New(principal, channels, form)) => (principal, channels, form),
            Ok(Permitted::Exists(id)) => return Ok(Imported::Exists(id)),
            Err(Refusal::Rule(why)) => return Ok(Imported::Refused(why)),
            Err(Refusal::Failed(error)) => return Err(error),
        };
        let (digest, hint) = (token.value.digest(), token.value.hint());
        let new = NewToken {
            principal,
            form,
            channels: &channels,
            admin: false,
            created_by: self.caller.id(),
            value: NewValue { digest, hint: &hint, issued_by_token: self.caller.token() },
        };
        let now = change.now();
        let id = store::insert_token(change.connection(), new, now).await?;
        change.touch([Touched::Token { id, digest }]);
        self.audit(change, token, id, form).await?;
        Ok(Imported::Created(id, change.revision()))
    }

    /// What the token is to be, if every rule is kept.
    async fn permitted<'t>(
        &mut self,
        change: &mut Change,
        token: &'t Import,
    ) -> Result<Permitted<'t>, Refusal> {
        let (order, now) = (&token.order, change.now());
        let principal = self.principal(change, &token.principal).await?;
        let db = change.connection();
        match store::find_value(db, token.value.digest()).await? {
            Some(known) if known.principal == principal.id && !known.revoked => {
                return Ok(Permitted::Exists(known.token));
            }
            Some(_) => {
                let why = "it belongs to another token, or to one that was revoked";
                return Err(Error::invalid("value", why).into());
            }
            None => {}
        }
        check_token_name(&order.name)?;
        check_text("description", &order.description)?;
        check_numbers(&order.channels, false, &order.limits)?;
        let expires_at = check_expiry(&self.caller, order.expires, now, now)?;
        check_limits(&self.caller, &order.limits)?;
        if store::token_name_in_use(db, principal.id, &order.name).await? {
            return Err(Error::NameTaken { kind: "token", name: order.name.clone() }.into());
        }
        let mut channels = Vec::with_capacity(order.channels.len());
        for name in &order.channels {
            let id = self.channel(change, &principal, order.permission, name).await?;
            if !channels.contains(&id) {
                channels.push(id);
            }
        }
        let form = TokenForm {
            name: &order.name,
            description: &order.description,
            permission: order.permission,
            limits: &order.limits,
            expires_at,
        };
        Ok(Permitted::New(principal.id, channels, form))
    }

    /// The principal of that name, if the caller may import its tokens. An admin may for every
    /// user: whoever moves a system knows its values.
    async fn principal(&mut self, change: &mut Change, name: &str) -> Result<Principal, Refusal> {
        if let Some(found) = self.principals.get(name) {
            return found.clone().map_err(Refusal::Rule);
        }
        let db = change.connection();
        let found = match visible_principal(self.control, &self.caller, db, name).await {
            Ok(principal) if principal.kind == PrincipalKind::ServiceAccount => {
                require_manager(&self.caller, db, name).await.map(|()| principal)
            }
            other => other,
        };
        let found = answered(found)?;
        self.principals.insert(name.to_owned(), found.clone());
        found.map_err(Refusal::Rule)
    }

    /// The channel of that name, if the permission on it may be granted to the principal.
    async fn channel(
        &mut self,
        change: &mut Change,
        principal: &Principal,
        permission: Permission,
        name: &ChannelName,
    ) -> Result<ChannelId, Refusal> {
        let key = (principal.id, permission, name.clone());
        if let Some(found) = self.channels.get(&key) {
            return found.clone().map_err(Refusal::Rule);
        }
        let db = change.connection();
        let found = grantable_channel(&self.caller, db, principal, permission, name).await;
        let found = answered(found)?;
        self.channels.insert(key, found.clone());
        found.map_err(Refusal::Rule)
    }

    async fn audit(
        &self,
        change: &mut Change,
        token: &Import,
        id: TokenId,
        form: TokenForm<'_>,
    ) -> Result<(), Error> {
        let channels: Vec<_> = token.order.channels.iter().map(ChannelName::as_str).collect();
        let after = json!({
            "principal": token.principal,
            "name": form.name,
            "description": form.description,
            "hint": token.value.hint().to_string(),
            "permission": form.permission.as_str(),
            "channels": channels,
            "expires_at": form.expires_at.to_string(),
        });
        let target = Target { kind: "token", id: id.0, name: form.name };
        let event = Event { action: "token.import", target, before: None, after: Some(after) };
        Ok(change.audit(self.actor, event).await?)
    }
}

/// What is to become of a token that may be imported.
enum Permitted<'a> {
    Exists(TokenId),
    New(PrincipalId, Vec<ChannelId>, TokenForm<'a>),
}

/// Why a token isn't imported.
enum Refusal {
    /// A rule says so: a line of the report.
    Rule(String),
    /// The database didn't answer: the end of the import.
    Failed(Error),
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        match error {
            Error::Store(_) | Error::Internal(_) => Self::Failed(error),
            rule => Self::Rule(rule.to_string()),
        }
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.into())
    }
}

/// What was found out, to be remembered, if the database did answer.
fn answered<T>(result: Result<T, Error>) -> Result<Result<T, String>, Refusal> {
    match result.map_err(Refusal::from) {
        Ok(found) => Ok(Ok(found)),
        Err(Refusal::Rule(why)) => Ok(Err(why)),
        Err(failed) => Err(failed),
    }
}
