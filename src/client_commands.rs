//! What the holder of a token types into each client (product.md S12).

/// A channel, opened by a token.
pub(crate) struct Access<'a> {
    /// How clients reach the gateway, without a slash at the end.
    pub(crate) gateway_url: &'a str,
    /// The channel.
    pub(crate) channel: &'a str,
    /// The token's value.
    pub(crate) token: &'a str,
}

impl Access<'_> {
    /// The URL that works in every client.
    pub(crate) fn channel_url(&self) -> String {
        format!("{}/t/{}/{}", self.gateway_url, self.token, self.channel)
    }

    /// How each client is set up once.
    pub(crate) fn setup(&self) -> String {
        let Self { gateway_url, channel, token } = self;
        let url = self.channel_url();
        let host = gateway_url.split("://").last().unwrap_or(gateway_url);
        let host = host.split(['/', ':']).next().unwrap_or(host);
        format!(
            "\n\
             \x20 conda    conda config --add channels {url}\n\
             \x20 mamba    mamba config prepend channels {url}\n\
             \x20 pixi     pixi workspace channel add --prepend {url}\n\
             \x20 curl     curl -fsS {url}/noarch/repodata.json\n\
             \x20 .netrc   machine {host} login token password {token}\n\
             \x20          and the channel {gateway_url}/{channel}\n\
             \x20 bearer   Authorization: Bearer {token}\n"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_has_what_its_client_needs() {
        let access = Access {
            gateway_url: "https://conda.example.com:8443",
            channel: "analytics/prod",
            token: "cg-T",
        };
        let url = "https://conda.example.com:8443/t/cg-T/analytics/prod";
        assert_eq!(access.channel_url(), url);
        let setup = access.setup();
        assert!(setup.contains(&format!("conda config --add channels {url}\n")), "{setup}");
        assert!(setup.contains("machine conda.example.com login token password cg-T\n"), "{setup}");
        assert!(setup.contains("channel https://conda.example.com:8443/analytics/prod\n"));
    }
}
