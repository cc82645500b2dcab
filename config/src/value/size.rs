//! Sizes: `64MiB`.

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
