//! [`Subject`]: a library of primitives that the laws are about.
//!
//! Each kind of primitive has a small trait in a file of its own, object safe,
//! with boxed futures: a law is compiled once for all subjects. A future is to
//! be *created* when its method is called, as the primitive's own is, so an
//! implementation boxes the primitive's future (`Box::pin(self.wait(io))`).
//! Where an `async fn` is shorter and creation does not matter, write the
//! implementation with `#[async_trait]`.

use std::fmt;
use std::sync::Arc;

mod notify;
mod waiting;

pub use notify::{NotifySubject, NotifyWait};
pub use waiting::Waiting;

/// A kind of primitive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Kind {
    /// Wakes one or all.
    Notify,
    /// Holds until all have arrived.
    Barrier,
    /// Initialises once.
    OnceCell,
    /// Excludes.
    Mutex,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Notify => "Notify",
            Self::Barrier => "Barrier",
            Self::OnceCell => "OnceCell",
            Self::Mutex => "Mutex",
        })
    }
}

/// What some subjects promise and others do not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Promise {
    /// `notify_all` reaches every wait that was created before it.
    CountsFromCreation,
    /// A mutex serves in the order of arrival.
    FifoMutex,
}

impl fmt::Display for Promise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::CountsFromCreation => "that a wait counts for notify_all from its creation",
            Self::FifoMutex => "a mutex that is first in, first out",
        })
    }
}

/// A library of primitives.
///
/// Only [`name`](Subject::name) is required; a kind for which the constructor
/// returns `None` is one that the library does not have, and its laws are
/// skipped.
pub trait Subject: Send + Sync + 'static {
    /// Its name, in reports and on the command line.
    fn name(&self) -> &str;

    /// The version that is tested.
    fn version(&self) -> &str {
        ""
    }

    /// What it promises beyond what every subject must keep.
    fn promises(&self) -> &[Promise] {
        &[]
    }

    /// Whether every law is a MUST for it.
    fn is_strict(&self) -> bool {
        false
    }

    /// A fresh Notify.
    fn new_notify(&self) -> Option<Arc<dyn NotifySubject>> {
        None
    }
}

impl dyn Subject {
    /// Whether it has a kind of primitive.
    pub fn has(&self, kind: Kind) -> bool {
        match kind {
            Kind::Notify => self.new_notify().is_some(),
            Kind::Barrier | Kind::OnceCell | Kind::Mutex => false,
        }
    }

    /// A fresh Notify, for a law that is about one.
    pub fn notify(&self) -> Arc<dyn NotifySubject> {
        self.new_notify().expect("the law is about Notify")
    }

    /// One [`Waiting`] for each kind that it has.
    pub fn waitings(&self) -> Vec<Arc<dyn Waiting>> {
        let mut all: Vec<Arc<dyn Waiting>> = Vec::new();
        all.extend(self.new_notify().map(waiting::of_notify));
        all
    }
}
