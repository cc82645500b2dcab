//! The known key that an unknown one was meant to be.

/// Longer keys are no typos.
const LONGEST: usize = 80;

/// The one of `known` that is nearest to `key`, if any is near. Keys are whole: `gateway.listen`.
///
/// The right key in the wrong section is as near as one wrong letter.
pub(crate) fn nearest<'a>(key: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    if key.len() > LONGEST {
        return None;
    }
    let distance = |candidate: &str| {
        let (own, others) = (last_segment(key), last_segment(candidate));
        let whole = edits(key, candidate);
        // A whole key can be near by its section alone, which says nothing.
        if own == others { whole.min(1) } else { whole.max(edits(own, others)) }
    };
    let near = last_segment(key).len().div_ceil(3).max(1);
    known
        .map(|candidate| (distance(candidate), edits(key, candidate), candidate))
        .filter(|(distance, ..)| *distance <= near)
        .min()
        .map(|(.., candidate)| candidate)
}

fn last_segment(key: &str) -> &str {
    key.rsplit('.').next().unwrap_or(key)
}

/// How many insertions, deletions, replacements and swaps of neighbours make `b` of `a` (the
/// optimal string alignment distance).
fn edits(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows = vec![vec![0; b.len() + 1]; a.len() + 1];
    for i in 0..=a.len() {
        for j in 0..=b.len() {
            rows[i][j] = if i == 0 || j == 0 {
                i + j
            } else {
                let replaced = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
                let swapped = if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                    rows[i - 2][j - 2] + 1
                } else {
                    usize::MAX
                };
                replaced.min(rows[i - 1][j] + 1).min(rows[i][j - 1] + 1).min(swapped)
            };
        }
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: [&str; 6] = [
        "gateway.listen",
        "gateway.lease",
        "gateway.cache.metadata_ttl",
        "control.listen",
        "control.seats",
        "metrics.listen",
    ];

    #[test]
    fn nearest_key() {
        for (key, expected) in [
            ("gateway.listn", Some("gateway.listen")),
            ("gateway.lsiten", Some("gateway.listen")),
            ("gateway.leese", Some("gateway.lease")),
            ("gateway.metadata_ttl", Some("gateway.cache.metadata_ttl")),
            ("gateway.seats", Some("control.seats")),
            ("gatway.listen", Some("gateway.listen")),
            ("gateway.color", None),
            ("", None),
        ] {
            assert_eq!(nearest(key, KNOWN.into_iter()), expected, "{key}");
        }
        assert_eq!(nearest(&"x".repeat(1 << 20), KNOWN.into_iter()), None);
    }

    #[test]
    fn edit_distance() {
        for (a, b, distance) in [("", "", 0), ("", "ab", 2), ("ab", "ba", 1), ("abc", "abd", 1)] {
            assert_eq!(edits(a, b), distance, "{a} {b}");
        }
    }
}
