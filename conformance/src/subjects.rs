//! The subjects that are built in. A new one is a file here and a line in
//! [`all`].

use std::sync::Arc;

use crate::subject::Subject;

/// The methods of a `MutexSubject` whose mutex has them by their names; what is in
/// the brackets makes an `Option` of what its `try_lock` returns.
macro_rules! lock_as_named {
    ($($ok:tt)*) => {
        fn lock<'a, 't>(
            &'a self,
            _: &'a crate::cx::DynIo,
        ) -> crate::erased::BoxFuture<'t, crate::subject::Guard<'a>>
        where
            'a: 't,
            Self: 't,
        {
            crate::subject::boxed_guard(self.lock())
        }

        fn hold<'a>(&'a self, _: &'a crate::cx::DynIo) -> crate::erased::BoxFuture<'a, ()> {
            Box::pin(crate::subject::Kept::new(Box::pin(self.lock())))
        }

        fn try_lock(&self) -> Option<crate::subject::Guard<'_>> {
            let guard = self.try_lock()$($ok)*?;
            Some(Box::new(guard))
        }
    };
}

/// The same of a `RwLockSubject`.
macro_rules! read_and_write_as_named {
    ($($ok:tt)*) => {
        fn read<'a, 't>(
            &'a self,
            _: &'a crate::cx::DynIo,
        ) -> crate::erased::BoxFuture<'t, crate::subject::Reading<'a>>
        where
            'a: 't,
            Self: 't,
        {
            crate::subject::mapped(self.read(), |guard| {
                Box::new(guard) as crate::subject::Reading<'a>
            })
        }

        fn write<'a, 't>(
            &'a self,
            _: &'a crate::cx::DynIo,
        ) -> crate::erased::BoxFuture<'t, crate::subject::Writing<'a>>
        where
            'a: 't,
            Self: 't,
        {
            crate::subject::mapped(self.write(), |guard| {
                Box::new(guard) as crate::subject::Writing<'a>
            })
        }

        fn hold_read<'a>(&'a self, _: &'a crate::cx::DynIo) -> crate::erased::BoxFuture<'a, ()> {
            Box::pin(crate::subject::Kept::new(Box::pin(self.read())))
        }

        fn hold_write<'a>(&'a self, _: &'a crate::cx::DynIo) -> crate::erased::BoxFuture<'a, ()> {
            Box::pin(crate::subject::Kept::new(Box::pin(self.write())))
        }

        fn try_read(&self) -> Option<crate::subject::Reading<'_>> {
            let guard = self.try_read()$($ok)*?;
            Some(Box::new(guard))
        }

        fn try_write(&self) -> Option<crate::subject::Writing<'_>> {
            let guard = self.try_write()$($ok)*?;
            Some(Box::new(guard))
        }
    };
}

/// The methods of a subject whose `mod locks` is made of `tokio/locks.rs`.
macro_rules! locks {
    () => {
        fn new_notify(&self) -> Option<std::sync::Arc<dyn crate::subject::NotifySubject>> {
            locks::new_notify()
        }

        fn new_barrier(
            &self,
            parties: usize,
        ) -> Option<std::sync::Arc<dyn crate::subject::BarrierSubject>> {
            locks::new_barrier(parties)
        }

        fn new_once_cell(&self) -> Option<std::sync::Arc<dyn crate::subject::OnceCellSubject>> {
            locks::new_once_cell()
        }

        fn new_mutex(&self) -> Option<std::sync::Arc<dyn crate::subject::MutexSubject>> {
            locks::new_mutex()
        }

        fn new_semaphore(
            &self,
            permits: usize,
        ) -> Option<std::sync::Arc<dyn crate::subject::SemaphoreSubject>> {
            locks::new_semaphore(permits)
        }

        fn new_rwlock(&self) -> Option<std::sync::Arc<dyn crate::subject::RwLockSubject>> {
            locks::new_rwlock()
        }

        fn new_rwlock_with_limit(
            &self,
            readers: usize,
        ) -> Option<std::sync::Arc<dyn crate::subject::RwLockSubject>> {
            locks::new_rwlock_with_limit(readers)
        }

        fn static_notify(&self) -> Option<&'static dyn crate::subject::NotifySubject> {
            locks::static_notify()
        }

        fn static_once_cell(&self) -> Option<&'static dyn crate::subject::OnceCellSubject> {
            locks::static_once_cell()
        }

        fn static_mutex(&self) -> Option<&'static dyn crate::subject::MutexSubject> {
            locks::static_mutex()
        }

        fn static_semaphore(&self) -> Option<&'static dyn crate::subject::SemaphoreSubject> {
            locks::static_semaphore()
        }

        fn static_rwlock(&self) -> Option<&'static dyn crate::subject::RwLockSubject> {
            locks::static_rwlock()
        }

        fn notify_send_facts(&self) -> Vec<crate::subject::SendFact> {
            locks::notify_send_facts()
        }

        fn barrier_send_facts(&self) -> Vec<crate::subject::SendFact> {
            locks::barrier_send_facts()
        }

        fn once_cell_send_facts(&self) -> Vec<crate::subject::SendFact> {
            locks::once_cell_send_facts()
        }

        fn mutex_send_facts(&self) -> Vec<crate::subject::SendFact> {
            locks::mutex_send_facts()
        }

        fn semaphore_send_facts(&self) -> Vec<crate::subject::SendFact> {
            locks::semaphore_send_facts()
        }

        fn rwlock_send_facts(&self) -> Vec<crate::subject::SendFact> {
            locks::rwlock_send_facts()
        }
    };
}

/// The methods of a subject whose `mod messages` is made of `tokio/messages.rs`.
macro_rules! messages {
    ($($new:ident($($argument:ident)?) -> $made:ty, $facts:ident;)+) => {$(
        fn $new(&self $(, $argument: usize)?) -> Option<$made> {
            Some(messages::$new($($argument)?))
        }

        fn $facts(&self) -> Vec<crate::subject::SendFact> {
            messages::$facts()
        }
    )+};
    () => {
        messages! {
            new_channel(capacity) -> crate::subject::Channel, channel_send_facts;
            new_oneshot() -> crate::subject::Oneshot, oneshot_send_facts;
            new_watch() -> Box<dyn crate::subject::WatchSender>, watch_send_facts;
            new_broadcast(capacity) -> Box<dyn crate::subject::BroadcastSender>,
                broadcast_send_facts;
            new_cancellation() -> Box<dyn crate::subject::CancellationSubject>,
                cancellation_send_facts;
        }
    };
}

/// The methods of a subject whose `mod primitives` is made of `smol/primitives.rs`.
macro_rules! primitives {
    () => {
        fn new_barrier(
            &self,
            parties: usize,
        ) -> Option<std::sync::Arc<dyn crate::subject::BarrierSubject>> {
            primitives::new_barrier(parties)
        }

        fn new_once_cell(&self) -> Option<std::sync::Arc<dyn crate::subject::OnceCellSubject>> {
            primitives::new_once_cell()
        }

        fn new_mutex(&self) -> Option<std::sync::Arc<dyn crate::subject::MutexSubject>> {
            primitives::new_mutex()
        }

        fn new_rwlock(&self) -> Option<std::sync::Arc<dyn crate::subject::RwLockSubject>> {
            primitives::new_rwlock()
        }

        fn new_semaphore(
            &self,
            permits: usize,
        ) -> Option<std::sync::Arc<dyn crate::subject::SemaphoreSubject>> {
            primitives::new_semaphore(permits)
        }

        fn new_channel(&self, capacity: usize) -> Option<crate::subject::Channel> {
            primitives::new_channel(capacity)
        }

        fn static_barrier(&self) -> Option<(&'static dyn crate::subject::BarrierSubject, usize)> {
            primitives::static_barrier()
        }

        fn static_once_cell(&self) -> Option<&'static dyn crate::subject::OnceCellSubject> {
            primitives::static_once_cell()
        }

        fn static_mutex(&self) -> Option<&'static dyn crate::subject::MutexSubject> {
            primitives::static_mutex()
        }

        fn static_rwlock(&self) -> Option<&'static dyn crate::subject::RwLockSubject> {
            primitives::static_rwlock()
        }

        fn static_semaphore(&self) -> Option<&'static dyn crate::subject::SemaphoreSubject> {
            primitives::static_semaphore()
        }

        fn barrier_send_facts(&self) -> Vec<crate::subject::SendFact> {
            primitives::barrier_send_facts()
        }

        fn once_cell_send_facts(&self) -> Vec<crate::subject::SendFact> {
            primitives::once_cell_send_facts()
        }

        fn mutex_send_facts(&self) -> Vec<crate::subject::SendFact> {
            primitives::mutex_send_facts()
        }

        fn rwlock_send_facts(&self) -> Vec<crate::subject::SendFact> {
            primitives::rwlock_send_facts()
        }

        fn semaphore_send_facts(&self) -> Vec<crate::subject::SendFact> {
            primitives::semaphore_send_facts()
        }

        fn channel_send_facts(&self) -> Vec<crate::subject::SendFact> {
            primitives::channel_send_facts()
        }
    };
}

/// What others do not promise: see [`Subject::not_promised`].
const WAKER_CALLS_BACK: (&str, &str) = (
    "any::waker_may_reenter",
    "nothing is said of wakers that call back.",
);
const WAKER_PANICS: (&str, &str) = (
    "any::panicking_waker_loses_no_wakeup",
    "nothing is said of wakers that panic.",
);

mod anysync;
mod async_std_drop_in;
mod futures;
#[cfg(feature = "peers")]
pub mod peers;
mod smol;
mod smol_drop_in;
mod tokio;
mod tokio_drop_in;

pub use self::anysync::{Anysync, AnysyncEventual};
pub use self::async_std_drop_in::AsyncStdDropIn;
pub use self::futures::{Futures, FuturesDropIn};
pub use self::smol::Smol;
pub use self::smol_drop_in::SmolDropIn;
pub use self::tokio::Tokio;
pub use self::tokio_drop_in::TokioDropIn;

/// All of them; the first is the default.
pub fn all() -> Vec<Arc<dyn Subject>> {
    let own: [Arc<dyn Subject>; 9] = [
        Arc::new(Anysync),
        Arc::new(AnysyncEventual),
        Arc::new(Tokio),
        Arc::new(TokioDropIn),
        Arc::new(Smol),
        Arc::new(SmolDropIn),
        Arc::new(AsyncStdDropIn),
        Arc::new(Futures),
        Arc::new(FuturesDropIn),
    ];
    #[cfg(feature = "peers")]
    let others = peers::all();
    #[cfg(not(feature = "peers"))]
    let others = Vec::new();
    own.into_iter().chain(others).collect()
}
