//! The client of the control plane's REST API, for the commands that manage channels, service
//! accounts and tokens.

mod http;
mod login;

use access::TokenSecret;
use config::BaseUrl;
use serde_json::Value;

use crate::failure::Failure;
pub(crate) use http::RemoteError;
pub(crate) use login::Login;

/// Where the control plane is.
const URL: &str = "CONDAGATE_URL";
/// A token or session for it.
const TOKEN: &str = "CONDAGATE_TOKEN";

/// A control plane, and a credential for it.
pub(crate) struct Remote {
    url: BaseUrl,
    token: Option<TokenSecret>,
}

impl Remote {
    /// The control plane that the environment names, else the one of the last `condagate login`.
    ///
    /// # Errors
    /// [`Failure::Usage`] when there is neither.
    pub(crate) fn find() -> Result<Self, Failure> {
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
        let token = match (variable(TOKEN), login) {
            (Some(value), _) => Some(
                TokenSecret::parse(&value)
                    .map_err(|error| Failure::Usage(format!("{TOKEN}: {error}")))?,
            ),
            // A session is shown to the control plane that gave it, and to no other.
            (None, Some(login)) if login.url == url => Some(login.session),
            (None, _) => {
                return Err(Failure::Usage(format!(
                    "not signed in at {url}; use `condagate login {url}`, or set {TOKEN}"
                )));
            }
        };
        Ok(Self { url, token })
    }

    /// The control plane at `url`, before signing in.
    pub(crate) fn at(url: &str) -> Result<Self, Failure> {
        Ok(Self { url: parse_url(url)?, token: None })
    }

    pub(crate) fn url(&self) -> &BaseUrl {
        &self.url
    }

    /// Every item of the list at `path`, page by page.
    pub(crate) async fn list(&self, path: &str) -> Result<Vec<Value>, Failure> {
        let mut items = Vec::new();
        let mut cursor: Option<String> = None;
        loop {
            let page = match &cursor {
                Some(cursor) => format!("{path}?limit=1000&cursor={}", segment(cursor)),
                None => format!("{path}?limit=1000"),
            };
            let mut answer = self.ask("GET", &page, None).await?;
            if let Value::Array(found) = answer["items"].take() {
                items.extend(found);
            }
            match answer["next_cursor"].take() {
                Value::String(next) if cursor.as_ref() != Some(&next) => cursor = Some(next),
                _ => return Ok(items),
            }
        }
    }

    /// Makes what `body` says at `path`.
    pub(crate) async fn create(&self, path: &str, body: &Value) -> Result<Value, Failure> {
        self.ask("POST", path, Some(body)).await
    }

    /// Ends the thing at `path`.
    pub(crate) async fn delete(&self, path: &str) -> Result<Value, Failure> {
        self.ask("DELETE", path, None).await
    }

    async fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Value, Failure> {
        let (url, token) = (&self.url, self.token.as_ref());
        let answer = http::ask(url, token, method, &format!("/api/v1{path}"), body).await;
        answer.map_err(|source| Failure::Remote { url: url.to_string(), source })
    }
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

    #[test]
    fn a_segment_stays_one_segment() {
        assert_eq!(segment("service-account-channel-a:b"), "service-account-channel-a:b");
        assert_eq!(segment("a/b?c=d&e#f+g h"), "a%2Fb%3Fc%3Dd%26e%23f%2Bg%20h");
        assert_eq!(segment("ä"), "%C3%A4");
    }
}
