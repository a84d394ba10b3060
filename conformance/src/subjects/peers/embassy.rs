//! embassy-sync.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;

use ::embassy_sync::blocking_mutex::raw::CriticalSectionRawMutex as Section;
use ::embassy_sync::mutex::{Mutex, MutexGuard};
use ::embassy_sync::rwlock::{RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::send_facts;
use crate::subject::{
    MappedGuard, MutexSubject, Promise, RwLockSubject, SendFact, Subject, WriteGuard,
};

/// `embassy-sync`, with a critical section inside, as the standard library's lock
/// makes one.
///
/// Its mutex and its `RwLock` keep one waker: "If two tasks are waiting on the same
/// thing concurrently, this will cause them to wake each other in a loop" (source
/// of `waitqueue::WakerRegistration`). They promise no order. Its semaphores do not
/// tell how many permits are free, the capacity of its channels is a constant, and
/// its cells take no async initialiser: the laws are not about such.
#[derive(Clone, Copy, Debug, Default)]
pub struct Embassy;

const ONE_WAKER: &str = "its mutex and its `RwLock` keep one waker: \"If two tasks are waiting on the same thing concurrently, this will cause them to wake each other in a loop … This wastes CPU but things will still work\" (source of `waitqueue::WakerRegistration`).";

impl Subject for Embassy {
    fn name(&self) -> &str {
        "embassy-sync"
    }

    fn not_promised(&self) -> &[(&'static str, &'static str)] {
        &[
            super::super::WAKER_CALLS_BACK,
            super::super::WAKER_PANICS,
            ("any::dropped_wait_leaves_no_trace", ONE_WAKER),
            ("any::dropped_win_is_passed_on", ONE_WAKER),
            ("any::spurious_poll_is_harmless", ONE_WAKER),
            (
                "any::completed_future_is_fused_or_panics_clearly",
                ONE_WAKER,
            ),
            ("mutex::excludes", ONE_WAKER),
            ("mutex::mapped_guard_unlocks_once", ONE_WAKER),
            ("rwlock::readers_share", ONE_WAKER),
            ("rwlock::writer_excludes_all", ONE_WAKER),
            ("rwlock::cancelled_writer_lets_readers_in", ONE_WAKER),
            ("mutex::starves_nobody", "no order is promised."),
            (
                "rwlock::waiting_writer_stops_new_readers",
                "no order is promised.",
            ),
        ]
    }

    fn promises(&self) -> &[Promise] {
        &[Promise::MappedMutexGuard]
    }

    fn adapted(&self) -> &str {
        "The raw mutex is `CriticalSectionRawMutex`, over the feature `std` of `critical-section`."
    }

    fn new_mutex(&self) -> Option<Arc<dyn MutexSubject>> {
        Some(Arc::new(Mutex::<Section, _>::new(Vec::new())))
    }

    fn static_mutex(&self) -> Option<&'static dyn MutexSubject> {
        static MUTEX: Mutex<Section, Vec<u64>> = Mutex::new(Vec::new());
        Some(&MUTEX)
    }

    fn mutex_send_facts(&self) -> Vec<SendFact> {
        send_facts![
            Mutex<Section, Cell<u32>>: true,
            Mutex<Section, Rc<u32>>: false,
            MutexGuard<'static, Section, Cell<u32>>: true,
            MutexGuard<'static, Section, Rc<u32>>: false,
        ]
    }

    fn new_rwlock(&self) -> Option<Arc<dyn RwLockSubject>> {
        Some(Arc::new(RwLock::<Section, _>::new(Vec::new())))
    }

    fn static_rwlock(&self) -> Option<&'static dyn RwLockSubject> {
        static LOCK: RwLock<Section, Vec<u64>> = RwLock::new(Vec::new());
        Some(&LOCK)
    }

    fn rwlock_send_facts(&self) -> Vec<SendFact> {
        send_facts![
            RwLock<Section, u32>: true,
            RwLock<Section, Rc<u32>>: false,
            RwLockReadGuard<'static, Section, u32>: true,
            RwLockReadGuard<'static, Section, Cell<u32>>: false,
            RwLockReadGuard<'static, Section, Rc<u32>>: false,
            RwLockWriteGuard<'static, Section, u32>: true,
            RwLockWriteGuard<'static, Section, Rc<u32>>: false,
        ]
    }
}

impl MutexSubject for Mutex<Section, Vec<u64>> {
    lock_as_named!(.ok());

    fn try_lock_mapped(&self, part: fn(&mut Vec<u64>) -> &mut u64) -> Option<MappedGuard<'_>> {
        let guard = self.try_lock().ok()?;
        Some(Box::new(MutexGuard::map(guard, part)))
    }
}

impl RwLockSubject for RwLock<Section, Vec<u64>> {
    read_and_write_as_named!(.ok());
}

impl<'a> WriteGuard<'a> for RwLockWriteGuard<'a, Section, Vec<u64>> {}
