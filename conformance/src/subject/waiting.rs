//! What all primitives that wait have in common: the face that the laws of the
//! group `any::` are about.

use std::future::{Future, poll_fn};
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use crate::cx::DynIo;
use crate::erased::BoxFuture;

/// One way in which a primitive of a subject waits: by one call that waits, and
/// one that ends the wait. A kind may have several.
pub trait Waiting: Send + Sync + 'static {
    /// The kind and the signal, for messages: `Notify by notify_one`.
    fn name(&self) -> &'static str;

    /// Whom a signal reaches.
    fn reach(&self) -> Reach;

    /// Whether a wait that is polled by chance between a signal and the poll of
    /// the wait that was reached leaves the win to that one. A lock that lets
    /// whoever is polled first have it makes no such promise.
    fn is_ordered(&self) -> bool {
        true
    }

    /// Whether its waits are over, for the executor's budget, when they end. One
    /// that got the turn to initialise is not: the value is what is paid for.
    fn spends(&self) -> bool {
        true
    }

    /// A fresh primitive on which up to `waits` waits queue at the same time,
    /// and on which a signal ends them when all of these are queued.
    fn fresh(&self, waits: usize) -> Arc<dyn Waitable>;

    /// Uses a primitive that lives in a `static`, all through: an error if the
    /// subject has none.
    ///
    /// The static is one for the process, and checks run side by side.
    fn use_static(&self, io: &DynIo) -> Result<(), String>;

    /// Whether it could live in a `static`: what is shared by handles is on the
    /// heap.
    fn fits_a_static(&self) -> bool {
        true
    }

    /// Which of its types are `Send`, and which should be.
    fn send_facts(&self) -> Vec<SendFact>;
}

/// Whom [`Waitable::signal`] reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// The wait that is first in the queue. One that is dropped after it was
    /// reached, and before it returned, passes the signal on.
    First,
    /// The wait that is first in the queue; and when that is dropped, before or
    /// after it returned, the next.
    FirstThenNext,
    /// Every wait in the queue.
    All,
}

/// A primitive on which somebody waits until somebody else signals.
pub trait Waitable: Send + Sync + 'static {
    /// A wait, the primitive's own future but for a box: it queues when it is
    /// first polled, and is ready when a signal has reached it. What it has won
    /// (a lock, say) stays in it until it is dropped.
    ///
    /// It allocates only when it is created. Polled after its end it does what
    /// the primitive's own future does.
    fn wait<'a>(&'a self, io: &'a DynIo) -> BoxFuture<'a, ()>;

    /// Reaches those who wait: see [`Reach`]. Under [`Reach::FirstThenNext`] it
    /// is called once.
    fn signal(&self);

    /// How many are queued, if it can tell.
    fn queued(&self) -> Option<usize>;

    /// Calls every method of the primitive that returns at once, and polls and
    /// drops a wait. It may reach those who wait.
    fn touch(&self, io: &DynIo);

    /// Panics unless the primitive works as a used one should; nobody waits, or
    /// holds what a wait has won. Leaves it so.
    fn check_later(&self, io: &DynIo);
}

/// A wait with everything that it borrows, for a task or a thread.
pub fn owned_wait(primitive: &Arc<dyn Waitable>, io: DynIo) -> BoxFuture<'static, ()> {
    let primitive = Arc::clone(primitive);
    Box::pin(async move { primitive.wait(&io).await })
}

/// The future with another output: nothing stands between a poll and its own.
pub fn mapped<'a, F, T>(future: F, map: impl Fn(F::Output) -> T + Send + 'a) -> BoxFuture<'a, T>
where
    F: Future + Send + 'a,
{
    let mut future = Box::pin(future);
    Box::pin(poll_fn(move |cx| future.as_mut().poll(cx).map(&map)))
}

/// Whether a type is `Send`, and whether it should be.
#[derive(Clone, Copy, Debug)]
pub struct SendFact {
    /// The type.
    pub what: &'static str,
    /// As it is.
    pub is_send: bool,
    /// As it should be.
    pub must_be: bool,
}

/// [`SendFact`]s: `send_facts![Wait<'static>: true, Wait<'static, Rc<Bare>>: false]`
/// with what each should be.
#[macro_export]
macro_rules! send_facts {
    ($($what:ty: $must_be:expr),* $(,)?) => {
        ::std::vec![$($crate::subject::SendFact {
            what: ::std::stringify!($what),
            is_send: {
                // For a type that is `Send` the constant of the type itself goes
                // before the trait's.
                #[allow(dead_code)]
                trait No {
                    const IS_SEND: bool = false;
                }
                impl<T: ?Sized> No for $crate::subject::Probe<T> {}
                <$crate::subject::Probe<$what>>::IS_SEND
            },
            must_be: $must_be,
        }),*]
    };
}

/// What [`send_facts!`](crate::send_facts) asks.
#[doc(hidden)]
pub struct Probe<T: ?Sized>(PhantomData<T>);

impl<T: ?Sized + Send> Probe<T> {
    /// It is.
    pub const IS_SEND: bool = true;
}

/// A future that keeps what `future` returns until it is dropped: for
/// [`Waitable::wait`].
pub struct Kept<'a, T> {
    // The output goes first: a guard before the future that it came from.
    output: Option<T>,
    future: BoxFuture<'a, T>,
}

impl<'a, T> Kept<'a, T> {
    /// Keeps the output of `future`.
    pub fn new(future: BoxFuture<'a, T>) -> Self {
        Self {
            output: None,
            future,
        }
    }
}

impl<T: Unpin> Future for Kept<'_, T> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let polled = self.future.as_mut().poll(cx);
        polled.map(|output| self.output = Some(output))
    }
}
