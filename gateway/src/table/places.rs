//! An index in which a look waits for memory once: an entry lies where its hash says, or right behind
//! it, so that it can be fetched before anything of the index has been read. Of a million grants
//! that come in no order, waiting is most of what a check costs (docs/performance.md).

/// What a place may hold: an entry with its hash.
type Place<T> = Option<(u64, T)>;

/// Entries by hash; hashes must be spread evenly in their low bits. At most half of the places are
/// taken: nearly every entry lies where its hash says.
pub(super) struct Places<T> {
    /// None, or a power of two.
    places: Box<[Place<T>]>,
    len: usize,
}

/// With one place at least that is free, so that a search ends.
const FEWEST: usize = 8;

impl<T> Default for Places<T> {
    fn default() -> Self {
        Self { places: Box::default(), len: 0 }
    }
}

impl<T> Places<T> {
    /// The entry with this hash that `is_it`.
    pub(super) fn find(&self, hash: u64, is_it: impl Fn(&T) -> bool) -> Option<&T> {
        let at = self.search(hash, is_it)?;
        self.places[at].as_ref().map(|(_, entry)| entry)
    }

    /// Puts an entry in, and says which one stood there that `is_it`.
    pub(super) fn put(&mut self, hash: u64, entry: T, is_it: impl Fn(&T) -> bool) -> Option<T> {
        if let Some(at) = self.search(hash, is_it) {
            return self.places[at].replace((hash, entry)).map(|(_, before)| before);
        }
        if self.len >= self.places.len() / 2 {
            self.grow();
        }
        self.insert(hash, entry);
        self.len += 1;
        None
    }

    /// Takes out the entry with this hash that `is_it`.
    pub(super) fn remove(&mut self, hash: u64, is_it: impl Fn(&T) -> bool) -> Option<T> {
        let at = self.search(hash, is_it)?;
        let (_, entry) = self.places[at].take()?;
        self.len -= 1;
        self.close(at);
        Some(entry)
    }

    /// Takes all out.
    pub(super) fn drain(&mut self) -> impl Iterator<Item = T> + use<T> {
        let all = std::mem::take(self);
        all.places.into_iter().flatten().map(|(_, entry)| entry)
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// The place where an entry belongs, of at least one.
    fn home(&self, hash: u64) -> usize {
        (hash as usize) & (self.places.len() - 1)
    }

    fn next(&self, at: usize) -> usize {
        (at + 1) & (self.places.len() - 1)
    }

    fn search(&self, hash: u64, is_it: impl Fn(&T) -> bool) -> Option<usize> {
        if self.places.is_empty() {
            return None;
        }
        let mut at = self.home(hash);
        while let Some((of, entry)) = &self.places[at] {
            if *of == hash && is_it(entry) {
                return Some(at);
            }
            at = self.next(at);
        }
        None
    }

    /// Into the first free place from where it belongs; one is free.
    fn insert(&mut self, hash: u64, entry: T) {
        let mut at = self.home(hash);
        while self.places[at].is_some() {
            at = self.next(at);
        }
        self.places[at] = Some((hash, entry));
    }

    fn grow(&mut self) {
        let places = (self.places.len() * 2).max(FEWEST);
        let places = std::iter::repeat_with(|| None).take(places).collect();
        let before = std::mem::replace(&mut self.places, places);
        for (hash, entry) in before.into_iter().flatten() {
            self.insert(hash, entry);
        }
    }

    /// Moves up what lies behind a gap and would not be found beyond it.
    fn close(&mut self, mut gap: usize) {
        let mask = self.places.len() - 1;
        let mut at = self.next(gap);
        while let Some((hash, _)) = self.places[at] {
            let from_home = at.wrapping_sub(self.home(hash)) & mask;
            let from_gap = at.wrapping_sub(gap) & mask;
            if from_home >= from_gap {
                self.places.swap(gap, at);
                gap = at;
            }
            at = self.next(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// With few hashes, so that most entries are in another's way, also over the end.
        #[test]
        fn it_is_a_map(deeds in proptest::collection::vec((any::<bool>(), 0u64..24, 0u8..3), 0..200)) {
            let mut places = Places::default();
            let mut map = HashMap::new();
            for (puts, hash, key) in deeds {
                let is_it = |entry: &(u8, usize)| entry.0 == key;
                let value = map.len();
                if puts {
                    let before = places.put(hash, (key, value), is_it);
                    prop_assert_eq!(before, map.insert((hash, key), (key, value)));
                } else {
                    prop_assert_eq!(places.remove(hash, is_it), map.remove(&(hash, key)));
                }
                prop_assert_eq!(places.len(), map.len());
                for hash in 0..24 {
                    for key in 0..3 {
                        let found = places.find(hash, |entry: &(u8, usize)| entry.0 == key);
                        prop_assert_eq!(found, map.get(&(hash, key)));
                    }
                }
            }
            let mut all: Vec<_> = places.drain().collect();
            let mut expected: Vec<_> = map.into_values().collect();
            all.sort_unstable();
            expected.sort_unstable();
            prop_assert_eq!(all, expected);
            prop_assert_eq!(places.len(), 0);
        }
    }
}
