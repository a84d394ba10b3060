//! What the tests of all the primitives share: wakers that count, that call
//! back and that panic, a way to poll by hand, and an allocator that counts.
//!
//! ```ignore
//! let (wakes, waker) = counting_waker();
//! let mut wait = pin!(notify.wait_future());
//! assert!(poll(wait.as_mut(), &waker).is_pending());
//! notify.notify_one();
//! assert_eq!(wakes.count(), 1);
//! ```

use core::cell::Cell;
use core::future::Future;
use core::pin::Pin;
use core::sync::atomic::{AtomicUsize, Ordering};
use core::task::{Context, Poll, RawWaker, RawWakerVTable, Waker};
use std::alloc::{GlobalAlloc, Layout, System};
use std::boxed::Box;
use std::string::String;
use std::sync::Arc;
use std::task::Wake;

pub(crate) mod tasks;
pub(crate) mod watch;

/// Polls until a grant of the same task that is not polled has gone on: three times.
pub(crate) fn poll_thrice<F: Future + ?Sized>(
    mut future: Pin<&mut F>,
    waker: &Waker,
) -> Poll<F::Output> {
    for _ in 0..2 {
        assert!(
            poll(future.as_mut(), waker).is_pending(),
            "it goes on too soon"
        );
    }
    poll(future, waker)
}

/// Polls once, in the name of `waker`.
pub(crate) fn poll<F: Future + ?Sized>(future: Pin<&mut F>, waker: &Waker) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(waker))
}

/// Polls once, in the name of no task.
pub(crate) fn poll_noop<F: Future + ?Sized>(future: Pin<&mut F>) -> Poll<F::Output> {
    poll(future, Waker::noop())
}

/// How often the wakers of one [`counting_waker`] were woken.
#[derive(Debug, Default)]
pub(crate) struct Wakes(AtomicUsize);

impl Wakes {
    pub(crate) fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// A waker and the count of its wake-ups. `Arc::strong_count` of the count tells
/// how many of its wakers are about: 2 as it is returned.
pub(crate) fn counting_waker() -> (Arc<Wakes>, Waker) {
    let wakes = Arc::new(Wakes::default());
    (wakes.clone(), Waker::from(wakes))
}

/// What befalls a waker of [`hooked_waker`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// It is being cloned.
    Clone,
    /// It is being woken, by value or by reference.
    Wake,
    /// It is being dropped, not by being woken.
    Drop,
}

type Hook = Box<dyn Fn(Event) + Send + Sync>;

/// A waker that calls `hook` whenever it is cloned, woken or dropped: with it a
/// test calls back into a primitive, or panics, at any of these moments.
pub(crate) fn hooked_waker(hook: impl Fn(Event) + Send + Sync + 'static) -> Waker {
    let hook: Arc<Hook> = Arc::new(Box::new(hook));
    // SAFETY: invariant HOOKED of the table.
    unsafe { Waker::from_raw(RawWaker::new(Arc::into_raw(hook).cast(), &TABLE)) }
}

/// Invariant HOOKED: the data word is from `Arc::<Hook>::into_raw`, and each
/// waker has one share of that `Arc`.
static TABLE: RawWakerVTable = RawWakerVTable::new(
    |data| {
        let hook: *const Hook = data.cast();
        // SAFETY: invariant HOOKED: this waker's share keeps the hook alive.
        unsafe {
            (*hook)(Event::Clone);
            Arc::increment_strong_count(hook);
        }
        RawWaker::new(data, &TABLE)
    },
    |data| {
        // SAFETY: invariant HOOKED: the waker ends here, and its share with it.
        let hook = unsafe { Arc::from_raw(data.cast::<Hook>()) };
        hook(Event::Wake);
    },
    |data| {
        // SAFETY: invariant HOOKED: this waker's share keeps the hook alive.
        unsafe { (*data.cast::<Hook>())(Event::Wake) }
    },
    |data| {
        // SAFETY: invariant HOOKED: the waker ends here, and its share with it.
        let hook = unsafe { Arc::from_raw(data.cast::<Hook>()) };
        hook(Event::Drop);
    },
);

/// A waker that wakes no task, and says of every other one, its own clones
/// included, that it wakes another.
pub(crate) fn denying_waker() -> Waker {
    // Each clone has another number for its data.
    static TABLE: RawWakerVTable = RawWakerVTable::new(
        |number| RawWaker::new(number.wrapping_byte_add(1), &TABLE),
        |_| {},
        |_| {},
        |_| {},
    );
    // SAFETY: no function of the table looks at the data.
    unsafe { Waker::new(core::ptr::null(), &TABLE) }
}

/// A waker that calls `code` whenever it is cloned, woken or dropped, but not
/// from within itself.
pub(crate) fn reentrant_waker(code: impl Fn() + Send + Sync + 'static) -> Waker {
    use std::sync::atomic::AtomicBool;

    let inside = AtomicBool::new(false);
    hooked_waker(move |_| {
        if !inside.swap(true, Ordering::SeqCst) {
            code();
            inside.store(false, Ordering::SeqCst);
        }
    })
}

/// A value that counts its drops, and panics with [`DROP_PANIC`] in its own if it is
/// to.
#[derive(Clone)]
pub(crate) struct Brittle {
    pub(crate) drops: Arc<AtomicUsize>,
    pub(crate) panics: bool,
}

pub(crate) const DROP_PANIC: &str = "this value panics when it is dropped";

impl Drop for Brittle {
    fn drop(&mut self) {
        self.drops.fetch_add(1, Ordering::Relaxed);
        assert!(!self.panics, "{DROP_PANIC}");
    }
}

/// The message of [`panicking_waker`].
pub(crate) const WAKER_PANIC: &str = "this waker panics when it is woken";

/// A waker that panics with [`WAKER_PANIC`] when it is woken.
pub(crate) fn panicking_waker() -> Waker {
    hooked_waker(|event| {
        if event == Event::Wake {
            std::panic::panic_any(WAKER_PANIC);
        }
    })
}

/// Runs `code`, which panics with a `&'static str` or a `String`; returns the
/// message.
pub(crate) fn panic_message(code: impl FnOnce()) -> String {
    let payload = std::panic::catch_unwind(std::panic::AssertUnwindSafe(code))
        .expect_err("a panic was expected");
    match payload.downcast::<&'static str>() {
        Ok(message) => (*message).into(),
        Err(payload) => *payload.downcast::<String>().expect("a message"),
    }
}

/// `std::thread::scope`, whose end the thread sanitizer sees: the threads of the
/// standard library, which is not built for it, end where it does not look.
pub(crate) fn scope<'env, R>(code: impl for<'scope> FnOnce(&Scope<'scope, 'env>) -> R) -> R {
    let result = std::thread::scope(|scope| code(&Scope(scope)));
    ENDED.fetch_add(0, Ordering::AcqRel);
    result
}

/// The threads of a [`scope`].
pub(crate) struct Scope<'scope, 'env>(&'scope std::thread::Scope<'scope, 'env>);

static ENDED: AtomicUsize = AtomicUsize::new(0);

impl<'scope> Scope<'scope, '_> {
    pub(crate) fn spawn<T: Send + 'scope>(
        &self,
        code: impl FnOnce() -> T + Send + 'scope,
    ) -> std::thread::ScopedJoinHandle<'scope, T> {
        self.0.spawn(|| {
            let result = code();
            ENDED.fetch_add(1, Ordering::AcqRel);
            result
        })
    }
}

/// How often `code` allocates, on this thread.
pub(crate) fn allocations(code: impl FnOnce()) -> usize {
    let before = ALLOCATIONS.get();
    code();
    ALLOCATIONS.get() - before
}

/// How often `code` allocates or frees while its thread has an inner lock.
pub(crate) fn under_lock(code: impl FnOnce()) -> usize {
    let before = UNDER_LOCK.get();
    code();
    UNDER_LOCK.get() - before
}

/// How many bytes this thread has allocated and not freed.
pub(crate) fn live_bytes() -> isize {
    LIVE_BYTES.get()
}

std::thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
    static UNDER_LOCK: Cell<usize> = const { Cell::new(0) };
    static LIVE_BYTES: Cell<isize> = const { Cell::new(0) };
}

/// The allocator of the unit tests: the system's, counted for each thread.
struct Counting;

#[global_allocator]
static COUNTING: Counting = Counting;

fn count(allocations: usize, bytes: isize) {
    ALLOCATIONS.set(ALLOCATIONS.get() + allocations);
    LIVE_BYTES.set(LIVE_BYTES.get() + bytes);
    if crate::primitive::has_guard() {
        UNDER_LOCK.set(UNDER_LOCK.get() + 1);
    }
}

// SAFETY: everything is the system allocator's; counting touches no memory of
// its own making, and the counters have neither an initialiser nor a destructor.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(1, layout.size() as isize);
        // SAFETY: the caller's promise is handed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        count(0, -(layout.size() as isize));
        // SAFETY: the caller's promise is handed on.
        unsafe { System.dealloc(block, layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(1, size as isize - layout.size() as isize);
        // SAFETY: the caller's promise is handed on.
        unsafe { System.realloc(block, layout, size) }
    }
}

mod tests {
    use std::vec::Vec;

    use super::*;

    #[test]
    fn hooked_waker_sees_each_event_once() {
        use std::sync::Mutex;

        let seen = Arc::new(Mutex::new(Vec::new()));
        let log = seen.clone();
        let waker = hooked_waker(move |event| log.lock().unwrap().push(event));
        let copy = waker.clone();
        copy.wake_by_ref();
        copy.wake();
        drop(waker);
        assert_eq!(
            *seen.lock().unwrap(),
            [Event::Clone, Event::Wake, Event::Wake, Event::Drop]
        );
        assert_eq!(Arc::strong_count(&seen), 1, "the hook was freed");
    }

    #[test]
    fn allocations_are_counted() {
        // Hidden from an optimiser, which would allocate nothing.
        assert_eq!(
            allocations(|| drop(std::hint::black_box(Box::new(7_u8)))),
            1
        );
        assert_eq!(allocations(|| ()), 0);
    }
}
