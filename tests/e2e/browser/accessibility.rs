//! Whether everyone can use a page, as far as a program can tell: axe-core's rules for WCAG 2.2 AA.

use serde_json::{Value, json};

use super::{Browser, Scheme, Width};

const AXE: &str = include_str!("axe-core/axe.min.js");

/// The rules of WCAG up to 2.2, levels A and AA.
const RULES: [&str; 5] = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];

const RUN: &str = "
    const [rules, done] = arguments;
    const options = { runOnly: { type: 'tag', values: rules }, resultTypes: ['violations'] };
    axe.run(document, options).then((result) => done(result.violations), (why) => done(String(why)));
";

impl Browser {
    /// Asserts that the page as it stands breaks no rule, in every look, and is not wider than the
    /// window. It is left in the first look.
    #[track_caller]
    pub(crate) fn everyone_can_use_it(&self) {
        for (width, scheme) in [
            (Width::Phone, Scheme::Light),
            (Width::Phone, Scheme::Dark),
            (Width::Desk, Scheme::Dark),
            (Width::Desk, Scheme::Light),
        ] {
            self.look(width, scheme);
            let faults = self.faults();
            let path = self.path();
            assert!(faults.is_empty(), "{path} ({width:?}, {scheme:?}):\n{}", faults.join("\n"));
            let sideways = "return document.documentElement.scrollWidth - window.innerWidth";
            let sideways = self.script(sideways, vec![]).as_i64().unwrap();
            assert!(sideways <= 0, "{path} ({width:?}) is {sideways} px wider than the window");
        }
    }

    /// A line per element that breaks a rule: the rule, the element, and what to do.
    fn faults(&self) -> Vec<String> {
        if self.script("return typeof axe", vec![]) != json!("object") {
            self.script(AXE, vec![]);
        }
        let violations = self.run(self.client.execute_async(RUN, vec![json!(RULES)]));
        let Value::Array(violations) = violations else { panic!("axe-core failed: {violations}") };
        let mut faults = Vec::new();
        for violation in &violations {
            for node in violation["nodes"].as_array().unwrap() {
                let (rule, html) = (&violation["id"], &node["html"]);
                faults.push(format!("{rule}: {html}: {}", node["failureSummary"]));
            }
        }
        faults
    }
}

#[test]
fn a_page_that_not_everyone_can_use_is_noticed() {
    let browser = Browser::open(crate::site::port::free());
    let shows = |body: &str| {
        let head = "<!doctype html><html lang=en><title>t</title><meta name=viewport content='width=device-width'>";
        browser.run(
            browser.client.goto(&format!("data:text/html,{head}<main><h1>t</h1>{body}</main>")),
        );
        browser.faults()
    };
    assert_eq!(shows("<label>Name <input></label>"), [""; 0]);
    assert!(shows("<input>").iter().any(|fault| fault.starts_with("\"label\"")));
    let pale = "<p style='color: silver; background: white'>pale</p>";
    assert!(shows(pale).iter().any(|fault| fault.starts_with("\"color-contrast\"")));
    let small = "<button style='width: 9px; height: 9px; padding: 0; font-size: 5px'>a</button>";
    assert!(shows(&small.repeat(2)).iter().any(|fault| fault.starts_with("\"target-size\"")));
}
