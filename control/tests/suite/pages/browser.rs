//! A browser without scripts: cookies, forms as they stand in the page, and what browsers say of
//! where a request comes from.

use std::collections::BTreeSet;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::http::header::{
    ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, COOKIE, LOCATION, SET_COOKIE,
};
use axum::http::response::Parts;
use axum::http::{HeaderMap, Method, Request};
use tower::ServiceExt as _;

use crate::world::{PASSWORD, World};

pub(crate) struct Browser {
    router: Router,
    pub(crate) cookie: Option<String>,
}

pub(crate) struct Page {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Browser {
    pub(crate) fn new(w: &World) -> Self {
        Self { router: control::router(w.control.clone()), cookie: None }
    }

    pub(crate) async fn signed_in(w: &World, username: &str) -> Self {
        let mut browser = Self::new(w);
        let fields = [("username", username), ("password", PASSWORD)];
        let answer = browser.send("/sign-in", &fields).await;
        assert_eq!(answer.status, 303, "{}", answer.text);
        browser
    }

    pub(crate) async fn get(&mut self, path: &str) -> Page {
        self.ask(Request::get(path).body(Body::empty()).unwrap()).await
    }

    /// Sends exactly these fields, as a page of this server.
    pub(crate) async fn send(&mut self, path: &str, fields: &[(&str, &str)]) -> Page {
        self.send_from("same-origin", path, fields).await
    }

    pub(crate) async fn send_from(
        &mut self,
        site: &str,
        path: &str,
        fields: &[(&str, &str)],
    ) -> Page {
        let request = Request::builder()
            .method(Method::POST)
            .uri(path)
            .header("sec-fetch-site", site)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        self.ask(request.body(Body::from(encode(fields))).unwrap()).await
    }

    /// Fills the form of `page` that is sent to `action`, and sends it.
    pub(crate) async fn fill(&mut self, page: &Page, action: &str, typed: &[(&str, &str)]) -> Page {
        let hidden = page.hidden(action);
        let mut fields: Vec<_> = hidden.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        fields.extend(typed);
        self.send(action, &fields).await
    }

    /// How many bytes a file has over the wire, compressed.
    pub(crate) async fn weigh(&mut self, path: &str) -> usize {
        let request = Request::get(path).header(ACCEPT_ENCODING, "gzip, deflate, br, zstd");
        let (parts, bytes) = self.answer(request.body(Body::empty()).unwrap()).await;
        assert_eq!(parts.headers[CONTENT_ENCODING], "gzip", "{path}");
        bytes.len()
    }

    async fn ask(&mut self, request: Request<Body>) -> Page {
        let (parts, bytes) = self.answer(request).await;
        Page {
            status: parts.status.as_u16(),
            headers: parts.headers,
            text: String::from_utf8(bytes.into()).unwrap(),
        }
    }

    async fn answer(&mut self, mut request: Request<Body>) -> (Parts, Bytes) {
        if let Some(cookie) = &self.cookie {
            request.headers_mut().insert(COOKIE, cookie.parse().unwrap());
        }
        let (parts, body) = self.router.clone().oneshot(request).await.unwrap().into_parts();
        if let Some(cookie) = parts.headers.get(SET_COOKIE) {
            let pair = cookie.to_str().unwrap().split(';').next().unwrap().to_owned();
            self.cookie = (!pair.ends_with('=')).then_some(pair);
        }
        (parts, to_bytes(body, 1 << 22).await.unwrap())
    }
}

impl Page {
    /// The addresses of the style, scripts and icons that it shows.
    pub(crate) fn assets(&self) -> BTreeSet<&str> {
        let quoted = self.text.split('"').filter(|part| part.starts_with("/assets/"));
        quoted.map(|part| part.split('#').next().unwrap()).collect()
    }

    #[track_caller]
    pub(crate) fn leads_to(&self, path: &str) {
        assert_eq!(
            (self.status, self.headers.get(LOCATION).and_then(|l| l.to_str().ok())),
            (303, Some(path)),
            "{}",
            self.text
        );
    }

    /// That this was saved: it leads to `path`, which says so.
    #[track_caller]
    pub(crate) fn saved_to(&self, path: &str) {
        let and = if path.contains('?') { '&' } else { '?' };
        self.leads_to(&format!("{path}{and}saved=yes"));
    }

    /// That this took access away: it leads to `path` with the proof of the change. Gives the whole
    /// address.
    #[track_caller]
    pub(crate) fn leads_to_proof(&self, path: &str) -> String {
        let location = self.headers.get(LOCATION).and_then(|l| l.to_str().ok()).unwrap_or_default();
        let (to, revision) = location.split_once("?proof=").unwrap_or_default();
        assert_eq!((self.status, to), (303, path), "{location}: {}", self.text);
        assert!(revision.parse::<i64>().is_ok(), "{location}");
        location.to_owned()
    }

    #[track_caller]
    pub(crate) fn shows(&self, status: u16, words: &[&str]) {
        assert_eq!(self.status, status, "{}", self.text);
        for words in words {
            assert!(self.text.contains(words), "`{words}` is not in\n{}", self.text);
        }
    }

    /// The dialog over the page: the same forms may stand under it, where nobody can reach them.
    pub(crate) fn dialog(&self) -> Self {
        let (_, dialog) = self.text.split_once("<dialog").expect("no dialog");
        Self { status: self.status, headers: self.headers.clone(), text: dialog.to_owned() }
    }

    /// The hidden fields of the form that is sent to `action`.
    #[track_caller]
    pub(crate) fn hidden(&self, action: &str) -> Vec<(String, String)> {
        let opening = format!("action=\"{action}\"");
        let form = self.text.split("<form").find(|form| form.contains(&opening));
        let form = form.unwrap_or_else(|| panic!("no form to {action} in\n{}", self.text));
        let form = form.split("</form>").next().unwrap();
        let inputs = form.split("<input").filter(|input| input.contains("type=\"hidden\""));
        inputs.map(|input| (attribute(input, "name"), attribute(input, "value"))).collect()
    }
}

fn attribute(tag: &str, name: &str) -> String {
    let value = tag.split(&format!(" {name}=\"")).nth(1).unwrap().split('"').next().unwrap();
    value.replace("&quot;", "\"").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

fn encode(fields: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}
