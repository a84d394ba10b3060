//! What a check did, and who waits on what: the dump of a check that failed.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write as _;
use std::future::Future;
use std::panic;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError};
use std::task::{Context, Poll};
use std::thread;
use std::time::{Duration, Instant};

use crate::erased::BoxFuture;

/// How many of the latest notes are kept.
const NOTES: usize = 200;
/// How many waits and notes a dump shows.
const SHOWN: usize = 30;

/// The log of one check. Tasks and threads of the check share it.
pub(crate) struct Log {
    start: Instant,
    abandoned: AtomicBool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    next: u64,
    waits: BTreeMap<u64, Wait>,
    /// Who waited when the executor dropped the check.
    kept_waits: Option<String>,
    notes: VecDeque<(Duration, String)>,
    dropped_notes: usize,
    panics: Vec<Panic>,
}

struct Wait {
    label: String,
    since: Instant,
    /// Of a future: how often it was polled, and when last.
    polls: Option<(u64, Instant)>,
}

/// A panic that no law had planned.
#[derive(Clone, Debug)]
pub(crate) struct Panic {
    pub(crate) message: String,
    pub(crate) location: String,
}

impl Log {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            start: Instant::now(),
            abandoned: AtomicBool::new(false),
            state: Mutex::default(),
        })
    }

    /// The watchdog has given the check up.
    pub(crate) fn abandon(&self) {
        self.abandoned.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_abandoned(&self) -> bool {
        self.abandoned.load(Ordering::Relaxed)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn note(&self, text: String) {
        let at = self.start.elapsed();
        let mut state = self.lock();
        if state.notes.len() == NOTES {
            state.notes.pop_front();
            state.dropped_notes += 1;
        }
        state.notes.push_back((at, text));
    }

    /// Says that somebody waits until the guard is dropped.
    pub(crate) fn waits(self: &Arc<Self>, label: String) -> Waits {
        self.list(label, None)
    }

    fn list(self: &Arc<Self>, label: String, polls: Option<(u64, Instant)>) -> Waits {
        let mut state = self.lock();
        let id = state.next;
        state.next += 1;
        state.waits.insert(
            id,
            Wait {
                label,
                since: Instant::now(),
                polls,
            },
        );
        Waits {
            log: Arc::clone(self),
            id,
        }
    }

    /// The latest panic with this message, else the latest of all.
    pub(crate) fn panic_like(&self, message: &str) -> Option<Panic> {
        let state = self.lock();
        let mut latest = state.panics.iter().rev();
        latest
            .clone()
            .find(|panic| message.contains(&panic.message))
            .or_else(|| latest.next())
            .cloned()
    }

    /// Keeps who waits on what for the dump, since those who wait are about to be
    /// dropped.
    pub(crate) fn keep_waits(&self) {
        let mut state = self.lock();
        let waits = state.dump_waits();
        state.kept_waits.get_or_insert(waits);
    }

    /// Who waits on what, and the latest notes.
    pub(crate) fn dump(&self) -> String {
        let state = self.lock();
        let mut out = match &state.kept_waits {
            Some(waits) => waits.clone(),
            None => state.dump_waits(),
        };
        if !state.notes.is_empty() {
            out.push_str("what happened last:\n");
        }
        let hidden = state.notes.len().saturating_sub(SHOWN);
        if hidden + state.dropped_notes > 0 {
            let _ = writeln!(out, "  ({} earlier)", hidden + state.dropped_notes);
        }
        for (at, text) in state.notes.iter().skip(hidden) {
            let _ = writeln!(out, "  +{:.3}s {text}", at.as_secs_f64());
        }
        for Panic { message, location } in &state.panics {
            let _ = writeln!(out, "panicked at {location}: {message}");
        }
        out
    }
}

impl State {
    fn dump_waits(&self) -> String {
        let mut out = String::new();
        let now = Instant::now();
        if !self.waits.is_empty() {
            out.push_str("who waits on what:\n");
        }
        for wait in self.waits.values().take(SHOWN) {
            let Wait {
                label,
                since,
                polls,
            } = wait;
            let since = now - *since;
            let _ = match polls {
                None => writeln!(out, "  {label}: for {since:.1?}"),
                Some((0, _)) => writeln!(out, "  {label}: never polled, for {since:.1?}"),
                Some((polls, last)) => writeln!(
                    out,
                    "  {label}: for {since:.1?}, polled {polls}x, last {:.1?} ago",
                    now - *last
                ),
            };
        }
        if self.waits.len() > SHOWN {
            let _ = writeln!(out, "  and {} more", self.waits.len() - SHOWN);
        }
        out
    }
}

/// An entry in the table of who waits on what.
pub(crate) struct Waits {
    log: Arc<Log>,
    id: u64,
}

impl Waits {
    fn polled(&self) {
        if let Some(wait) = self.log.lock().waits.get_mut(&self.id) {
            let polls = wait.polls.map_or(0, |(polls, _)| polls);
            wait.polls = Some((polls + 1, Instant::now()));
        }
    }
}

impl Drop for Waits {
    fn drop(&mut self) {
        self.log.lock().waits.remove(&self.id);
    }
}

/// A future that a check's dump lists until it is done.
#[must_use = "futures do nothing unless they are awaited or polled"]
pub struct Watched<'a, T> {
    waits: Option<Waits>,
    log: Arc<Log>,
    // Dropped as soon as it is done, as a task's future is.
    future: Option<BoxFuture<'a, T>>,
}

impl<'a, T> Watched<'a, T> {
    pub(crate) fn new(log: &Arc<Log>, label: String, future: BoxFuture<'a, T>) -> Self {
        Self {
            waits: Some(log.list(label, Some((0, Instant::now())))),
            log: Arc::clone(log),
            future: Some(future),
        }
    }
}

impl<T> Future for Watched<'_, T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        let this = &mut *self;
        if this.log.is_abandoned() {
            // It leaves the processor to other checks.
            return Poll::Pending;
        }
        let future = this.future.as_mut().expect("not polled after its end");
        if let Some(waits) = &this.waits {
            waits.polled();
        }
        let _scope = Scope::enter(&this.log);
        let polled = future.as_mut().poll(cx);
        if polled.is_ready() {
            this.future = None;
            this.waits = None;
        }
        polled
    }
}

std::thread_local! {
    static CURRENT: RefCell<Option<Arc<Log>>> = const { RefCell::new(None) };
}

/// While it lives, panics on this thread go to a check's log.
pub(crate) struct Scope {
    outer: Option<Arc<Log>>,
}

impl Scope {
    pub(crate) fn enter(log: &Arc<Log>) -> Self {
        install_hook();
        let outer = CURRENT.with(|current| current.replace(Some(Arc::clone(log))));
        Self { outer }
    }
}

impl Drop for Scope {
    fn drop(&mut self) {
        let outer = self.outer.take();
        let _ = CURRENT.try_with(|current| current.replace(outer));
    }
}

/// Ends what a check does on this thread, if its watchdog has given it up: it is to leave
/// the processor to other checks.
pub(crate) fn assert_goes_on() {
    let given_up = |current: &RefCell<Option<Arc<Log>>>| {
        let log = current.borrow();
        log.as_ref().is_some_and(|log| log.is_abandoned())
    };
    let given_up = CURRENT.try_with(given_up).unwrap_or(false);
    // What is being dropped may poll, too.
    assert!(!given_up || thread::panicking(), "the check was given up");
}

/// Yields this thread in a loop that looks for something, which ends when the check is
/// given up.
pub(crate) fn yield_thread() {
    assert_goes_on();
    thread::yield_now();
}

/// The process's panic hook, which a check's panics do not reach: they belong
/// into the report and not on the terminal.
fn install_hook() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        let outer = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            let current = CURRENT.try_with(|current| current.borrow().clone());
            let Ok(Some(log)) = current else {
                return outer(info);
            };
            let panic = Panic {
                message: message_of(info.payload()),
                location: info
                    .location()
                    .map_or_else(String::new, ToString::to_string),
            };
            log.lock().panics.push(panic);
        }));
    });
}

/// The text of a panic.
pub(crate) fn message_of(payload: &(dyn std::any::Any + Send)) -> String {
    if let Some(text) = payload.downcast_ref::<&'static str>() {
        (*text).to_owned()
    } else if let Some(text) = payload.downcast_ref::<String>() {
        text.clone()
    } else {
        "a panic without a message".to_owned()
    }
}
