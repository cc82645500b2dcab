//! What the forms of tokens ask for, read strictly: the words of a form into a use case's order.

use std::num::{NonZeroU32, NonZeroU64};
use std::time::Duration;

use access::{ChannelName, Day, Limits, Timestamp};
use ipnet::IpNet;
use maud::{Markup, html};

use crate::Error;
use crate::api::tokens::networks;
use crate::usecases::token::{Expiry, MAX_LIFESPAN, TokenOrder};
use crate::usecases::{check_text, check_token_name};
use crate::web::fields::{Faults, Fields, Filled};
use crate::web::form::{self, Input};
use crate::web::icon::icon;

/// The fields of a token's form, as the use cases call them.
pub(super) const FIELDS: [&str; 8] = [
    "name",
    "description",
    "expires_at",
    "permission",
    "channels",
    "networks",
    "requests_per_second",
    "bytes_per_day",
];

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// A new token, or all that is wrong with what was typed.
pub(super) fn new(fields: &Fields, now: Timestamp) -> Result<TokenOrder, Faults> {
    let mut faults = Faults::default();
    let (name, description) = texts(fields, &mut faults);
    let expires = faults.keep(match fields.text("expires_at") {
        "date" => new_day(fields.text("expires_on"), now),
        days => lifespan(days).map(Expiry::In),
    });
    let permission = fields.text("permission").parse();
    let permission =
        faults.keep(permission.map_err(|_why| Error::invalid("permission", "choose one")));
    let admin = fields.has("admin", "yes");
    let channels = faults.keep(channels(fields, admin));
    let limits = limits(fields, &mut faults);
    match (expires, permission, channels, limits) {
        (Some(expires), Some(permission), Some(channels), Some(limits)) if faults.is_empty() => {
            Ok(TokenOrder { name, description, expires, permission, channels, admin, limits })
        }
        _ => Err(faults),
    }
}

/// Name and description.
pub(super) fn texts(fields: &Fields, faults: &mut Faults) -> (String, String) {
    let (name, description) = (fields.text("name"), fields.text("description"));
    faults.keep(check_token_name(name));
    faults.keep(check_text("description", description));
    (name.to_owned(), description.to_owned())
}

fn channels(fields: &Fields, admin: bool) -> Result<Vec<ChannelName>, Error> {
    let channels = fields.all("channels").map(str::parse::<ChannelName>);
    let channels = channels.collect::<Result<Vec<_>, _>>();
    let channels = channels.map_err(|why| Error::invalid("channels", why))?;
    if channels.is_empty() && !admin {
        return Err(Error::invalid("channels", "choose at least one"));
    }
    Ok(channels)
}

fn lifespan(days: &str) -> Result<Duration, Error> {
    let days = days.strip_suffix('d').and_then(|days| days.parse::<u32>().ok());
    let days = days.filter(|days| (1..=365).contains(days));
    days.map(|days| DAY * days).ok_or_else(|| Error::invalid("expires_at", "choose when it ends"))
}

/// The end of a day that was chosen; a year from now on the last day that can be.
pub(super) fn day(text: &str, from: Timestamp) -> Result<Expiry, Error> {
    let day = text.parse::<Day>();
    let day = day.map_err(|_why| Error::invalid("expires_at", "choose a day"))?;
    let latest = from.plus(MAX_LIFESPAN);
    let end = if day == latest.day() { latest } else { day.end() };
    Ok(Expiry::At(end))
}

/// The end of a day that a new token can end on.
fn new_day(text: &str, now: Timestamp) -> Result<Expiry, Error> {
    let (today, latest) = (now.day(), now.plus(MAX_LIFESPAN).day());
    let fits = |day: Day| (today..=latest).contains(&day);
    match text.parse::<Day>() {
        Ok(day) if fits(day) => self::day(text, now),
        _ => Err(Error::invalid("expires_at", format!("choose a day from today to {latest}"))),
    }
}

/// The limits as typed.
pub(super) fn limits(fields: &Fields, faults: &mut Faults) -> Option<Limits> {
    let typed = fields.text("networks").split(['\n', ',', ' ']).map(str::trim);
    let typed: Vec<String> = typed.filter(|net| !net.is_empty()).map(str::to_owned).collect();
    let requests = fields.some("requests_per_second").map(|text| {
        let number = text.parse::<NonZeroU32>();
        number.map_err(|_why| {
            Error::invalid(
                "requests_per_second",
                "write a whole number of 1 or more, or nothing for no limit",
            )
        })
    });
    let networks = faults.keep(networks(&typed));
    let requests = faults.keep(requests.transpose());
    let bytes = fields.some("bytes_per_day").map(|text| bytes(&text)).transpose();
    let bytes = faults.keep(bytes);
    Some(Limits { networks: networks?, requests_per_second: requests?, bytes_per_day: bytes? })
}

/// `20 GiB`, `500MB` or a number of bytes.
fn bytes(text: &str) -> Result<NonZeroU64, Error> {
    const UNITS: [(&str, u64); 9] = [
        ("KiB", 1 << 10),
        ("MiB", 1 << 20),
        ("GiB", 1 << 30),
        ("TiB", 1 << 40),
        ("kB", 1_000),
        ("MB", 1_000_000),
        ("GB", 1_000_000_000),
        ("TB", 1_000_000_000_000),
        ("B", 1),
    ];
    let wrong = || {
        Error::invalid(
            "bytes_per_day",
            "write a size like 20 GiB or 500 MB, or nothing for no limit",
        )
    };
    let unit = UNITS.iter().find_map(|(unit, size)| Some((text.strip_suffix(unit)?, *size)));
    let (number, size) = unit.unwrap_or((text, 1));
    let number = number.trim().parse::<u64>().ok().and_then(|number| number.checked_mul(size));
    let fits = number.filter(|number| i64::try_from(*number).is_ok());
    fits.and_then(NonZeroU64::new).ok_or_else(wrong)
}

/// The limits of a token, as they are typed.
pub(super) fn limits_as_typed(limits: &Limits) -> [(&'static str, String); 3] {
    let networks: Vec<_> = limits.networks.iter().map(IpNet::to_string).collect();
    let bytes = limits.bytes_per_day.map(|bytes| size_as_typed(bytes.get()));
    [
        ("networks", networks.join("\n")),
        (
            "requests_per_second",
            limits.requests_per_second.map(|n| n.to_string()).unwrap_or_default(),
        ),
        ("bytes_per_day", bytes.unwrap_or_default()),
    ]
}

fn size_as_typed(bytes: u64) -> String {
    const UNITS: [(u64, &str); 4] =
        [(1 << 40, "TiB"), (1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    let whole = UNITS.iter().find(|(size, _)| bytes.is_multiple_of(*size));
    whole.map_or_else(|| bytes.to_string(), |(size, unit)| format!("{} {unit}", bytes / size))
}

/// The folded fields of the limits; open where one is set or wrong.
pub(super) fn limit_fields(filled: &Filled) -> Markup {
    let names = ["networks", "requests_per_second", "bytes_per_day"];
    let set = names.iter().filter(|name| filled.fields.some(name).is_some()).count();
    let is_open = set > 0
        || names
            .iter()
            .any(|name| filled.faults.of(name).is_some() || filled.notes.contains_key(name));
    html! {
        details.fold open[is_open] {
            summary {
                "Limits " (icon("right"))
                small { @if set == 0 { "None set" } @else { (set) " set" } }
            }
            div.form {
                (form::lines(filled, "networks", "Networks", Some("One a line, such as 10.31.0.0/16. Empty: from anywhere.")))
                (Input::text("requests_per_second", "Requests per second").narrow()
                    .hint("On each gateway. Empty: no limit.").of(filled))
                (Input::text("bytes_per_day", "Bytes per day").narrow().example("20 GiB")
                    .hint("Over all gateways, in UTC days. Empty: no limit.").of(filled))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_read_as_it_is_shown() {
        for (text, number) in
            [("20 GiB", 20 << 30), ("500MB", 500_000_000), ("1500", 1500), ("7 B", 7)]
        {
            assert_eq!(bytes(text).unwrap().get(), number, "{text}");
            assert_eq!(bytes(&size_as_typed(number)).unwrap().get(), number);
        }
        for text in ["", "0", "-1", "1.5 GB", "GB", "99999999 TiB", "ten"] {
            assert!(bytes(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_last_day_that_can_be_chosen_is_a_year_from_now() {
        let now: Timestamp = "2026-11-24T12:00:00Z".parse().unwrap();
        let end = |text| match day(text, now).unwrap() {
            Expiry::At(end) => end.to_string(),
            Expiry::In(_) => unreachable!("a day was said"),
        };
        assert_eq!(end("2026-11-24"), "2026-11-25T00:00:00.000Z");
        assert_eq!(end("2027-11-24"), "2027-11-24T12:00:00.000Z");
        assert!(day("tomorrow", now).is_err());
    }
}
