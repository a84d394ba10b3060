//! Senders and a receiver.

use super::{Random, compare};

#[derive(Clone, Copy, Debug)]
pub(super) enum Op {
    Sender(usize, SenderOp),
    Receiver(ReceiverOp),
}

/// A number is which of the tasks polls, or the other sender.
#[derive(Clone, Copy, Debug)]
pub(super) enum SenderOp {
    TrySend,
    StartSend,
    PollReady(usize),
    PollFlush(usize),
    PollClose(usize),
    /// A future of `SinkExt` that is dropped after its first poll.
    Send(usize),
    Feed(usize),
    Clone,
    Drop,
    Disconnect,
    CloseChannel,
    State,
    SameReceiver(usize),
}

#[derive(Clone, Copy, Debug)]
pub(super) enum ReceiverOp {
    TryRecv,
    TryNext,
    PollNext(usize),
    PollRecv(usize),
    Close,
    Drop,
    State,
}

fn draw(random: &mut Random) -> Op {
    use {ReceiverOp as R, SenderOp as S};
    let task = random.below(2);
    let other = random.below(6);
    // What ends things is rare.
    let seldom = random.below(20) == 0;
    if random.below(3) == 0 {
        return Op::Receiver(match random.below(12) {
            0..4 => R::TryRecv,
            4..8 => R::PollNext(task),
            8 => R::PollRecv(task),
            9 => R::TryNext,
            10 if seldom => R::Close,
            11 if seldom => R::Drop,
            _ => R::State,
        });
    }
    let op = match random.below(18) {
        0..4 => S::TrySend,
        4 => S::StartSend,
        5..9 => S::PollReady(task),
        9 => S::PollFlush(task),
        10 => S::Send(task),
        11 => S::Feed(task),
        12 => S::Clone,
        13 if random.below(2) == 0 => S::Drop,
        14 if seldom => S::Disconnect,
        15 if seldom => S::CloseChannel,
        16 if seldom => S::PollClose(task),
        17 => S::SameReceiver(other),
        _ => S::State,
    };
    Op::Sender(random.below(6), op)
}

mod original {
    use futures::channel::mpsc;
    include!("mpsc_world.rs");
}

mod ours {
    use anysync_futures::channel::mpsc;
    include!("mpsc_world.rs");
}

#[test]
fn bounded() {
    let start = |random: &mut Random| {
        let buffer = random.below(4);
        (original::bounded(buffer), ours::bounded(buffer))
    };
    compare(start, draw);
}

#[test]
fn unbounded() {
    compare(|_| (original::unbounded(), ours::unbounded()), draw);
}
