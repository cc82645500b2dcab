//! Our own style sheet, scripts and icons. Their addresses name their content, so that a browser
//! keeps them for good, and asks for others after an upgrade.

use std::sync::LazyLock;

use axum::Router;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use axum::response::IntoResponse as _;
use axum::routing::get;
use sha2::{Digest as _, Sha256};

/// A file with its address.
pub(super) struct Asset {
    /// `/assets/NAME-HASH.EXTENSION`.
    pub(super) path: String,
    media_type: &'static str,
    content: String,
}

/// How pages look.
pub(super) static STYLE: LazyLock<Asset> = LazyLock::new(|| {
    let content = dense(include_str!("assets/style.css"));
    Asset::new("style", "css", "text/css; charset=utf-8", content)
});
/// What the scripts of pages do: copying, the once-only notification, times in the viewer's zone.
pub(super) static SCRIPT: LazyLock<Asset> =
    LazyLock::new(|| script("condagate", include_str!("assets/condagate.js")));
/// Exchanges parts of pages (htmx 2, unchanged; its licence is 0BSD).
pub(super) static HTMX: LazyLock<Asset> =
    LazyLock::new(|| script("htmx", include_str!("assets/htmx.min.js")));
/// All icons, as symbols.
pub(super) static ICONS: LazyLock<Asset> =
    LazyLock::new(|| svg("icons", include_str!("assets/icons.svg")));
/// The mark in a browser's tab.
pub(super) static MARK: LazyLock<Asset> =
    LazyLock::new(|| svg("mark", include_str!("assets/mark.svg")));

impl Asset {
    fn new(name: &str, extension: &str, media_type: &'static str, content: String) -> Self {
        let digest = Sha256::digest(&content);
        let hash: String = digest.iter().take(6).map(|byte| format!("{byte:02x}")).collect();
        Self { path: format!("/assets/{name}-{hash}.{extension}"), media_type, content }
    }
}

fn script(name: &str, content: &str) -> Asset {
    Asset::new(name, "js", "text/javascript; charset=utf-8", content.to_owned())
}

fn svg(name: &str, content: &str) -> Asset {
    Asset::new(name, "svg", "image/svg+xml", content.to_owned())
}

/// Routes for what doesn't change while the process runs.
pub(super) fn router() -> Router {
    let all = [&STYLE, &SCRIPT, &HTMX, &ICONS, &MARK];
    all.into_iter().fold(Router::new(), |routes, asset| {
        let asset: &'static Asset = asset;
        routes.route(
            &asset.path,
            get(async move || {
                let headers = [
                    (CONTENT_TYPE, asset.media_type),
                    (CACHE_CONTROL, "public, max-age=31536000, immutable"),
                    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
                ];
                (headers, asset.content.as_str()).into_response()
            }),
        )
    })
}

/// A style sheet without its comments and the spaces that mean nothing. Ours has neither braces nor
/// semicolons in its texts.
fn dense(css: &str) -> String {
    let mut text = String::with_capacity(css.len());
    for (at, part) in css.split("/*").enumerate() {
        text.push_str(if at == 0 {
            part
        } else {
            part.split_once("*/").map_or("", |(_, rest)| rest)
        });
    }
    let mut text: String = text.lines().map(str::trim).collect::<Vec<_>>().join("");
    for (spaced, plain) in [
        (" {", "{"),
        ("{ ", "{"),
        (" }", "}"),
        ("; ", ";"),
        (": ", ":"),
        (", ", ","),
        (";}", "}"),
        (" > ", ">"),
        (" !", "!"),
    ] {
        text = text.replace(spaced, plain);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_dressed_within_its_budget() {
        assert!(STYLE.content.len() <= 14 * 1024, "{} bytes of style", STYLE.content.len());
        let all: usize = [&STYLE, &SCRIPT, &HTMX, &ICONS].iter().map(|a| a.content.len()).sum();
        // Which leaves a page of 20 KB under 100 KB over the wire.
        assert!(all <= 80_000, "{all} bytes of assets");
    }

    #[test]
    fn the_address_names_the_content() {
        let (one, other) = (script("a", "1"), script("a", "2"));
        assert_ne!(one.path, other.path);
        assert!(one.path.starts_with("/assets/a-") && one.path.ends_with(".js"), "{}", one.path);
    }

    #[test]
    fn style_means_the_same_without_its_spaces() {
        let css =
            "/* why */\na:hover, b > i {\n  color: var(--x, red) !important; margin: 0 1px;\n}\n";
        assert_eq!(dense(css), "a:hover,b>i{color:var(--x,red)!important;margin:0 1px}");
    }
}
