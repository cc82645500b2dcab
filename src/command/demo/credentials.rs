//! `DIR/demo.json`: the one file that keeps a token's value, so that a demo can be scripted (the
//! named exception to product.md S8).

use access::TokenSecret;
use config::Secret;
use serde::Deserialize;
use serde_json::json;

/// What the file holds. Not serializable by itself: only [`Credentials::to_json`] writes it.
pub(super) struct Credentials {
    /// The admin's name.
    pub(super) username: String,
    /// The admin's password.
    pub(super) password: Secret,
    gateway_url: String,
    control_url: String,
    pub(super) channel: String,
    pub(super) service_account: String,
    pub(super) token: TokenSecret,
    pub(super) packages: Vec<String>,
}

/// The file's form, for reading.
#[derive(Deserialize)]
struct Form {
    admin: AdminForm,
    gateway_url: String,
    control_url: String,
    channel: String,
    service_account: String,
    token: String,
    packages: Vec<String>,
}

#[derive(Deserialize)]
struct AdminForm {
    username: String,
    password: String,
}

impl Credentials {
    pub(super) fn new(
        (username, password): (String, Secret),
        channel: String,
        (service_account, token): (String, TokenSecret),
        packages: Vec<String>,
    ) -> Self {
        let (gateway_url, control_url) = (String::new(), String::new());
        Self {
            username,
            password,
            gateway_url,
            control_url,
            channel,
            service_account,
            token,
            packages,
        }
    }

    /// Where gateway and control plane are at this start.
    pub(super) fn set_urls(&mut self, gateway_url: &str, control_url: &str) {
        gateway_url.clone_into(&mut self.gateway_url);
        control_url.clone_into(&mut self.control_url);
    }

    /// Whether a start came as far as telling the token. Until then there are no URLs.
    pub(super) fn was_told(&self) -> bool {
        !self.gateway_url.is_empty()
    }

    pub(super) fn gateway_url(&self) -> &str {
        &self.gateway_url
    }

    pub(super) fn control_url(&self) -> &str {
        &self.control_url
    }

    /// The token's value, for the texts that show it this once.
    pub(super) fn token_value(&self) -> &str {
        self.token.reveal()
    }

    /// The admin's password, for the text of the first start.
    pub(super) fn password_value(&self) -> &str {
        self.password.reveal()
    }

    /// What clients are told, with `token` in it.
    pub(super) fn channel_url(&self, token: &str) -> String {
        format!("{}/t/{token}/{}", self.gateway_url, self.channel)
    }

    /// The file's text.
    pub(super) fn to_json(&self) -> String {
        let value = json!({
            "admin": { "username": self.username, "password": self.password_value() },
            "gateway_url": self.gateway_url,
            "control_url": self.control_url,
            "channel": self.channel,
            "service_account": self.service_account,
            "token": self.token_value(),
            "channel_url": self.channel_url(self.token_value()),
            "packages": self.packages,
        });
        format!("{value:#}\n")
    }

    /// Reads the file's text.
    ///
    /// # Errors
    /// What is wrong; never the text itself.
    pub(super) fn from_json(text: &str) -> Result<Self, String> {
        let form: Form = serde_json::from_str(text).map_err(|error| {
            // The library's own text may repeat a value.
            format!("line {}, column {}: not what was written there", error.line(), error.column())
        })?;
        let token = TokenSecret::parse(&form.token).map_err(|error| error.to_string())?;
        let admin = (form.admin.username, Secret::new(form.admin.password));
        let account = (form.service_account, token);
        let mut credentials = Self::new(admin, form.channel, account, form.packages);
        credentials.set_urls(&form.gateway_url, &form.control_url);
        Ok(credentials)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn credentials() -> Credentials {
        let token = TokenSecret::generate().unwrap();
        let mut credentials = Credentials::new(
            ("admin".into(), Secret::new("hush")),
            "demo".into(),
            ("service-account-channel-demo".into(), token),
            vec!["demo-hello".into()],
        );
        assert!(!credentials.was_told());
        credentials.set_urls("http://127.0.0.1:8080", "http://127.0.0.1:8081");
        assert!(credentials.was_told());
        credentials
    }

    #[test]
    fn the_file_has_exactly_the_documented_fields_and_is_read_back() {
        let written = credentials();
        let text = written.to_json();
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        let mut fields: Vec<_> = value.as_object().unwrap().keys().map(String::as_str).collect();
        fields.sort_unstable();
        assert_eq!(
            fields,
            [
                "admin",
                "channel",
                "channel_url",
                "control_url",
                "gateway_url",
                "packages",
                "service_account",
                "token"
            ]
        );
        let url = format!("http://127.0.0.1:8080/t/{}/demo", written.token_value());
        assert_eq!(value["channel_url"], url);
        assert_eq!(value["admin"]["password"], "hush");
        assert_eq!(Credentials::from_json(&text).unwrap().to_json(), text);
    }

    #[test]
    fn an_unreadable_file_is_told_without_its_content() {
        let text = credentials().to_json().replace("\"token\"", "\"tokn\"");
        let Err(error) = Credentials::from_json(&text) else { panic!("read") };
        assert!(!error.contains("cg-") && !error.contains("hush"), "{error}");
        assert!(Credentials::from_json("{").is_err());
    }
}
