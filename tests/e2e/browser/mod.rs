//! A real browser (Debian's Chromium and its driver) on the pages of a real control plane. Controls
//! are found as people find them: by what they are and what they are called.

mod accessibility;
mod devtools;
mod element;

use std::net::SocketAddr;
use std::time::Duration;

use fantoccini::elements::Element;
use fantoccini::{Client, ClientBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::site::{Process, patience, port};

pub(crate) use self::element::Kind;

/// How long a page may take to show what it should.
const LIMIT: Duration = Duration::from_secs(10);

/// A root process has no sandbox; the rest keeps the browser from asking its maker for anything.
const FLAGS: [&str; 8] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
];

/// A browser without history or cookies, on one control plane.
pub(crate) struct Browser {
    runtime: Runtime,
    client: Client,
    /// `http://127.0.0.1:8081`.
    base: String,
    /// Ended and removed after the browser, in this order.
    _driver: Process,
    _folder: TempDir,
}

/// How wide the window is, in CSS pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Width {
    /// A desk's screen: 1280.
    Desk = 1280,
    /// A small phone's: 360.
    Phone = 360,
}

/// The colours that the viewer prefers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scheme {
    Light,
    Dark,
}

impl Browser {
    /// Starts one for the control plane at this address.
    pub(crate) fn open(control: SocketAddr) -> Self {
        let runtime = Runtime::new().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let address = port::free();
        let home = folder.path().to_str().unwrap();
        let driver_port = format!("--port={}", address.port());
        let arguments = [driver_port.as_str(), "--log-level=SEVERE"];
        let environment = [("HOME", home)];
        let driver =
            Process::start("chromedriver", "chromedriver", arguments, &environment, folder.path());
        let profile = format!("--user-data-dir={home}/profile");
        let arguments: Vec<&str> = FLAGS.into_iter().chain([profile.as_str()]).collect();
        let capabilities = json!({ "goog:chromeOptions": { "args": arguments } });
        let Value::Object(capabilities) = capabilities else { unreachable!() };
        let client = patience::until("the browser to start", || {
            let mut builder = ClientBuilder::new(HttpConnector::new());
            let session = builder.capabilities(capabilities.clone());
            runtime.block_on(session.connect(&format!("http://{address}"))).ok()
        });
        let base = format!("http://{control}");
        let browser = Self { runtime, client, base, _driver: driver, _folder: folder };
        browser.look(Width::Desk, Scheme::Light);
        browser
    }

    /// Starts one and signs a user in.
    pub(crate) fn signed_in(control: SocketAddr, name: &str, password: &str) -> Self {
        let browser = Self::open(control);
        browser.sign_in(name, password);
        browser
    }

    /// Signs in by the form, and sees that it worked.
    pub(crate) fn sign_in(&self, name: &str, password: &str) {
        self.go("/sign-in");
        self.fill("Username", name);
        self.fill("Password", password);
        self.click(Kind::Button, "Sign in");
        self.sees_heading("Channels");
    }

    /// Opens a page by its path.
    pub(crate) fn go(&self, path: &str) {
        self.run(self.client.goto(&format!("{}{path}", self.base)));
    }

    /// Where it is: path and query.
    pub(crate) fn path(&self) -> String {
        let url = self.run(self.client.current_url());
        let query = url.query().map(|query| format!("?{query}"));
        format!("{}{}", url.path(), query.unwrap_or_default())
    }

    /// Goes back by the history.
    pub(crate) fn back(&self) {
        self.run(self.client.back());
    }

    /// What people read on the page.
    pub(crate) fn text(&self) -> String {
        let text = self.script("return document.body.innerText", vec![]);
        text.as_str().unwrap_or_default().to_owned()
    }

    /// The page's source, as the server and scripts made it.
    pub(crate) fn source(&self) -> String {
        self.run(self.client.source())
    }

    /// Waits until the page says this.
    #[track_caller]
    pub(crate) fn sees(&self, text: &str) {
        self.waits(&format!("`{text}`"), || self.text().contains(text).then_some(()));
    }

    /// Waits until the page says this no more.
    #[track_caller]
    pub(crate) fn sees_no(&self, text: &str) {
        self.waits(&format!("no `{text}`"), || (!self.text().contains(text)).then_some(()));
    }

    /// Waits for a heading.
    #[track_caller]
    pub(crate) fn sees_heading(&self, name: &str) {
        self.find(Kind::Heading, name);
    }

    /// Runs a function's body in the page.
    pub(crate) fn script(&self, body: &str, arguments: Vec<Value>) -> Value {
        self.run(self.client.execute(body, arguments))
    }

    /// Sets the window's width and the colours that it prefers. It is as high as a screen.
    pub(crate) fn look(&self, width: Width, scheme: Scheme) {
        self.resize(width as u64, 800);
        let value = if scheme == Scheme::Dark { "dark" } else { "light" };
        let features = json!([{ "name": "prefers-color-scheme", "value": value }]);
        self.devtools("Emulation.setEmulatedMedia", json!({ "features": features }));
    }

    /// Sets the window's width, in CSS pixels.
    pub(crate) fn widen(&self, width: u64) {
        self.resize(width, 800);
    }

    /// A picture of the page from its head to its foot, in PNG.
    pub(crate) fn picture(&self) -> Vec<u8> {
        let size = "const root = document.documentElement; \
                    return [window.innerWidth, Math.max(root.scrollHeight, 800)]";
        let size = self.script(size, vec![]);
        let (width, height) = (size[0].as_u64().unwrap(), size[1].as_u64().unwrap());
        self.resize(width, height);
        let picture = self.run(self.client.screenshot());
        self.resize(width, 800);
        picture
    }

    fn resize(&self, width: u64, height: u64) {
        let metrics = json!({
            "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false,
        });
        self.devtools("Emulation.setDeviceMetricsOverride", metrics);
    }

    /// Tries until there is something; in vain, the page as it is belongs to the failure.
    #[track_caller]
    fn waits<T>(&self, what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
        let begun = patience::now();
        loop {
            if let Some(found) = ask() {
                return found;
            }
            if patience::now().since(begun) > LIMIT {
                panic!("{what} was not on {}:\n{}", self.path(), self.text());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Does something of the driver's that must succeed.
    #[track_caller]
    fn run<T, E: std::fmt::Debug>(&self, what: impl Future<Output = Result<T, E>>) -> T {
        self.runtime.block_on(what).unwrap_or_else(|why| panic!("{why:?}"))
    }

    fn element(&self, id: &str) -> Element {
        Element::from_element_id(self.client.clone(), id.to_owned().into())
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Killing the driver would leave its browser behind.
        let _ = self.runtime.block_on(self.client.clone().close());
    }
}
