//! Our own style sheet, scripts and icons. Their addresses name their content, so that a browser
//! keeps them for good, and asks for others after an upgrade. They are compressed, unlike pages:
//! there is no secret in them.

use std::io::Read as _;
use std::sync::LazyLock;

use axum::Router;
use axum::body::Bytes;
use axum::http::HeaderMap;
use axum::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, VARY, X_CONTENT_TYPE_OPTIONS,
};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use flate2::Compression;
use flate2::bufread::GzEncoder;
use sha2::{Digest as _, Sha256};

/// A file with its address.
pub(super) struct Asset {
    /// `/assets/NAME-HASH.EXTENSION`.
    pub(super) path: String,
    media_type: &'static str,
    content: Bytes,
    gzip: Bytes,
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
        let mut gzip = Vec::new();
        let done = GzEncoder::new(content.as_bytes(), Compression::best()).read_to_end(&mut gzip);
        debug_assert!(done.is_ok(), "neither end is a file");
        Self {
            path: format!("/assets/{name}-{hash}.{extension}"),
            media_type,
            content: content.into(),
            gzip: gzip.into(),
        }
    }

    fn answer(&self, asked: &HeaderMap) -> Response {
        let headers = [
            (CONTENT_TYPE, self.media_type),
            (CACHE_CONTROL, "public, max-age=31536000, immutable"),
            (VARY, "accept-encoding"),
            (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        ];
        if takes_gzip(asked) {
            let coded = [(CONTENT_ENCODING, "gzip")];
            (headers, coded, self.gzip.clone()).into_response()
        } else {
            (headers, self.content.clone()).into_response()
        }
    }
}

/// Whether an answer may be compressed (RFC 9110 section 12.5.3). What says it in an unusual way gets
/// the plain one.
fn takes_gzip(headers: &HeaderMap) -> bool {
    let lines = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, "q=1"));
        let weight = weight.trim().strip_prefix("q=").and_then(|weight| weight.parse().ok());
        name.trim().eq_ignore_ascii_case("gzip") && weight.is_some_and(|weight: f32| weight > 0.0)
    })
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
        routes.route(&asset.path, get(async move |headers: HeaderMap| asset.answer(&headers)))
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
    use axum::http::HeaderValue;
    use flate2::bufread::GzDecoder;

    use super::*;

    #[test]
    fn a_page_is_dressed_within_its_budget() {
        assert!(STYLE.gzip.len() <= 6 * 1024, "{} bytes of style", STYLE.gzip.len());
        let all: usize = [&STYLE, &SCRIPT, &HTMX, &ICONS].iter().map(|a| a.gzip.len()).sum();
        assert!(all <= 25_000, "{all} bytes of assets");
    }

    #[test]
    fn what_is_compressed_is_the_same() {
        let mut plain = Vec::new();
        GzDecoder::new(&*STYLE.gzip).read_to_end(&mut plain).unwrap();
        assert_eq!(plain, STYLE.content);
    }

    #[test]
    fn only_who_asks_for_it_gets_it_compressed() {
        let takes = |lines: &[&'static str]| {
            let lines = lines.iter().map(|line| (ACCEPT_ENCODING, HeaderValue::from_static(line)));
            takes_gzip(&lines.collect())
        };
        for lines in
            [&["gzip"][..], &["gzip, deflate, br"], &["br;q=1.0, GZIP;q=0.5"], &["br", "gzip"]]
        {
            assert!(takes(lines), "{lines:?}");
        }
        for lines in [
            &[][..],
            &["identity"],
            &["br, gzip;q=0"],
            &["xgzip"],
            &["gzip;level=9"],
            &["gzip;q=x"],
        ] {
            assert!(!takes(lines), "{lines:?}");
        }
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
