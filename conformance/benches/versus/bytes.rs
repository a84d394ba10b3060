//! The bytes of primitives, of their waits, and of idle channels.

use std::future::Future;

use serde::Serialize;

use crate::harness::OURS;

#[derive(Serialize)]
pub(crate) struct Size {
    pub(crate) what: &'static str,
    pub(crate) name: &'static str,
    pub(crate) bytes: u64,
}

fn size<T>(what: &'static str, name: &'static str) -> Size {
    Size {
        what,
        name,
        bytes: size_of::<T>() as u64,
    }
}

fn of<F: Future>(what: &'static str, name: &'static str, wait: F) -> Size {
    Size {
        what,
        name,
        bytes: size_of_val(&wait) as u64,
    }
}

/// What is allocated for a channel that nobody has used yet.
fn idle<C>(what: &'static str, name: &'static str, new: impl FnOnce() -> C) -> Size {
    let mut kept = None;
    let info = allocation_counter::measure(|| kept = Some(new()));
    Size {
        what,
        name,
        bytes: u64::try_from(info.bytes_current).expect("more than was there"),
    }
}

pub(crate) fn all() -> Vec<Size> {
    let notify = anysync::Notify::new();
    let mutex = anysync::Mutex::new(());
    let rwlock = anysync::RwLock::new(());
    let semaphore = anysync::Semaphore::new(1);
    let barrier = anysync::Barrier::new(1);
    let tokio_notify = tokio::sync::Notify::new();
    let tokio_mutex = tokio::sync::Mutex::new(());
    let tokio_rwlock = tokio::sync::RwLock::new(());
    let tokio_semaphore = tokio::sync::Semaphore::new(1);
    let tokio_barrier = tokio::sync::Barrier::new(1);
    let smol_mutex = async_lock::Mutex::new(());
    let smol_semaphore = async_lock::Semaphore::new(1);
    let band_mutex = asyncband::mutex::Mutex::new(());
    let band_semaphore = asyncband::semaphore::Semaphore::new(1);
    let intrusive_mutex = futures_intrusive::sync::Mutex::new((), true);
    let intrusive_semaphore = futures_intrusive::sync::Semaphore::new(true, 1);
    vec![
        size::<anysync::Notify>("Notify", OURS),
        size::<tokio::sync::Notify>("Notify", "tokio"),
        size::<maitake_sync::WaitQueue>("Notify", "maitake-sync"),
        size::<event_listener::Event>("Notify", "event-listener"),
        of("a wait of Notify", OURS, notify.wait_future()),
        of("a wait of Notify", "tokio", tokio_notify.notified()),
        size::<anysync::Mutex<()>>("Mutex<()>", OURS),
        size::<tokio::sync::Mutex<()>>("Mutex<()>", "tokio"),
        size::<async_lock::Mutex<()>>("Mutex<()>", "async-lock"),
        size::<asyncband::mutex::Mutex<()>>("Mutex<()>", "asyncband"),
        size::<futures_intrusive::sync::Mutex<()>>("Mutex<()>", "futures-intrusive"),
        of("a wait of Mutex", OURS, mutex.lock_future()),
        of("a wait of Mutex", "tokio", tokio_mutex.lock()),
        of("a wait of Mutex", "async-lock", smol_mutex.lock()),
        of("a wait of Mutex", "asyncband", band_mutex.lock()),
        of(
            "a wait of Mutex",
            "futures-intrusive",
            intrusive_mutex.lock(),
        ),
        size::<anysync::RwLock<()>>("RwLock<()>", OURS),
        size::<tokio::sync::RwLock<()>>("RwLock<()>", "tokio"),
        size::<async_lock::RwLock<()>>("RwLock<()>", "async-lock"),
        of("a read of RwLock", OURS, rwlock.read_future()),
        of("a read of RwLock", "tokio", tokio_rwlock.read()),
        size::<anysync::Semaphore>("Semaphore", OURS),
        size::<tokio::sync::Semaphore>("Semaphore", "tokio"),
        size::<async_lock::Semaphore>("Semaphore", "async-lock"),
        of("a wait of Semaphore", OURS, semaphore.acquire_future()),
        of("a wait of Semaphore", "tokio", tokio_semaphore.acquire()),
        of(
            "a wait of Semaphore",
            "async-lock",
            smol_semaphore.acquire(),
        ),
        of(
            "a wait of Semaphore",
            "asyncband",
            band_semaphore.acquire(1),
        ),
        of(
            "a wait of Semaphore",
            "futures-intrusive",
            intrusive_semaphore.acquire(1),
        ),
        size::<anysync::Barrier>("Barrier", OURS),
        size::<tokio::sync::Barrier>("Barrier", "tokio"),
        of("a wait of Barrier", OURS, barrier.wait_future()),
        of("a wait of Barrier", "tokio", tokio_barrier.wait()),
        size::<anysync::OnceCell<()>>("OnceCell<()>", OURS),
        size::<tokio::sync::OnceCell<()>>("OnceCell<()>", "tokio"),
        idle(
            "an idle oneshot<u64>",
            OURS,
            anysync::oneshot::channel::<u64>,
        ),
        idle(
            "an idle oneshot<u64>",
            "tokio",
            tokio::sync::oneshot::channel::<u64>,
        ),
        idle("an idle channel<u64> of 64", OURS, || {
            anysync::channel::bounded::<u64>(64)
        }),
        idle("an idle channel<u64> of 64", "tokio", || {
            tokio::sync::mpsc::channel::<u64>(64)
        }),
        idle("an idle channel<u64> of 64", "async-channel", || {
            async_channel::bounded::<u64>(64)
        }),
        idle("an idle channel<u64> of 64", "flume", || {
            flume::bounded::<u64>(64)
        }),
        idle("an idle channel<u64> of 64", "kanal", || {
            kanal::bounded_async::<u64>(64)
        }),
        idle(
            "an idle channel<u64>, unbounded",
            OURS,
            anysync::channel::unbounded::<u64>,
        ),
        idle(
            "an idle channel<u64>, unbounded",
            "tokio",
            tokio::sync::mpsc::unbounded_channel::<u64>,
        ),
        idle(
            "an idle channel<u64>, unbounded",
            "async-channel",
            async_channel::unbounded::<u64>,
        ),
        idle("an idle broadcast<u64> of 64", OURS, || {
            anysync::broadcast::channel::<u64>(64)
        }),
        idle("an idle broadcast<u64> of 64", "tokio", || {
            tokio::sync::broadcast::channel::<u64>(64)
        }),
        idle("an idle watch<u64>", OURS, || {
            anysync::watch::channel(0_u64)
        }),
        idle("an idle watch<u64>", "tokio", || {
            tokio::sync::watch::channel(0_u64)
        }),
    ]
}
