//! What the demo prints. The commands work as they stand.

use super::credentials::Credentials;
use super::folder::Folder;
use crate::cli::Demo;

/// Whether the token's value is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// It was made by this start.
    Shown,
    /// It was shown before.
    Hidden,
}

/// The text of a start. Its last line is `ready`.
pub(super) fn started(
    folder: &Folder,
    options: &Demo,
    credentials: &Credentials,
    token: Token,
) -> String {
    let json = folder.shown("demo.json");
    let username = &credentials.username;
    let (url, note, login, commands) = match token {
        Token::Shown => {
            let value = credentials.token_value();
            (
                credentials.channel_url(value),
                format!("in the URL; shown this once, kept for scripts in {json}"),
                format!("{username} / {}", credentials.password_value()),
                commands(folder, options.tls, credentials, value) + &management(credentials),
            )
        }
        Token::Hidden => (
            credentials.channel_url("<TOKEN>"),
            format!("not shown again; `{}` makes another", again(options, " --new-token")),
            format!("{username}, password in {json}"),
            management(credentials),
        ),
    };
    format!(
        "\ncondagate demo: a private channel behind a token, in {folder}\n\
         \n\
         \x20 channel      {channel} ({packages})\n\
         \x20 channel URL  {url}\n\
         \x20 token        {note}\n\
         \x20 control      {control}\n\
         \x20 admin        {login}\n\
         \x20 access log   {log}\n\
         \n\
         {commands}\
         Ctrl-C ends it; `{again}` goes on with the same folder.\n\
         ready",
        folder = folder.shown(""),
        channel = credentials.channel,
        packages = credentials.packages.join(", "),
        control = credentials.control_url(),
        log = folder.shown("access.log"),
        again = again(options, ""),
    )
}

/// The text of a start that finds `demo.json` gone.
pub(super) fn started_without_credentials(
    folder: &Folder,
    gateway_url: &str,
    control_url: &str,
) -> String {
    format!(
        "\ncondagate demo, in {folder}\n\
         \n\
         \x20 gateway      {gateway_url}\n\
         \x20 control      {control_url}\n\
         \n\
         demo.json is gone, and with it the login and the token; remove the folder to begin anew.\n\
         ready",
        folder = folder.shown(""),
    )
}

/// The text of another token for a demo that runs already.
pub(super) fn another_token(folder: &Folder, credentials: &Credentials) -> String {
    let tls = credentials.gateway_url().starts_with("https:");
    let value = credentials.token_value();
    format!(
        "\nAnother token for the demo that runs in {folder}, shown this once:\n\
         \n\
         \x20 channel URL  {url}\n\
         \n\
         {commands}",
        folder = folder.shown(""),
        url = credentials.channel_url(value),
        commands = commands(folder, tls, credentials, value),
    )
}

/// What to type into each client.
fn commands(folder: &Folder, tls: bool, credentials: &Credentials, token: &str) -> String {
    let url = credentials.channel_url(token);
    let create = format!("create -y -n demo --override-channels -c {url} demo-hello");
    let pixi_roots = if tls { " --tls-root-certs native" } else { "" };
    let mut text = String::new();
    if tls {
        let ca = quoted(&folder.path().join("ca.pem").display().to_string());
        text.push_str("Let the clients of this shell trust the demo's certificate:\n\n");
        text.push_str(&format!(
            "  export SSL_CERT_FILE={ca} REQUESTS_CA_BUNDLE={ca} CURL_CA_BUNDLE={ca}\n\n"
        ));
    }
    text.push_str("Install from it with the client you have:\n\n");
    for line in [
        format!("conda {create} && conda run -n demo demo-hello"),
        format!("mamba {create} && mamba run -n demo demo-hello"),
        format!(
            "pixi init --channel {url} demo && cd demo && pixi add{pixi_roots} demo-hello && pixi \
             run{pixi_roots} demo-hello"
        ),
        format!("curl -fsS {url}/noarch/repodata.json"),
        format!(
            "curl -fsS -H \"Authorization: Bearer {token}\" {}/{}/noarch/repodata.json",
            credentials.gateway_url(),
            credentials.channel
        ),
    ] {
        text.push_str(&format!("  {line}\n"));
    }
    text.push('\n');
    text
}

/// How more is handed out and taken back.
fn management(credentials: &Credentials) -> String {
    let binary = binary();
    format!(
        "Hand out another token, see them all, take one back:\n\
         \n\
         \x20 {binary} login {control} --username {username}\n\
         \x20 {binary} token create --channel {channel} --name another\n\
         \x20 {binary} token list --channel {channel}\n\
         \x20 {binary} token revoke 1\n\
         \n",
        control = credentials.control_url(),
        username = credentials.username,
        channel = credentials.channel,
    )
}

/// The command that starts this demo again: the path of the binary as it was called.
fn again(options: &Demo, more: &str) -> String {
    let binary = binary();
    let dir = match options.dir.to_str() {
        Some("condagate-demo") => String::new(),
        _ => format!(" --dir {}", quoted(&options.dir.display().to_string())),
    };
    let tls = if options.tls { " --tls" } else { "" };
    format!("{binary} demo{dir}{tls}{more}")
}

/// This binary, as it was called.
fn binary() -> String {
    quoted(&std::env::args().next().unwrap_or_else(|| "condagate".into()))
}

/// A word for a shell.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:@".contains(c);
    if word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_where_a_shell_would_split_them() {
        assert_eq!(quoted("/srv/demo/ca.pem"), "/srv/demo/ca.pem");
        assert_eq!(quoted("/srv/my demo"), "'/srv/my demo'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
    }
}
