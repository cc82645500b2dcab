//! Addresses of our own pages.

use access::ChannelName;

/// A path on this server to go back to: what a page of another site wrote leads nowhere else.
pub(super) fn local(path: &str) -> &str {
    let ours = path.starts_with('/')
        && !path.starts_with("//")
        && path.bytes().all(|b| b.is_ascii_graphic() && b != b'\\')
        && !path.starts_with("/sign-");
    if ours { path } else { "/channels" }
}

/// `/sign-in`, and afterwards back to where one was.
pub(super) fn sign_in(back: &str) -> String {
    match local(back) {
        "/" | "/channels" => "/sign-in".to_owned(),
        back => format!("/sign-in?{}", query(&[("return", back)])),
    }
}

/// A query with these fields.
pub(super) fn query(fields: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

/// A user's page.
pub(super) fn user(name: &str) -> String {
    format!("/org/users/{name}/edit")
}

/// A group's page.
pub(super) fn group(name: &str) -> String {
    format!("/org/groups/{name}")
}

/// A channel's page, or the page of one of its tabs.
pub(super) fn channel(name: &ChannelName, tab: &str) -> String {
    let name = name.with_colons();
    if tab.is_empty() { format!("/channels/{name}") } else { format!("/channels/{name}/{tab}") }
}

/// A service account's page.
pub(super) fn account(name: &str) -> String {
    format!("/service-accounts/{name}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_sent_to_another_server() {
        for path in ["/channels/a:b", "/tokens/7/edit?x=1"] {
            assert_eq!(local(path), path);
        }
        for path in ["", "//evil", "https://evil", "/\\evil", "/a\nb", "/a b", "/sign-in", "x"] {
            assert_eq!(local(path), "/channels", "{path}");
        }
        assert_eq!(sign_in("/a?b=c"), "/sign-in?return=%2Fa%3Fb%3Dc");
        assert_eq!(sign_in("/channels"), "/sign-in");
    }
}
