//! What people type into each client to use a channel (product.md S12).

/// A channel, opened by a token or by nobody's leave.
#[derive(Clone, Copy, Debug)]
pub struct ClientCommands<'a> {
    /// How clients reach the gateway, without a slash at the end.
    pub gateway_url: &'a str,
    /// The channel.
    pub channel: &'a str,
    /// What stands for the token: its value, or a word to be replaced; none for a public channel.
    pub token: Option<&'a str>,
}

impl ClientCommands<'_> {
    /// The URL that works in every client.
    pub fn channel_url(&self) -> String {
        let Self { gateway_url, channel, token } = self;
        match token {
            Some(token) => format!("{gateway_url}/t/{token}/{channel}"),
            None => format!("{gateway_url}/{channel}"),
        }
    }

    /// Each client's name with the one command that sets it up.
    pub fn commands(&self) -> [(&'static str, String); 4] {
        let url = self.channel_url();
        [
            ("conda", format!("conda config --add channels {url}")),
            ("mamba", format!("mamba config prepend channels {url}")),
            ("pixi", format!("pixi workspace channel add --prepend {url}")),
            ("curl", format!("curl -fsS {url}/noarch/repodata.json")),
        ]
    }

    /// The same for a terminal, with the ways that keep a token out of URLs.
    pub fn setup(&self) -> String {
        let Self { gateway_url, channel, token } = self;
        let host = gateway_url.split("://").last().unwrap_or(gateway_url);
        let host = host.split(['/', ':']).next().unwrap_or(host);
        let mut lines: Vec<_> = self.commands().into_iter().collect();
        if let Some(token) = token {
            lines.extend([
                (".netrc", format!("machine {host} login token password {token}")),
                ("", format!("and the channel {gateway_url}/{channel}")),
                ("bearer", format!("Authorization: Bearer {token}")),
            ]);
        }
        let lines = lines.iter().map(|(client, line)| format!("  {client:<8} {line}\n"));
        format!("\n{}", lines.collect::<String>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_has_what_its_client_needs() {
        let access = ClientCommands {
            gateway_url: "https://conda.example.com:8443",
            channel: "analytics/prod",
            token: Some("cg-T"),
        };
        let url = "https://conda.example.com:8443/t/cg-T/analytics/prod";
        assert_eq!(access.channel_url(), url);
        let setup = access.setup();
        assert!(
            setup.contains(&format!("  conda    conda config --add channels {url}\n")),
            "{setup}"
        );
        assert!(setup.contains("machine conda.example.com login token password cg-T\n"), "{setup}");
        assert!(setup.contains("channel https://conda.example.com:8443/analytics/prod\n"));
        let public = ClientCommands { token: None, ..access };
        assert_eq!(public.channel_url(), "https://conda.example.com:8443/analytics/prod");
        assert!(!public.setup().contains(".netrc"));
    }
}
