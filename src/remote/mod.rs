//! The client of the control plane's REST API, and of gateways as far as a check asks them.

mod gateway;
mod http;
mod login;

use access::TokenSecret;
use config::BaseUrl;
use serde_json::Value;

use crate::cli::api::Credential;
use crate::failure::Failure;
use crate::terminal::first_line;
pub(crate) use gateway::ask_gateway;
pub(crate) use http::{Body, RemoteError, Request};
pub(crate) use login::Login;

/// Where the control plane is.
const URL: &str = "CONDAGATE_URL";
/// A token or session for it.
const TOKEN: &str = "CONDAGATE_TOKEN";
/// How many items a page of a list has (api.md).
const PAGE: u64 = 1000;

/// A control plane, and a credential for it.
pub(crate) struct Remote {
    url: BaseUrl,
    token: Option<TokenSecret>,
}

impl Remote {
    /// The control plane that the environment names, else the one of the last `condagate login`;
    /// with the token that the command line points to, else likewise.
    ///
    /// # Errors
    /// [`Failure::Usage`] when there is neither.
    pub(crate) fn find(credential: &Credential) -> Result<Self, Failure> {
        let login = Login::read()?;
        let url = match (variable(URL), &login) {
            (Some(url), _) => parse_url(&url)?,
            (None, Some(login)) => login.url.clone(),
            (None, None) => {
                return Err(Failure::Usage(format!(
                    "which control plane? Use `condagate login URL`, or set {URL} and {TOKEN}"
                )));
            }
        };
        let token = match (given(credential)?, login) {
            (Some(token), _) => token,
            // A session is shown to the control plane that gave it, and to no other.
            (None, Some(login)) if login.url == url => login.session,
            (None, _) => {
                return Err(Failure::Usage(format!(
                    "not signed in at {url}; use `condagate login {url}`, or set {TOKEN}"
                )));
            }
        };
        Ok(Self { url, token: Some(token) })
    }

    /// The control plane at `url`, before signing in.
    pub(crate) fn at(url: &str) -> Result<Self, Failure> {
        Ok(Self { url: parse_url(url)?, token: None })
    }

    /// The control plane of a sign-in.
    pub(crate) fn of(login: Login) -> Self {
        Self { url: login.url, token: Some(login.session) }
    }

    pub(crate) fn url(&self) -> &BaseUrl {
        &self.url
    }

    /// The list at `path`, page by page; `take` is given each page's items, at most `limit` in all.
    pub(crate) async fn pages(
        &self,
        path: &str,
        limit: Option<u64>,
        mut take: impl FnMut(Vec<Value>) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let mut left = limit.unwrap_or(u64::MAX);
        let joint = if path.contains('?') { '&' } else { '?' };
        let mut cursor: Option<String> = None;
        loop {
            let mut page = format!("{path}{joint}limit={}", left.min(PAGE));
            if let Some(cursor) = &cursor {
                page.push_str(&format!("&cursor={}", segment(cursor)));
            }
            let mut answer = self.ask(Request::get(page)).await?;
            let Value::Array(mut items) = answer["items"].take() else { return Ok(()) };
            items.truncate(usize::try_from(left).unwrap_or(usize::MAX));
            left = left.saturating_sub(items.len() as u64);
            take(items)?;
            match answer["next_cursor"].take() {
                Value::String(next) if left > 0 && cursor.as_ref() != Some(&next) => {
                    cursor = Some(next);
                }
                _ => return Ok(()),
            }
        }
    }

    /// Sends a request; the answer's JSON, null for none.
    pub(crate) async fn ask(&self, request: Request) -> Result<Value, Failure> {
        let answer = http::ask(&self.url, self.token.as_ref(), request).await;
        answer.map_err(|source| Failure::Remote { url: self.url.to_string(), source })
    }
}

impl Request {
    /// Asks for what is at `path`.
    pub(crate) fn get(path: impl Into<String>) -> Self {
        Self { method: "GET", path: path.into(), ..Self::default() }
    }
}

/// The token that the command line points to, else the environment's.
fn given(credential: &Credential) -> Result<Option<TokenSecret>, Failure> {
    let (text, source) = match &credential.token_file {
        Some(file) => {
            let text = std::fs::read_to_string(file).map_err(Failure::file(file, "read"))?;
            (text, file.display().to_string())
        }
        None if credential.token_stdin => {
            (first_line(std::io::stdin().lock(), "token")?, "the standard input".to_owned())
        }
        None => match variable(TOKEN) {
            Some(text) => (text, TOKEN.to_owned()),
            None => return Ok(None),
        },
    };
    let token = TokenSecret::parse(text.trim());
    token.map(Some).map_err(|error| Failure::Usage(format!("{source}: {error}")))
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn parse_url(text: &str) -> Result<BaseUrl, Failure> {
    text.parse().map_err(|error: config::BaseUrlError| {
        Failure::Usage(format!("the control plane's URL is {error}; like http://127.0.0.1:8081"))
    })
}

/// `text` as one segment of a path or one value of a query (RFC 3986 section 2.3).
pub(crate) fn segment(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:@".contains(&byte);
    let mut segment = String::with_capacity(text.len());
    for byte in text.bytes() {
        if plain(byte) {
            segment.push(char::from(byte));
        } else {
            segment.push_str(&format!("%{byte:02X}"));
        }
    }
    segment
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A control plane with `count` things, that gives pages as long as it is asked for.
    async fn with_things(count: u64) -> Remote {
        use axum::extract::Query;
        use axum::{Router, routing::get};

        type Asked = Query<std::collections::BTreeMap<String, u64>>;
        let things = move |Query(asked): Asked| async move {
            let first = asked.get("cursor").copied().unwrap_or(0);
            let end = count.min(first + asked["limit"].min(1000));
            let items: Vec<u64> = (first..end).collect();
            let next = (end < count).then(|| end.to_string());
            serde_json::json!({ "items": items, "next_cursor": next }).to_string()
        };
        let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", socket.local_addr().unwrap());
        let routes = Router::new().route("/api/v1/things", get(things));
        tokio::spawn(async move { axum::serve(socket, routes).await });
        Remote::at(&url).unwrap()
    }

    #[tokio::test]
    async fn a_list_is_read_to_its_end_or_its_limit() {
        let remote = with_things(2_500).await;
        for (limit, expected) in [(None, 2_500), (Some(1_200), 1_200), (Some(1), 1)] {
            let mut items = Vec::new();
            let take = |page| {
                items.extend(page);
                Ok(())
            };
            remote.pages("/things?first=0", limit, take).await.unwrap();
            let expected: Vec<Value> = (0..expected).map(Value::from).collect();
            assert_eq!(items, expected, "{limit:?}");
        }
    }

    #[test]
    fn a_segment_stays_one_segment() {
        assert_eq!(segment("service-account-channel-a:b"), "service-account-channel-a:b");
        assert_eq!(segment("a/b?c=d&e#f+g h"), "a%2Fb%3Fc%3Dd%26e%23f%2Bg%20h");
        assert_eq!(segment("ä"), "%C3%A4");
    }
}
