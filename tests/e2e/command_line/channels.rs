//! Channels and their service accounts.

use super::Here;
use crate::site::{Database, patience};

#[test]
fn a_channel_is_changed_and_deleted() {
    let here = Here::new(Database::Sqlite);
    here.sign_in();
    assert!(here.done("storages list").contains("main  directory"));
    let status = || here.site.get("/demo/noarch/repodata.json").status();
    assert_eq!(status(), 401);
    here.done("channel edit demo --privacy public --description open");
    patience::until("the channel to be open", || (status() == 200).then_some(()));
    let shown = here.json("channel show demo");
    assert_eq!((&shown["privacy"], &shown["description"]), (&"public".into(), &"open".into()));

    here.done("channel create lab/prod --storage main --prefix demo --include-subchannels");
    assert_eq!(here.json("channel list --beginning lab")[0]["name"], "lab/prod");
    here.done("channel edit lab/prod --include-subchannels false");
    assert_eq!(here.json("channel show lab/prod")["include_subchannels"], false);
    let manageable = here.done("service-account list --manageable");
    let without = manageable.lines().find(|line| line.starts_with("lab/prod"));
    assert!(without.is_some_and(|line| line.ends_with('-')), "{manageable}");
    here.done("service-account create lab/prod");
    let account = here.json("service-account show lab/prod");
    assert_eq!(account["name"], "service-account-channel-lab:prod");
    here.done("service-account delete lab/prod");
    here.ends(1, &["service-account", "show", "lab/prod"]);

    here.done("channel delete demo");
    patience::until("the channel to be gone", || (status() != 200).then_some(()));
    here.site.stop();
}
