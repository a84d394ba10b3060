//! The same lock by three makers, behind one face.

use std::future::Future;
use std::ops::DerefMut;

use anysync::Io;

/// What the lock guards: who has had it.
pub(crate) type Journal = Vec<&'static str>;

/// A lock for async code.
pub(crate) trait Lock: Default + Send + Sync + 'static {
    const NAME: &'static str;

    type Guard<'a>: DerefMut<Target = Journal> + Send;

    fn lock(&self, io: impl Io + Send) -> impl Future<Output = Self::Guard<'_>> + Send;
}

impl Lock for anysync::Mutex<Journal> {
    const NAME: &'static str = "anysync::Mutex";

    type Guard<'a> = anysync::MutexGuard<'a, Journal>;

    fn lock(&self, io: impl Io + Send) -> impl Future<Output = Self::Guard<'_>> + Send {
        self.lock(io)
    }
}

impl Lock for tokio::sync::Mutex<Journal> {
    const NAME: &'static str = "tokio::sync::Mutex";

    type Guard<'a> = tokio::sync::MutexGuard<'a, Journal>;

    fn lock(&self, _: impl Io + Send) -> impl Future<Output = Self::Guard<'_>> + Send {
        self.lock()
    }
}

impl Lock for smol::lock::Mutex<Journal> {
    const NAME: &'static str = "async_lock::Mutex";

    type Guard<'a> = smol::lock::MutexGuard<'a, Journal>;

    fn lock(&self, _: impl Io + Send) -> impl Future<Output = Self::Guard<'_>> + Send {
        self.lock()
    }
}
