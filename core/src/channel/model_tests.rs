//! Random programs against a sequential model of the channel: a queue of
//! messages, counts, which waits are queued, what has been granted to which, and of
//! which task each wait is.

use core::cell::Cell;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use std::boxed::Box;
use std::sync::Arc;
use std::vec;
use std::vec::Vec;

use proptest::prelude::*;

use super::chan::{Chan, PROMISES, RECEIVERS, SENDERS, SLOTS, WATCHERS};
use super::*;
use crate::io::Io;
use crate::test_util::{Wakes, counting_waker};

use reference::{Kind, Message, Model, NO_TASK, Outcome, PLACE, Status, TASKS, Task, WAITS, Wait};

mod eventual;
mod reference;

#[derive(Clone, Copy, Debug)]
enum Op {
    /// A wait in an empty place; the message of a send is a fresh number. For a
    /// `Waiter` the task whose waker it has.
    Wait(usize, Kind, Option<Task>),
    Poll(usize, Task),
    /// The same so many times, or until it is ready.
    PollOften(usize, Task, usize),
    /// Drops a wait, or takes the value of a send first.
    Drop(usize, bool),
    SetWaker(usize, Task),
    PollRecv(Task),
    TrySend,
    ForceSend,
    TryRecv,
    TryReserve(usize),
    /// Sends by one of the permits.
    SendPermit(usize),
    DropPermits(usize),
    CloneHandles,
    DropSender,
    DropReceiver,
    Close,
    /// From here on the budget is spent, or is not.
    Broke(bool),
}

fn op() -> impl Strategy<Value = Op> {
    let (at, task, few) = (0..WAITS, 0..TASKS, 0..4_usize);
    let often = prop_oneof![Just(3_usize), Just(130)];
    let owner = proptest::option::of(task.clone());
    let kind = prop_oneof![
        4 => Just(Kind::Send(0)),
        2 => few.clone().prop_map(Kind::Reserve),
        4 => Just(Kind::Recv),
        2 => few.clone().prop_map(Kind::RecvMany),
        1 => Just(Kind::Closed),
        1 => Just(Kind::RecvWith),
        1 => Just(Kind::ReserveWith),
    ];
    prop_oneof![
        40 => (at.clone(), kind, owner).prop_map(|(at, kind, task)| Op::Wait(at, kind, task)),
        80 => (at.clone(), task.clone()).prop_map(|(at, task)| Op::Poll(at, task)),
        20 => (at.clone(), task.clone(), often).prop_map(|(at, t, n)| Op::PollOften(at, t, n)),
        20 => (at.clone(), any::<bool>()).prop_map(|(at, back)| Op::Drop(at, back)),
        5 => (at.clone(), task.clone()).prop_map(|(at, task)| Op::SetWaker(at, task)),
        10 => task.prop_map(Op::PollRecv),
        15 => Just(Op::TrySend),
        5 => Just(Op::ForceSend),
        15 => Just(Op::TryRecv),
        5 => few.clone().prop_map(Op::TryReserve),
        10 => few.clone().prop_map(Op::SendPermit),
        5 => few.prop_map(Op::DropPermits),
        2 => Just(Op::CloneHandles),
        3 => Just(Op::DropSender),
        3 => Just(Op::DropReceiver),
        1 => Just(Op::Close),
        10 => any::<bool>().prop_map(Op::Broke),
    ]
}

/// An executor whose tasks have spent their budget while it says so.
#[derive(Default)]
struct Budget(Cell<bool>);

impl Io for Budget {
    fn poll_spend(&self, cx: &mut Context<'_>) -> Poll<()> {
        if self.0.get() {
            cx.waker().wake_by_ref();
            Poll::Pending
        } else {
            Poll::Ready(())
        }
    }
}

/// A wait, in a box that is kept when the wait is gone: so no other has its address.
type Kept<F> = Pin<Box<Option<F>>>;

/// The real waits.
enum Real<'a> {
    Send(Kept<Send<'a, Message, &'a Budget>>),
    Reserve(Kept<ReserveMany<'a, Message, &'a Budget>>),
    Recv(Kept<Recv<'a, Message, &'a Budget>>),
    Many(Kept<RecvMany<'a, Message, &'a Budget>>),
    Closed(Kept<Closed<'a, Message, &'a Budget>>),
    Waiter(Kept<Waiter<'a, Message>>),
}

fn kept<F>(wait: F) -> Kept<F> {
    Box::pin(Some(wait))
}

fn there<F>(wait: &mut Kept<F>) -> Pin<&mut F> {
    wait.as_mut().as_pin_mut().expect("it is not gone")
}

fn poll<F: Future>(wait: &mut Kept<F>, waker: &Waker) -> Option<F::Output> {
    match crate::test_util::poll(there(wait), waker) {
        Poll::Ready(outcome) => Some(outcome),
        Poll::Pending => None,
    }
}

impl Real<'_> {
    fn end(&mut self) {
        match self {
            Self::Send(wait) => wait.set(None),
            Self::Reserve(wait) => wait.set(None),
            Self::Recv(wait) => wait.set(None),
            Self::Many(wait) => wait.set(None),
            Self::Closed(wait) => wait.set(None),
            Self::Waiter(wait) => wait.set(None),
        }
    }
}

/// What the program runs on. The waits borrow the channel itself, so that the
/// handles may go while there are others.
struct World<'a> {
    chan: &'a Arc<Chan<Message>>,
    io: &'a Budget,
    senders: Vec<Sender<Message>>,
    receivers: Vec<Receiver<Message>>,
    waits: [Option<Real<'a>>; WAITS],
    permits: Vec<Permits<'a, Message>>,
    tasks: [(Arc<Wakes>, Waker); TASKS],
    model: Model,
    fresh: Message,
    gone: Vec<Real<'a>>,
    /// How many waits there have been.
    nodes: usize,
}

impl<'a> World<'a> {
    fn new(chan: &'a Arc<Chan<Message>>, io: &'a Budget, capacity: usize) -> Self {
        Self {
            chan,
            io,
            senders: vec![Sender::first(chan.clone())],
            receivers: vec![Receiver::first(chan.clone())],
            waits: [const { None }; WAITS],
            permits: vec![],
            tasks: tasks(),
            model: Model::new(capacity),
            fresh: 0,
            gone: vec![],
            nodes: 0,
        }
    }

    fn poll(&mut self, at: usize, task: Task, times: usize) {
        let chan: &'a Chan<Message> = self.chan;
        for _ in 0..times {
            let Some(real) = &mut self.waits[at] else {
                return;
            };
            let model = self.model.wait(at);
            if model.status == Status::Finished {
                return;
            }
            let is_sender = model.kind == Kind::ReserveWith;
            let waker = &self.tasks[task].1;
            let outcome = poll_real(real, waker, chan, is_sender, &mut self.permits);
            let expected = self.model.poll(at, task);
            assert_eq!(outcome, expected, "poll of {at}");
            if expected.is_some() {
                return;
            }
        }
    }

    fn fresh(&mut self) -> Message {
        self.fresh += 1;
        self.fresh
    }

    fn run(&mut self, op: Op) {
        let (chan, io): (&'a Chan<Message>, _) = (self.chan, self.io);
        match op {
            Op::Wait(at, kind, task) => self.start(at, kind, task),
            Op::Poll(at, task) => self.poll(at, task, 1),
            Op::PollOften(at, task, times) => self.poll(at, task, times),
            Op::Drop(at, back) => {
                if let Some(mut real) = self.waits[at].take() {
                    if let (true, Real::Send(send)) = (back, &mut real) {
                        let Wait { kind, status, .. } = *self.model.wait(at);
                        let value = there(send).take_value();
                        let Kind::Send(message) = kind else { panic!() };
                        let kept = (status != Status::Finished).then_some(message);
                        assert_eq!(value, kept);
                    }
                    real.end();
                    self.gone.push(real);
                    self.model.abandon(at);
                    self.model.waits[at] = None;
                }
            }
            Op::SetWaker(at, task) => {
                if let Some(Real::Waiter(waiter)) = &mut self.waits[at] {
                    there(waiter).set_waker(self.tasks[task].1.clone());
                    let wait = self.model.wait(at);
                    wait.task = Some(task);
                    if !matches!(wait.status, Status::Idle | Status::Queued) {
                        self.model.wakes[task] += 1;
                    }
                    // It is the latest grant now.
                    let is_slot = self.model.slots.contains(&at);
                    if self.model.take_grant(at) {
                        let model = &mut self.model;
                        let ring = if is_slot {
                            &mut model.slots
                        } else {
                            &mut model.promises
                        };
                        ring.push(at);
                    }
                }
            }
            Op::PollRecv(task) => {
                if let Some(first) = self.receivers.first_mut() {
                    let mut cx = Context::from_waker(&self.tasks[task].1);
                    let outcome = match first.poll_recv(io, &mut cx) {
                        Poll::Pending => None,
                        Poll::Ready(Ok(message)) => Some(Outcome::Received(vec![message])),
                        Poll::Ready(Err(RecvError)) => Some(Outcome::Closed),
                    };
                    assert_eq!(outcome, self.model.poll(PLACE, task));
                }
            }
            Op::TrySend => {
                let message = self.fresh();
                if let Some(sender) = self.senders.first() {
                    let expected = self
                        .model
                        .admits(1)
                        .map_err(|error| error.map(|()| message));
                    if expected.is_ok() {
                        self.model.messages.push_back(message);
                        self.model.settle();
                    }
                    assert_eq!(sender.try_send(message), expected);
                }
            }
            Op::ForceSend => {
                let message = self.fresh();
                if let Some(sender) = self.senders.first() {
                    let expected = match self.model.admits(1) {
                        Err(TrySendError::Closed(())) => Err(SendError(message)),
                        Err(TrySendError::Full(())) if self.model.messages.is_empty() => {
                            Ok(Some(message))
                        }
                        admitted => {
                            let replaced = match admitted {
                                Ok(()) => None,
                                Err(_) => self.model.messages.pop_front(),
                            };
                            self.model.messages.push_back(message);
                            self.model.settle();
                            Ok(replaced)
                        }
                    };
                    assert_eq!(sender.force_send(message), expected);
                }
            }
            Op::TryRecv => {
                if let Some(first) = self.receivers.first() {
                    self.model.leave_place();
                    let model = &mut self.model;
                    let expected = if model.unpromised() != 0 && model.receive_queue.is_empty() {
                        let message = model.messages.pop_front().unwrap();
                        model.settle();
                        Ok(message)
                    } else if model.is_over() {
                        Err(TryRecvError::Closed)
                    } else {
                        Err(TryRecvError::Empty)
                    };
                    assert_eq!(first.try_recv(), expected);
                }
            }
            Op::TryReserve(n) => {
                if !self.senders.is_empty() {
                    let expected = self.model.admits(n);
                    let reserved = chan.try_reserve(n);
                    assert_eq!(reserved, expected);
                    if reserved.is_ok() {
                        self.permits.push(Permits::new(chan, n));
                        self.model.permits.push(n);
                        self.model.reserved += n;
                    }
                }
            }
            Op::SendPermit(which) => {
                let message = self.fresh();
                if let Some(permits) = self.permits.get_mut(which) {
                    let permit = permits.next();
                    assert_eq!(permit.is_some(), self.model.permits[which] != 0);
                    if let Some(permit) = permit {
                        permit.send(message);
                        self.model.permits[which] -= 1;
                        self.model.reserved -= 1;
                        if self.model.receivers != 0 {
                            self.model.messages.push_back(message);
                        }
                        self.model.settle();
                    }
                }
            }
            Op::DropPermits(which) => {
                if which < self.permits.len() {
                    drop(self.permits.remove(which));
                    self.model.reserved -= self.model.permits.remove(which);
                    self.model.settle();
                }
            }
            Op::CloneHandles => {
                if let Some(sender) = self.senders.first() {
                    self.senders.push(sender.clone());
                    self.model.senders += 1;
                }
                if let Some(receiver) = self.receivers.first() {
                    self.receivers.push(receiver.clone());
                    self.model.receivers += 1;
                }
            }
            Op::DropSender => {
                // A wait or permit keeps its sender.
                let used = self.model.has(|kind| kind.sends() || kind == Kind::Closed)
                    || !self.permits.is_empty();
                let may_go = self.senders.len() > 1 || !used;
                if may_go && self.senders.pop().is_some() {
                    self.model.senders -= 1;
                    if self.model.senders == 0 {
                        self.model.end();
                    }
                }
            }
            Op::DropReceiver => {
                if self.receivers.len() > 1 || !self.model.has(Kind::receives) {
                    if self.receivers.len() == 1 {
                        self.model.leave_place();
                    }
                    if self.receivers.pop().is_some() {
                        self.model.receivers -= 1;
                        if self.model.receivers == 0 {
                            self.model.messages.clear();
                            self.model.end();
                        }
                    }
                }
            }
            Op::Close => {
                let was_open = !self.model.closed;
                if was_open {
                    self.model.end();
                }
                assert_eq!(chan.close(), was_open);
            }
            Op::Broke(broke) => {
                io.0.set(broke);
                self.model.broke = broke;
            }
        }
    }

    fn start(&mut self, at: usize, kind: Kind, task: Option<Task>) {
        let handles = if kind.receives() {
            self.receivers.len()
        } else {
            self.senders.len()
        };
        if self.waits[at].is_some() || handles == 0 {
            return;
        }
        let message = self.fresh();
        let (chan, io) = (self.chan, self.io);
        let (kind, real) = match kind {
            Kind::Send(_) => {
                let send = kept(Send::new(chan, message, io));
                (Kind::Send(message), Real::Send(send))
            }
            Kind::Reserve(n) => {
                let n = n.min(self.model.capacity);
                let reserve = kept(ReserveMany::new(chan, n, io));
                (Kind::Reserve(n), Real::Reserve(reserve))
            }
            Kind::Recv | Kind::Place => (Kind::Recv, Real::Recv(kept(Recv::new(chan, io)))),
            Kind::RecvMany(limit) => {
                let target = Box::leak(Box::default());
                let many = RecvMany::new(chan, target, limit, io);
                (kind, Real::Many(kept(many)))
            }
            Kind::Closed => (kind, Real::Closed(kept(Closed::new(chan, 1, io)))),
            Kind::RecvWith | Kind::ReserveWith => {
                let waiter = task.map_or_else(Waiter::new, |task| {
                    Waiter::with_waker(self.tasks[task].1.clone())
                });
                (kind, Real::Waiter(kept(waiter)))
            }
        };
        self.waits[at] = Some(real);
        let task = task.filter(|_| !kind.pays());
        self.nodes += 1;
        self.model.waits[at] = Some(Wait {
            node: self.nodes,
            kind,
            status: Status::Idle,
            task,
            spent: false,
        });
    }

    /// Compares what can be seen from outside, and the machine inside.
    fn check(&self) {
        let model = &self.model;
        let list = self.chan.lock();
        assert_eq!(list.buffer.len(), model.messages.len());
        assert_eq!(list.closed, model.closed);
        assert_eq!(list.reserved, model.reserved);
        assert_eq!(list.promised, model.promises.len());
        assert_eq!(list.is_over(), model.is_over());
        let rings = [SENDERS, RECEIVERS, SLOTS, PROMISES, WATCHERS].map(|ring| list.count(ring));
        let expected = [
            &model.send_queue,
            &model.receive_queue,
            &model.slots,
            &model.promises,
            &model.watchers,
        ];
        assert_eq!(rings, expected.map(Vec::len));
        drop(list);
        assert_eq!(
            self.chan.can_send(),
            model.closed || model.admits(1).is_ok()
        );
        let can_receive =
            model.is_over() || model.unpromised() != 0 && model.receive_queue.is_empty();
        assert_eq!(self.chan.can_receive(), can_receive);
        let plain = !model.closed && model.send_queue.is_empty() && model.receive_queue.is_empty();
        assert_eq!(
            self.chan.can_send_plainly(),
            plain && model.admits(1).is_ok()
        );
        assert_eq!(self.chan.can_receive_plainly(), plain && can_receive);
        for (task, (wakes, _)) in self.tasks[..NO_TASK].iter().enumerate() {
            assert_eq!(wakes.count(), model.wakes[task], "wakes of task {task}");
        }
    }
}

fn tasks() -> [(Arc<Wakes>, Waker); TASKS] {
    let mut tasks = [(); TASKS].map(|()| counting_waker());
    tasks[NO_TASK].1 = Waker::noop().clone();
    tasks
}

fn poll_real<'a>(
    real: &mut Real<'a>,
    waker: &Waker,
    chan: &'a Chan<Message>,
    is_sender: bool,
    permits: &mut Vec<Permits<'a, Message>>,
) -> Option<Outcome> {
    let mut reserved = |new: Permits<'a, Message>| {
        let n = new.len();
        permits.push(new);
        Outcome::Reserved(n)
    };
    Some(match real {
        Real::Send(send) => match poll(send, waker)? {
            Ok(()) => Outcome::Sent,
            Err(SendError(message)) => Outcome::GaveBack(message),
        },
        Real::Reserve(reserve) => match poll(reserve, waker)? {
            Ok(permits) => reserved(permits),
            Err(SendError(())) => Outcome::Closed,
        },
        Real::Recv(recv) => match poll(recv, waker)? {
            Ok(message) => Outcome::Received(vec![message]),
            Err(RecvError) => Outcome::Closed,
        },
        Real::Many(many) => {
            let count = poll(many, waker)?;
            let received = std::mem::take(there(many).target());
            assert_eq!(received.len(), count);
            Outcome::Received(received)
        }
        Real::Closed(closed) => {
            poll(closed, waker)?;
            Outcome::Closed
        }
        Real::Waiter(waiter) if is_sender => {
            let side = super::wait::Side::Sender;
            match there(waiter).wait(chan, side, |list| chan.publish(&list))? {
                Ok(()) => reserved(Permits::new(chan, 1)),
                Err(_) => Outcome::Closed,
            }
        }
        Real::Waiter(waiter) => {
            let side = super::wait::Side::Receiver;
            match there(waiter).wait(chan, side, |list| chan.take_promised(list))? {
                Ok(message) => Outcome::Received(vec![message]),
                Err(_) => Outcome::Closed,
            }
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(debug_assertions) { 600 } else { 20_000 }))]

    #[test]
    fn agrees_with_the_model(
        capacity in 1..5_usize,
        ops in proptest::collection::vec(op(), 1..120),
    ) {
        let chan = Arc::new(Chan::new(capacity, crate::fairness::Fairness::Fifo));
        let io = Budget::default();
        let mut world = World::new(&chan, &io, capacity);
        for op in ops {
            world.run(op);
            world.check();
        }
    }
}
