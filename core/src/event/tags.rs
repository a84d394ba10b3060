//! [`Tags`]: what notifications carry, from the notifier to the listener.

use alloc::vec::Vec;
use core::mem;

/// Values that are put in and taken out by their places. Those that take no space
/// are all alike, and keeping them allocates nothing.
pub(super) struct Tags<T> {
    alike: Vec<T>,
    places: Vec<Place<T>>,
    /// The first free place, or one beyond the last place.
    free: usize,
}

enum Place<T> {
    Full(T),
    /// With the next free place.
    Free(usize),
}

impl<T> Tags<T> {
    pub(super) const fn new() -> Self {
        Self {
            alike: Vec::new(),
            places: Vec::new(),
            free: 0,
        }
    }

    pub(super) fn put(&mut self, tag: T) -> usize {
        if size_of::<T>() == 0 {
            self.alike.push(tag);
            return 0;
        }
        let at = self.free;
        match self.places.get_mut(at) {
            Some(place) => {
                if let Place::Free(next) = mem::replace(place, Place::Full(tag)) {
                    self.free = next;
                }
            }
            None => {
                self.places.push(Place::Full(tag));
                self.free = self.places.len();
            }
        }
        at
    }

    /// Takes out what is at a place that [`put`](Self::put) has returned.
    pub(super) fn take(&mut self, at: usize) -> T {
        const KEPT: &str = "a notification without its tag";
        if size_of::<T>() == 0 {
            return self.alike.pop().expect(KEPT);
        }
        match mem::replace(&mut self.places[at], Place::Free(self.free)) {
            Place::Full(tag) => {
                self.free = at;
                tag
            }
            Place::Free(_) => unreachable!("{KEPT}"),
        }
    }
}
