//! A value that is made once, without the operating system.

use anysync::OnceCell;

/// As the standard library's, as far as an event needs it.
pub(super) struct OnceLock<T>(OnceCell<T>);

impl<T> OnceLock<T> {
    pub(super) const fn new() -> Self {
        Self(OnceCell::new())
    }

    pub(super) fn get(&self) -> Option<&T> {
        self.0.get()
    }

    /// What `make` returns, which may be called more than once: what comes too late
    /// is dropped.
    pub(super) fn get_or_init(&self, make: impl Fn() -> T) -> &T {
        loop {
            if let Some(value) = self.0.get() {
                return value;
            }
            // Refused, when another is about to store its own.
            if !self.0.set(make()) {
                core::hint::spin_loop();
            }
        }
    }
}
