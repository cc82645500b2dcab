//! Sizes: `64MiB`.

use std::path::Path;

use super::{Raw, Refusal, Value, quote};

/// The units, largest first, and their bytes as a shift.
const UNITS: [(&str, u32); 4] = [("GiB", 30), ("MiB", 20), ("KiB", 10), ("B", 0)];

/// A number of bytes, written `512B`, `16KiB`, `64MiB` or `2GiB`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Size(u64);

impl Size {
    /// `count` bytes.
    pub const fn bytes(count: u64) -> Self {
        Self(count)
    }

    /// `count` KiB (1,024 bytes each).
    pub const fn kib(count: u32) -> Self {
        Self((count as u64) << 10)
    }

    /// `count` MiB (1,024 KiB each).
    pub const fn mib(count: u32) -> Self {
        Self((count as u64) << 20)
    }

    /// `count` GiB (1,024 MiB each).
    pub const fn gib(count: u32) -> Self {
        Self((count as u64) << 30)
    }

    /// The size in bytes.
    pub const fn in_bytes(self) -> u64 {
        self.0
    }
}

impl Value for Size {
    fn accepted() -> String {
        "a size (B, KiB, MiB or GiB)".to_owned()
    }

    fn parse(raw: &Raw, _folder: &Path) -> Result<Self, Refusal> {
        let parsed = raw.text().and_then(parse);
        parsed.ok_or_else(|| Refusal::new("is not a size"))
    }

    fn render(&self) -> Option<String> {
        Some(quote(&write(*self)))
    }
}

fn parse(text: &str) -> Option<Size> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let (count, unit) = text.split_at(digits);
    let (_, shift) = UNITS.iter().find(|(name, _)| *name == unit)?;
    count.parse::<u64>().ok()?.checked_mul(1 << shift).map(Size)
}

/// In the largest unit that divides it.
fn write(size: Size) -> String {
    for (name, shift) in UNITS {
        if size.0 != 0 && size.0.is_multiple_of(1 << shift) {
            return format!("{}{name}", size.0 >> shift);
        }
    }
    "0B".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn units() {
        for (text, size) in [
            ("0B", Size::bytes(0)),
            ("1000B", Size::bytes(1000)),
            ("16KiB", Size::kib(16)),
            ("64MiB", Size::mib(64)),
            ("2GiB", Size::gib(2)),
        ] {
            assert_eq!(parse(text), Some(size), "{text}");
            assert_eq!(write(size), text);
        }
    }

    #[test]
    fn not_sizes() {
        for text in ["", "64", "MiB", "-1B", "1.5GiB", "64MB", "64mib", "99999999999GiB"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn round_trip(bytes in any::<u64>()) {
            prop_assert_eq!(parse(&write(Size(bytes))), Some(Size(bytes)));
        }
    }
}
