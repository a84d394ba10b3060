//! A sender and a receiver of one value.

use super::{Random, compare};

/// A number is which of the end's tasks polls.
#[derive(Clone, Copy, Debug)]
pub(super) enum Op {
    Send,
    PollCanceled(usize),
    PollCancellation(usize),
    DropSender,
    TryRecv,
    PollReceiver(usize),
    Close,
    DropReceiver,
    State,
}

fn draw(random: &mut Random) -> Op {
    let task = random.below(2);
    // What ends things is rare.
    let seldom = random.below(4) == 0;
    match random.below(16) {
        0 if seldom => Op::Send,
        1 if seldom => Op::DropSender,
        2 if seldom => Op::DropReceiver,
        3 if seldom => Op::Close,
        0..5 => Op::PollCanceled(task),
        5 | 6 => Op::PollCancellation(task),
        7 | 8 => Op::TryRecv,
        9..13 => Op::PollReceiver(task),
        _ => Op::State,
    }
}

mod original {
    use futures::channel::oneshot;
    include!("oneshot_world.rs");
}

mod ours {
    use anysync_futures::channel::oneshot;
    include!("oneshot_world.rs");
}

#[test]
fn both_ends() {
    compare(|_| (original::Channel::new(), ours::Channel::new()), draw);
}
