//! Tokens looked through page by page: searched, of one state, sorted.

use access::TokenId;

use super::rules::visible_principal;
use crate::Actor;
use crate::store::{
    self, Pattern, Token, TokenCounts, TokenKey, TokenSort, TokenState, TokensWanted,
};
use crate::usecases::caller::Caller;
use crate::usecases::{Control, Error, Listed, Page};

/// Which of somebody's tokens to show, in which order.
#[derive(Clone, Copy, Debug)]
pub struct Browse<'a> {
    /// Only those with this in their name or description; all if it is empty.
    pub search: &'a str,
    /// Only those in this state; none for active ones, and where nothing is active for all.
    pub state: Option<Option<TokenState>>,
    /// Their order.
    pub sort: TokenSort,
}

/// A page of tokens.
#[derive(Clone, Debug)]
pub struct Browsed {
    /// The page.
    pub tokens: Listed<Token>,
    /// The state of which they are; none for all.
    pub state: Option<TokenState>,
    /// How many tokens the search finds in each state.
    pub counts: TokenCounts,
}

/// The tokens of a service account or a user.
///
/// # Errors
/// [`Error::NotFound`], [`Error::NotPermitted`], [`Error::InvalidField`] for a foreign cursor;
/// [`Error::Store`].
pub async fn browse(
    control: &Control,
    actor: &Actor,
    principal: &str,
    wanted: Browse<'_>,
    page: &Page,
) -> Result<Browsed, Error> {
    let Browse { search, state, sort } = wanted;
    let after = match &page.after {
        None => sort.start(),
        Some(cursor) => {
            let foreign = || Error::invalid("cursor", "not one of ours");
            read_cursor(cursor, &sort.start().0).ok_or_else(foreign)?
        }
    };
    let now = control.now();
    let mut db = control.store.reader().await?;
    let caller = Caller::verify(&mut db, actor, now).await?;
    let principal = visible_principal(control, &caller, &mut db, principal).await?;
    let pattern = Pattern::containing(search);
    let counts = store::count_tokens(&mut db, principal.id, &pattern, now).await?;
    let usual = (counts.active > 0).then_some(TokenState::Active);
    let state = state.unwrap_or(usual);
    let wanted = TokensWanted { pattern: &pattern, state, sort, after, limit: page.probe() };
    let found = store::browse_tokens(&mut db, principal.id, &wanted, now).await?;
    let tokens = Listed::page(found, page, |token| cursor(sort.key(token), token.id));
    Ok(Browsed { tokens, state, counts })
}

fn cursor(key: TokenKey, id: TokenId) -> String {
    match key {
        TokenKey::Text(text) => format!("{}:{text}", id.0),
        TokenKey::Number(number) => format!("{}:{number}", id.0),
    }
}

/// The place that a cursor names, in an order whose keys are like this one.
fn read_cursor(cursor: &str, like: &TokenKey) -> Option<(TokenKey, TokenId)> {
    let (id, key) = cursor.split_once(':')?;
    let key = match like {
        TokenKey::Text(_) => TokenKey::Text(key.to_owned()),
        TokenKey::Number(_) => TokenKey::Number(key.parse().ok()?),
    };
    Some((key, TokenId(id.parse().ok()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_names_a_place() {
        for key in [TokenKey::Text("a:b".into()), TokenKey::Number(-7)] {
            let text = cursor(key.clone(), TokenId(3));
            assert_eq!(read_cursor(&text, &key), Some((key, TokenId(3))), "{text}");
        }
        for foreign in ["", "3", "x:1", "3:x"] {
            assert_eq!(read_cursor(foreign, &TokenKey::Number(0)), None, "{foreign}");
        }
    }
}
