use proptest::prelude::*;

use super::*;

fn mounts() -> MountPrefixes {
    MountPrefixes::new(["", "api/repo", "conda", "repo"])
}

/// Channel, file and token of a path that is read as a file of a channel.
fn parts(path: &str) -> (Option<String>, Option<String>, Option<String>) {
    let target = read(path, &mounts()).unwrap_or_else(|why| panic!("{path}: {why}"));
    (
        target.channel.map(|c| c.to_string()),
        target.file.map(|f| f.encoded()),
        target.token.map(|t| t.0.to_owned()),
    )
}

fn some(
    channel: &str,
    file: &str,
    token: &str,
) -> (Option<String>, Option<String>, Option<String>) {
    let token = (!token.is_empty()).then(|| token.to_owned());
    (Some(channel.to_owned()), Some(file.to_owned()), token)
}

#[test]
fn a_packages_name_stands_before_version_and_build() {
    let package = |file: &str| {
        let path = format!("/analytics/{file}");
        let target = read(&path, &MountPrefixes::default()).unwrap();
        target.file.and_then(|file| file.package().map(str::to_owned))
    };
    for (file, name) in [
        ("noarch/tzdata-2024a-h0_1.conda", Some("tzdata")),
        ("linux-64/python-dateutil-2.9.0-py_0.tar.bz2", Some("python-dateutil")),
        ("label/dev/noarch/a.b_c-1!2.0-0.conda", Some("a.b_c")),
        ("noarch/odd.conda", Some("")),
        ("noarch/n%20m-1-0.conda", Some("")),
        ("noarch/repodata.json.bz2", None),
        ("channeldata.json", None),
    ] {
        assert_eq!(package(file).as_deref(), name, "{file}");
    }
}

#[test]
fn w2_the_pair_and_the_mount_prefix_stand_in_either_order() {
    let expected = some("chan", "noarch/repodata.json", "TOKEN");
    for path in [
        "/t/TOKEN/chan/noarch/repodata.json",
        "/api/repo/t/TOKEN/chan/noarch/repodata.json",
        "/t/TOKEN/api/repo/chan/noarch/repodata.json",
        "/conda/t/TOKEN/chan/noarch/repodata.json",
        "/t/TOKEN/repo/chan/noarch/repodata.json",
    ] {
        assert_eq!(parts(path), expected, "{path}");
    }
    assert_eq!(
        parts("/api/repo/chan/noarch/repodata.json"),
        some("chan", "noarch/repodata.json", "")
    );
    // Stripped once only: the second one can't be a channel either, since it is reserved.
    let twice = read("/repo/t/T/repo/chan/noarch/x", &mounts()).unwrap();
    assert_eq!(twice.channel.unwrap(), "repo/chan");
}

#[test]
fn w2_two_pairs_or_one_in_a_wrong_place_are_refused() {
    let refused = |path: &str| read(path, &mounts()).unwrap_err();
    assert_eq!(refused("/t/A/t/B/chan/noarch/x"), PathError::TwoTokens);
    assert_eq!(refused("/t/A/chan/t/B/noarch/x"), PathError::TwoTokens);
    assert_eq!(refused("/chan/t/A/noarch/x"), PathError::TokenMisplaced);
    assert_eq!(refused("/chan/noarch/t/A"), PathError::TokenMisplaced);
    assert_eq!(parts("/t/A/chan/noarch/t"), some("chan", "noarch/t", "A"), "a file named t");
}

#[test]
fn w4_every_shape_of_a_channels_file_is_known() {
    for (path, channel, file) in [
        ("a/linux-64/x-1-0.conda", "a", "linux-64/x-1-0.conda"),
        ("a/b/c/d/noarch/x", "a/b/c/d", "noarch/x"),
        ("a/label/dev/noarch/x", "a", "label/dev/noarch/x"),
        ("a/noarch/shards/0af.msgpack.zst", "a", "noarch/shards/0af.msgpack.zst"),
        (
            "a/label/dev/noarch/shards/0af.msgpack.zst",
            "a",
            "label/dev/noarch/shards/0af.msgpack.zst",
        ),
        ("a/b/channeldata.json", "a/b", "channeldata.json"),
        ("a/notices.json", "a", "notices.json"),
    ] {
        assert_eq!(parts(&format!("/t/T/{path}")), some(channel, file, "T"), "{path}");
    }
}

#[test]
fn w4_what_is_no_file_of_a_channel_names_none() {
    for path in [
        "a",
        "a/b",
        "a/x.conda",
        "noarch/x",
        "label/x/noarch/y",
        "a/label/x",
        "a/label/x/y",
        "a/noarch",
        "a/noarch/b/c",
        "a/noarch/shards/xyz.msgpack.zst",
        "a/noarch/shards/0af.json",
        "a/shards/0af.msgpack.zst",
        "a/b/c/d/e/noarch/x",
        "A/noarch/x",
        "channeldata.json",
        "a/label/x%2By/noarch/z",
        "a/noarch/linux-64/x",
    ] {
        let path = format!("/{path}");
        let target = read(&path, &mounts()).unwrap();
        assert_eq!((target.channel, target.file), (None, None), "{path}");
    }
}

#[test]
fn w5_what_is_not_canonical_is_refused() {
    for path in [
        "",
        "a",
        "//a/noarch/x",
        "/a//noarch/x",
        "/a/noarch/",
        "/a/./noarch/x",
        "/a/../noarch/x",
        "/a/noarch/..",
        "/a/noarch/%2e%2E",
        "/a/noarch/.%2e",
        "/a/noarch/x%2fy",
        "/a/noarch/x%5Cy",
        "/a/noarch/x\\y",
        "/a/noarch/%00",
        "/a/noarch/%0a",
        "/a/noarch/%c2%85",
        "/a/noarch/%ff",
        "/a/noarch/%",
        "/a/noarch/%4",
        "/a/noarch/%zz",
        "/a/noarch/é",
        "/a/noarch/x y",
        "/a/noarch/x\"",
        "/%61/noarch/x",
        "/t/%41BC/a/noarch/x",
        "/a/no%61rch/x",
        "/t/A%2DB/a/noarch/x",
    ] {
        assert!(
            matches!(read(path, &mounts()), Err(PathError::NotCanonical(_))),
            "{path:?} gives {:?}",
            read(path, &mounts())
        );
    }
    assert_eq!(read("/", &mounts()), Err(PathError::NoChannel));
    assert_eq!(read("/t/T", &mounts()), Err(PathError::NoChannel));
    assert_eq!(read("/api/repo", &mounts()), Err(PathError::NoChannel));
}

#[test]
fn w5_file_names_reach_storage_as_they_came() {
    let target = read("/a/noarch/x-1!2.0%2Bl%21~0.conda", &mounts()).unwrap();
    let file = target.file.unwrap();
    assert_eq!(file.encoded(), "noarch/x-1!2.0%2Bl%21~0.conda");
    assert_eq!(file.decoded(), "noarch/x-1!2.0+l!~0.conda");
}

#[test]
fn w6_condas_mangled_shard_urls_are_read() {
    assert_eq!(
        parts("/t/T/a/repodata_shards.msgpack.zst/noarch"),
        some("a", "noarch/repodata_shards.msgpack.zst", "T")
    );
    assert_eq!(
        parts("/t/T/a/shards/0af.msgpack.zst/linux-64"),
        some("a", "linux-64/shards/0af.msgpack.zst", "T")
    );
}

#[test]
fn debug_shows_no_token() {
    let target = read("/t/SECRET/chan/noarch/x", &mounts()).unwrap();
    assert!(!format!("{target:?}").contains("SECRET"));
}

/// The contract read a second time, as plainly as possible: a list of patterns over whole paths.
fn second_reading(path: &str) -> Option<(String, String)> {
    let mut rest = path.strip_prefix('/')?.split('/').map(str::to_owned).collect::<Vec<_>>();
    for mount in [&["api", "repo"][..], &["conda"], &["repo"]] {
        if rest.starts_with(&mount.iter().map(|&s| s.to_owned()).collect::<Vec<_>>()) {
            rest.drain(..mount.len());
            break;
        }
    }
    if rest.len() > 1 && rest[0] == "t" {
        rest.drain(..2);
    }
    for length in 1..=rest.len().min(4) {
        let (channel, file) = rest.split_at(length);
        let name = channel.join("/");
        let words: Vec<&str> = file.iter().map(String::as_str).collect();
        let words = match words.as_slice() {
            // A label is a plain word.
            ["label", label, rest @ ..] if !label.contains('%') => rest,
            all => all,
        };
        let fits = match words {
            [subdir, _] if is_subdir(subdir) => true,
            [subdir, "shards", shard] => is_subdir(subdir) && shard.ends_with(".msgpack.zst"),
            _ => false,
        };
        if fits && name.parse::<ChannelName>().is_ok() {
            return Some((name, file.join("/")));
        }
    }
    None
}

proptest! {
    #[test]
    fn never_panics_and_never_yields_a_dot_segment(path in "(/|/t/)?([a-c./%2eE]|\\PC){0,40}") {
        if let Ok(target) = read(&path, &mounts())
            && let Some(file) = target.file
        {
            for path in [file.encoded(), file.decoded()] {
                prop_assert!(!path.split('/').any(|s| matches!(s, "" | "." | "..")), "{path:?}");
                prop_assert!(!path.contains(['\\', '\0']));
            }
        }
    }

    #[test]
    fn agrees_with_a_plain_second_reading(
        mount in "(/api/repo|/conda|/repo)?",
        token in "(/t/[A-Z]{4})?",
        segments in proptest::collection::vec(
            proptest::sample::select(vec![
                "a", "b.c", "9", "A", "label", "dev", "noarch", "linux-64", "shards",
                "0f.msgpack.zst", "x-1-0.conda", "x-1%2B0.tar.bz2",
            ]),
            1..7,
        ),
    ) {
        let path = format!("{mount}{token}/{}", segments.join("/"));
        let target = read(&path, &mounts()).unwrap();
        // The mangled shapes of W6 are left to their own test.
        let mangled = ["shards/0f.msgpack.zst/noarch", "shards/0f.msgpack.zst/linux-64"];
        prop_assume!(!mangled.iter().any(|end| path.ends_with(end)));
        let got = target.channel.zip(target.file).map(|(c, f)| (c.to_string(), f.encoded()));
        prop_assert_eq!(got, second_reading(&path));
    }

    #[test]
    fn round_trips(
        channel in "[a-z0-9]{1,5}(/[a-z0-9]{1,5}){0,3}",
        subdir in proptest::sample::select(access::SUBDIRS.to_vec()),
        name in "[a-z0-9][a-zA-Z0-9!+~._-]{0,20}",
        token in "[A-Za-z0-9-]{1,40}",
    ) {
        prop_assume!(channel.parse::<ChannelName>().is_ok());
        prop_assume!(!["api/repo", "conda", "repo"].iter().any(|m| channel.starts_with(m)));
        let file = format!("{subdir}/{name}");
        prop_assert_eq!(parts(&format!("/t/{token}/{channel}/{file}")), some(&channel, &file, &token));
    }
}
