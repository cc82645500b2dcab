//! How much of something is taken, as a bar. The words beside it say the same.

use maud::{Markup, html};

/// A part of a whole, from 0 to 1.
pub(super) fn meter(part: f64, is_low: bool) -> Markup {
    let width = format!("{:.0}", (part * 100.0).clamp(0.0, 100.0));
    html! {
        svg.meter.warn[is_low] viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true" {
            rect width=(width) height="4" {}
        }
    }
}

/// How many seats are taken of how many.
pub(super) fn seats((used, limit): (i64, Option<u32>)) -> Markup {
    html! {
        div.seats {
            @match limit {
                Some(limit) => {
                    b { (used) " of " (limit) } " seats used"
                    (meter(used as f64 / f64::from(limit.max(1)), used >= i64::from(limit)))
                },
                None => { b { (used) } " seats used; there is no limit" },
            }
        }
    }
}

/// Why neither a user nor a service account can be made.
pub(super) const NO_SEAT: &str =
    "All seats are taken: deactivate a user or delete a service account to free one.";

/// Whether every seat is taken.
pub(super) fn is_full((used, limit): (i64, Option<u32>)) -> bool {
    limit.is_some_and(|limit| used >= i64::from(limit))
}

/// How much of the most something is.
pub(super) fn share(number: u64, most: u64) -> Markup {
    meter(number as f64 / most.max(1) as f64, false)
}
