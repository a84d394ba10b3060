//! Random programs against a model that is too simple to be wrong: which ends are
//! there, what is in between, and which end's waker waits.

use core::pin::pin;
use std::boxed::Box;
use std::sync::Arc;
use std::vec::Vec;

use proptest::prelude::*;

use super::*;
use crate::test_util::{Wakes, counting_waker, poll};

const WAKERS: usize = 3;

#[derive(Clone, Copy, Debug)]
enum Step {
    Send,
    DropSender,
    IsClosed,
    /// Asks with that waker; as a future that is dropped afterwards, or not.
    Closed(usize, bool),
    TryRecv,
    Recv(usize, bool),
    Close,
    DropReceiver,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => Just(Step::Send),
        1 => Just(Step::DropSender),
        2 => Just(Step::IsClosed),
        6 => (0..WAKERS, any::<bool>()).prop_map(|(waker, drops)| Step::Closed(waker, drops)),
        3 => Just(Step::TryRecv),
        6 => (0..WAKERS, any::<bool>()).prop_map(|(waker, drops)| Step::Recv(waker, drops)),
        1 => Just(Step::Close),
        1 => Just(Step::DropReceiver),
    ]
}

/// The channel as the model sees it.
#[derive(Debug, Default)]
struct Model {
    sender_gone: bool,
    closed: bool,
    value: Option<usize>,
    /// The receiver has received or is gone.
    over: bool,
    /// Whose waker each end has left behind.
    receiver_waits: Option<usize>,
    sender_waits: Option<usize>,
    wakes: [usize; WAKERS],
}

impl Model {
    fn wake(&mut self, waker: Option<usize>) {
        if let Some(waker) = waker {
            self.wakes[waker] += 1;
        }
    }

    fn send(&mut self, value: usize) -> bool {
        self.drop_sender(|model| model.value = Some(value))
    }

    fn drop_sender(&mut self, with: impl FnOnce(&mut Self)) -> bool {
        self.sender_gone = true;
        self.sender_waits = None;
        if !self.closed {
            with(self);
        }
        let waker = self.receiver_waits.take();
        self.wake(waker);
        !self.closed
    }

    fn close(&mut self) {
        if !self.sender_gone {
            self.closed = true;
            let waker = self.sender_waits.take();
            self.wake(waker);
        }
    }

    fn try_recv(&mut self) -> Result<usize, TryRecvError> {
        if !(self.over || self.closed || self.sender_gone) {
            return Err(TryRecvError::Empty);
        }
        self.over = true;
        self.receiver_waits = None;
        self.value.take().ok_or(TryRecvError::Closed)
    }
}

/// Runs a program on two ends and on the model; each of its outcomes is the same.
fn run<H: Home>(
    (sender, receiver): (Sender<Arc<usize>, H>, Receiver<Arc<usize>, H>),
    program: &[Step],
) -> Result<(), TestCaseError> {
    let value = Arc::new(7);
    let wakers: Vec<(Arc<Wakes>, Waker)> = (0..WAKERS).map(|_| counting_waker()).collect();
    let (mut sender, mut receiver) = (Some(sender), Some(receiver));
    let mut model = Model::default();
    for &step in program {
        match (step, sender.is_some(), receiver.is_some()) {
            (Step::Send, true, _) => {
                let sent = sender.take().unwrap().send(value.clone());
                prop_assert_eq!(sent.is_ok(), model.send(7));
            }
            (Step::DropSender, true, _) => {
                sender = None;
                model.drop_sender(|_| {});
            }
            (Step::IsClosed, true, _) => {
                prop_assert_eq!(sender.as_ref().unwrap().is_closed(), model.closed);
            }
            (Step::Closed(waker, drops), true, _) => {
                let end = sender.as_mut().unwrap();
                let ready = if drops {
                    poll(pin!(end.closed(Bare)), &wakers[waker].1).is_ready()
                } else {
                    end.closed_with(&wakers[waker].1)
                };
                prop_assert_eq!(ready, model.closed);
                model.sender_waits = (!ready && !drops).then_some(waker);
            }
            (Step::TryRecv, _, true) => {
                let outcome = receiver.as_mut().unwrap().try_recv();
                prop_assert_eq!(outcome.map(|value| *value), model.try_recv());
            }
            (Step::Recv(waker, drops), _, true) => {
                let end = receiver.as_mut().unwrap();
                let outcome = if drops {
                    match poll(pin!(end.recv(Bare)), &wakers[waker].1) {
                        Poll::Ready(outcome) => outcome.map_err(TryRecvError::from),
                        Poll::Pending => Err(TryRecvError::Empty),
                    }
                } else {
                    end.recv_with(&wakers[waker].1)
                };
                let expected = model.try_recv();
                prop_assert_eq!(outcome.map(|value| *value), expected);
                let waits = expected == Err(TryRecvError::Empty) && !drops;
                model.receiver_waits = waits.then_some(waker);
            }
            (Step::Close, _, true) => {
                receiver.as_mut().unwrap().close();
                if !model.over {
                    model.close();
                }
            }
            (Step::DropReceiver, _, true) => {
                receiver = None;
                if !model.over {
                    model.close();
                    model.over = true;
                    model.receiver_waits = None;
                    model.value = None;
                }
            }
            _ => {}
        }
        if let Some(receiver) = &receiver {
            prop_assert_eq!(receiver.is_empty(), model.value.is_none());
            prop_assert_eq!(receiver.is_terminated(), model.over);
            let is_complete = model.over || model.closed || model.sender_gone;
            prop_assert_eq!(receiver.is_complete(), is_complete);
        }
        let held = usize::from(model.value.is_some());
        prop_assert_eq!(Arc::strong_count(&value), 1 + held);
        for (index, (wakes, _)) in wakers.iter().enumerate() {
            prop_assert_eq!(wakes.count(), model.wakes[index]);
            let waits = [model.receiver_waits, model.sender_waits];
            let held = waits.iter().filter(|&&waker| waker == Some(index)).count();
            prop_assert_eq!(Arc::strong_count(wakes), 2 + held, "waker {}", index);
        }
    }
    drop((sender, receiver));
    prop_assert_eq!(Arc::strong_count(&value), 1);
    for (wakes, _) in &wakers {
        prop_assert_eq!(Arc::strong_count(wakes), 2);
    }
    Ok(())
}

proptest! {
    #[test]
    fn agrees_with_the_model(programs in proptest::collection::vec(
        proptest::collection::vec(step(), 0..20),
        1..4,
    )) {
        // One slot for all: it is as new each time.
        let mut slot = Box::new(Slot::new());
        for program in &programs {
            run(channel(), program)?;
            run(slot.split(), program)?;
            run(slot.lend().expect("both ends are gone"), program)?;
        }
    }
}
