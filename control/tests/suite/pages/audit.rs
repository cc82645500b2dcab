//! The audit log in the browser: nothing is shown that nobody asked for.

use super::browser::Browser;
use crate::world::World;

control::on_both_databases! {
    async fn a_filter_that_cannot_be_read_shows_nothing_and_says_why(database: TestDatabase) {
        let w = World::new(database).await;
        w.channel(&w.admin, "a").await.unwrap();
        let mut admin = Browser::signed_in(&w, "root").await;
        admin.get("/org/audit?target=a").await.shows(200, &["Created a channel", "Download NDJSON"]);
        for (query, why) in [
            ("since=garbage", "<code>garbage</code> is no day; write one like 2026-11-01"),
            ("until=2026-13-45", "<code>2026-13-45</code> is no day"),
            ("since=2026-11-02&until=2026-11-01", "Choose a day that isn’t before Since."),
        ] {
            let page = admin.get(&format!("/org/audit?target=a&{query}")).await;
            page.shows(422, &[why, "No event is shown", "aria-invalid=\"true\"", "name=\"target\" value=\"a\""]);
            assert!(!page.text.contains("Audit events"), "{query}");
            let export = admin.get(&format!("/org/audit/export?{query}")).await;
            export.shows(422, &[]);
            assert!(!export.text.contains("channel.create"), "{query}");
        }
        let today = w.now().date();
        let page = admin.get(&format!("/org/audit?since={today}&until={today}")).await;
        page.shows(200, &["Created a channel"]);
    }
}
