//! The kind OnceCell.

use std::fmt;
use std::future::{Future, pending};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use async_trait::async_trait;

use super::{Contending, Kept, Reach, SendFact, Subject, TurnsOf, Waitable, Waiting};
use crate::cx::{DropGuard, Dropped, DynIo};
use crate::erased::BoxFuture;
use crate::wakers::{counting, poll, poll_noop};

/// Initialises once.
#[async_trait]
pub trait OnceCellSubject: Send + Sync + 'static {
    /// The value, if it is there; never waits.
    fn get(&self) -> Option<&Token>;

    /// Whether the value is there.
    fn is_initialized(&self) -> bool;

    /// The value, made by `init` if nobody has made it.
    async fn get_or_init<'a>(&'a self, io: &'a DynIo, init: Init<'a>) -> &'a Token;

    /// The same with an initialiser that may fail.
    async fn get_or_try_init<'a>(
        &'a self,
        io: &'a DynIo,
        init: TryInit<'a>,
    ) -> Result<&'a Token, InitFailed>;

    /// The same with an initialiser that is a closure, if it has such a form of
    /// its own.
    async fn get_or_init_now<'a>(
        &'a self,
        io: &'a DynIo,
        init: Box<dyn FnOnce() -> Token + Send + 'a>,
    ) -> &'a Token {
        self.get_or_init(io, Box::pin(async move { init() })).await
    }

    /// Stores a value from outside.
    ///
    /// # Errors
    ///
    /// The value is given back if there is one already, or in the making.
    fn set(&self, value: Token) -> Result<(), SetRefused>;

    /// Waits for a value that somebody else makes or sets, if it can.
    fn wait<'a>(&'a self, io: &'a DynIo) -> Option<BoxFuture<'a, &'a Token>> {
        let _ = io;
        None
    }

    /// Takes the value out.
    fn take(&mut self) -> Option<Token>;
}

/// An initialiser: a future that has not been polled.
pub type Init<'a> = BoxFuture<'a, Token>;

/// An initialiser that may fail.
pub type TryInit<'a> = BoxFuture<'a, Result<Token, InitFailed>>;

/// How an initialiser fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InitFailed;

/// Why a value was not stored, and the value.
#[derive(Debug)]
pub enum SetRefused {
    /// There is one already.
    AlreadyInitialized(Token),
    /// An initialiser is running.
    Initializing(Token),
}

/// What the laws put into a cell: a number, written several times so that half
/// a value shows, and a count of how often it is dropped.
pub struct Token {
    words: [u64; 8],
    _drop: Option<DropGuard>,
}

impl Token {
    /// The token of a number.
    pub fn new(number: u64) -> Self {
        Self {
            words: [number; 8],
            _drop: None,
        }
    }

    /// The token of a number, which counts when it is dropped.
    pub fn counted(number: u64, drops: &Dropped) -> Self {
        Self {
            words: [number; 8],
            _drop: Some(drops.guard()),
        }
    }

    /// Its number.
    ///
    /// # Panics
    ///
    /// If not all of it has been written.
    pub fn number(&self) -> u64 {
        let number = self.words[0];
        assert_eq!(self.words, [number; 8], "the value is not complete");
        number
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Token").field(&self.words[0]).finish()
    }
}

/// A OnceCell waits for its value, and for the turn to make it.
pub(super) fn waitings(subject: &Arc<dyn Subject>) -> Vec<Arc<dyn Waiting>> {
    if subject.new_once_cell().is_none() {
        return Vec::new();
    }
    let by = |signal| -> Arc<dyn Waiting> {
        Arc::new(CellWaiting {
            subject: Arc::clone(subject),
            signal,
        })
    };
    vec![by(Signal::Value), by(Signal::Turn)]
}

pub(super) fn contendings(subject: &Arc<dyn Subject>) -> Vec<Contending> {
    if subject.new_once_cell().is_none() {
        return Vec::new();
    }
    // The turn is offered to one after the other, and whichever comes first has it.
    let ordered = false;
    let subject = Arc::clone(subject);
    let fresh = move || TurnsOf {
        primitive: subject.once_cell(),
        turn: |cell, io, _, body| {
            let init = async move {
                body.await;
                Err(InitFailed)
            };
            let turn = cell.get_or_try_init(io, Box::pin(init));
            Box::pin(async move {
                let failed = turn.await;
                assert_eq!(
                    failed.err(),
                    Some(InitFailed),
                    "of an initialiser that fails"
                );
            })
        },
    };
    vec![Contending::single(
        "OnceCell, to initialise",
        ordered,
        fresh,
    )]
}

#[derive(Clone, Copy, PartialEq)]
enum Signal {
    /// The initialiser that runs is finished.
    Value,
    /// It is cancelled.
    Turn,
}

struct CellWaiting {
    subject: Arc<dyn Subject>,
    signal: Signal,
}

impl Waiting for CellWaiting {
    fn name(&self) -> &'static str {
        match self.signal {
            Signal::Value => "OnceCell by the value",
            Signal::Turn => "OnceCell by a cancelled initialiser",
        }
    }

    fn reach(&self) -> Reach {
        match self.signal {
            Signal::Value => Reach::All,
            Signal::Turn => Reach::FirstThenNext,
        }
    }

    fn is_ordered(&self) -> bool {
        // The turn is offered in order, and is had by whichever comes first.
        self.signal == Signal::Value
    }

    fn spends(&self) -> bool {
        self.signal == Signal::Value
    }

    fn fresh(&self, _waits: usize) -> Arc<dyn Waitable> {
        let cell = self.subject.once_cell();
        let finish = Arc::new(AtomicBool::new(false));
        let mut running: BoxFuture<'static, ()> = {
            let (cell, finish) = (Arc::clone(&cell), Arc::clone(&finish));
            Box::pin(async move {
                let init = async move {
                    std::future::poll_fn(|_| {
                        if finish.load(Ordering::SeqCst) {
                            Poll::Ready(())
                        } else {
                            Poll::Pending
                        }
                    })
                    .await;
                    Token::new(FIRST)
                };
                cell.get_or_init(&DynIo::bare(), Box::pin(init)).await;
            })
        };
        assert!(
            poll_noop(running.as_mut()).is_pending(),
            "the initialiser is pending"
        );
        Arc::new(CellWaitable {
            cell,
            signal: self.signal,
            finish,
            running: Mutex::new(Some(running)),
        })
    }

    fn use_static(&self, io: &DynIo) -> Result<(), String> {
        let Some(cell) = self.subject.static_once_cell() else {
            return Err("the subject has no OnceCell in a `static`".to_owned());
        };
        // Checks run side by side, and each may be the first.
        let init = Box::pin(async { Token::new(FIRST) });
        let mut wait = cell.get_or_init(io, init);
        if let Poll::Ready(value) = poll_noop(wait.as_mut()) {
            assert_eq!(value.number(), FIRST);
        }
        drop(wait);
        if let Some(value) = cell.get() {
            assert_eq!(value.number(), FIRST);
        }
        Ok(())
    }

    fn send_facts(&self) -> Vec<SendFact> {
        self.subject.once_cell_send_facts()
    }
}

/// The number that the initialiser makes on which the others wait.
const FIRST: u64 = 1;

struct CellWaitable {
    cell: Arc<dyn OnceCellSubject>,
    signal: Signal,
    finish: Arc<AtomicBool>,
    /// The initialiser that runs, until the signal.
    running: Mutex<Option<BoxFuture<'static, ()>>>,
}

impl Waitable for CellWaitable {
    fn wait<'a>(&'a self, io: &'a DynIo) -> BoxFuture<'a, ()> {
        match self.signal {
            Signal::Value => {
                let init = Box::pin(async { Token::new(2) });
                Box::pin(Kept::new(self.cell.get_or_init(io, init)))
            }
            Signal::Turn => {
                let reached = Arc::new(AtomicBool::new(false));
                let seen = Arc::clone(&reached);
                let init = async move {
                    reached.store(true, Ordering::SeqCst);
                    pending().await
                };
                Box::pin(TurnWait {
                    seen,
                    future: self.cell.get_or_init(io, Box::pin(init)),
                })
            }
        }
    }

    fn signal(&self) {
        let running = self
            .running
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let Some(mut running) = running else {
            return;
        };
        if self.signal == Signal::Value {
            self.finish.store(true, Ordering::SeqCst);
            let mut polled = poll_noop(running.as_mut());
            if polled.is_pending() {
                // This task may have used up its budget; a thread has none.
                polled = std::thread::scope(|scope| {
                    let polling = scope.spawn(|| poll_noop(running.as_mut()));
                    polling.join().expect("a poll without a panic")
                });
            }
            assert!(
                polled.is_ready(),
                "the initialiser has finished, and its own wait has not"
            );
        }
    }

    fn queued(&self) -> Option<usize> {
        None
    }

    fn touch(&self, io: &DynIo) {
        let _ = (self.cell.get().is_some(), self.cell.is_initialized());
        let mut wait = self
            .cell
            .get_or_init(io, Box::pin(async { Token::new(FIRST) }));
        let _ = poll_noop(wait.as_mut());
        drop(wait);
        if let Some(mut wait) = self.cell.wait(io) {
            let _ = poll_noop(wait.as_mut());
        }
        let _ = self.cell.set(Token::new(FIRST));
    }

    fn check_later(&self, io: &DynIo) {
        let (wakes, waker) = counting();
        if self.cell.get().is_none() {
            let mut wait = self
                .cell
                .get_or_init(io, Box::pin(async { Token::new(FIRST) }));
            let mut polled = poll(wait.as_mut(), &waker);
            if polled.is_pending() {
                self.signal();
                assert!(wakes.count() >= 1, "the one that waits is not woken");
                polled = poll(wait.as_mut(), &waker);
            }
            assert!(
                polled.is_ready(),
                "a later wait gets neither a value nor its turn"
            );
        }
        let value = self.cell.get().expect("it has been initialised");
        assert!(self.cell.is_initialized());
        value.number();
        let mut later = self
            .cell
            .get_or_init(io, Box::pin(async { unreachable!("it has a value") }));
        let Poll::Ready(same) = poll(later.as_mut(), &waker) else {
            panic!("the value is there, and a later wait is not ready");
        };
        assert!(std::ptr::eq(value, same), "there are two values");
    }
}

/// A wait that has ended when its initialiser has begun; the initialiser runs,
/// and so keeps the turn, until this is dropped.
struct TurnWait<'a> {
    seen: Arc<AtomicBool>,
    future: BoxFuture<'a, &'a Token>,
}

impl Future for TurnWait<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let polled = self.future.as_mut().poll(cx);
        if polled.is_ready() || self.seen.load(Ordering::SeqCst) {
            return Poll::Ready(());
        }
        Poll::Pending
    }
}
