//! What carries messages.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};

use anysync::yield_now;

use super::{Scene, Sums, Worker};
use crate::cx::{Dropped, Gate};
use crate::subject::{
    ChannelReceiver, ChannelSender, Message, Missed, NoMessage, Promise, SendRefused, Token,
};

/// A message for each number of each sender: whether it was sent, and how often it
/// came.
struct Ledger {
    size: usize,
    sent: Vec<AtomicU8>,
    came: Vec<AtomicU8>,
}

impl Ledger {
    fn new(senders: usize, size: usize) -> Arc<Self> {
        let zeros = || (0..senders * size).map(|_| AtomicU8::new(0)).collect();
        Arc::new(Self {
            size,
            sent: zeros(),
            came: zeros(),
        })
    }

    fn number(&self, sender: usize, place: usize) -> u64 {
        (sender * self.size + place) as u64
    }

    fn sent(&self, number: u64) {
        self.sent[number as usize].fetch_add(1, Ordering::Relaxed);
    }

    fn came(&self, number: u64) {
        let before = self.came[number as usize].fetch_add(1, Ordering::Relaxed);
        assert_eq!(before, 0, "message {number} came twice");
    }

    /// That what was sent came, and nothing else.
    fn check(&self) {
        for (number, (sent, came)) in self.sent.iter().zip(&self.came).enumerate() {
            let (sent, came) = (sent.load(Ordering::Relaxed), came.load(Ordering::Relaxed));
            assert_eq!(sent, came, "times sent and received of message {number}");
        }
    }
}

/// The newest message of each sender that a receiver has seen.
struct InOrder {
    size: usize,
    newest: Vec<Option<u64>>,
}

impl InOrder {
    fn new(senders: usize, size: usize) -> Self {
        Self {
            size,
            newest: vec![None; senders],
        }
    }

    fn see(&mut self, number: u64) {
        let newest = &mut self.newest[number as usize / self.size];
        if let Some(newest) = *newest {
            assert!(
                newest < number,
                "message {number} came after message {newest} of the same sender"
            );
        }
        *newest = Some(number);
    }
}

const SENDERS: usize = 3;

/// What a sender or a receiver has done.
#[derive(Default)]
struct Done {
    made: u64,
    sent: u64,
    returned: u64,
    given_up: u64,
    received: u64,
}

/// Many senders, as many receivers as the subject allows; in half of the epochs
/// the channel is closed in the middle.
pub(super) async fn channel(mut scene: Scene) -> Sums {
    let capacity = scene.rng.pick(1..9);
    let (sender, receiver) = scene.subject.channel(capacity);
    let reserves = scene.subject.promises().contains(&Promise::Reserve);
    let size = scene.size;
    let (ledger, drops) = (Ledger::new(SENDERS, size), Dropped::new());
    let closes_after = if scene.rng.coin() {
        scene.rng.pick(0..SENDERS * size) as u64
    } else {
        u64::MAX
    };

    let done = Gate::new();
    let second = receiver.another();
    let third = receiver.another();
    // A receiver that is aborted: what it has is counted before it is asked again.
    let by_aborted = Arc::new(AtomicU64::new(0));
    let third: Option<Arc<dyn ChannelReceiver>> = third.map(Arc::from);
    let aborted = third.clone().map(|third| {
        let (ledger, by_aborted) = (Arc::clone(&ledger), Arc::clone(&by_aborted));
        scene.aborted(&done, move |own: Worker| {
            let (third, ledger) = (Arc::clone(&third), Arc::clone(&ledger));
            let by_aborted = Arc::clone(&by_aborted);
            async move {
                if let Some(message) = third.recv(&own.io).await {
                    ledger.came(message.number());
                    by_aborted.fetch_add(1, Ordering::Relaxed);
                }
            }
        })
    });
    // A thread may be the second of a team: then there is a sender on each side.
    let mut ends: Vec<Option<End>> = (0..SENDERS)
        .map(|_| Some(End::Sender(sender.another())))
        .collect();
    drop(sender);
    ends.push(Some(End::Receiver(receiver)));
    ends.extend(second.map(|second| Some(End::Receiver(second))));
    let ends = std::sync::Mutex::new(ends);
    let total = Arc::new(AtomicU64::new(0));
    let count = ends.lock().expect("nobody has panicked").len();
    let team = scene.team(count, |own| {
        let end = ends.lock().expect("nobody has panicked")[own.number].take();
        let (ledger, drops, total) = (Arc::clone(&ledger), drops.clone(), Arc::clone(&total));
        async move {
            match end.expect("one for each") {
                End::Sender(sender) => send_all(own, &*sender, &ledger, &drops, reserves).await,
                End::Receiver(receiver) => {
                    receive_all(own, &*receiver, &ledger, &total, closes_after).await
                }
            }
        }
    });
    let team = team.await;
    done.open();
    let aborts = match aborted {
        Some(aborted) => aborted.join().await,
        None => 0,
    };
    // What a wait had that was aborted after the others had gone.
    let mut left = 0;
    while let Some(Ok(message)) = third.as_ref().map(|third| third.try_recv()) {
        ledger.came(message.number());
        left += 1;
    }
    drop(third);

    ledger.check();
    let sum = |of: fn(&Done) -> u64| team.iter().map(of).sum::<u64>();
    let received = sum(|done| done.received) + by_aborted.load(Ordering::Relaxed) + left;
    Sums::default()
        .equal(
            &[("sent", sum(|done| done.sent))],
            &[("received", received)],
        )
        .equal(
            &[("made", sum(|done| done.made))],
            &[("dropped in the end", drops.count() as u64)],
        )
        .note("returned", sum(|done| done.returned))
        .note("given up", sum(|done| done.given_up))
        .note("aborted", aborts)
}

enum End {
    Sender(Box<dyn ChannelSender>),
    Receiver(Box<dyn ChannelReceiver>),
}

async fn send_all(
    mut own: Worker,
    sender: &dyn ChannelSender,
    ledger: &Ledger,
    drops: &Dropped,
    reserves: bool,
) -> Done {
    let io = own.io.clone();
    let mut done = Done::default();
    for place in 0..ledger.size {
        let number = ledger.number(own.number, place);
        let message = Message::counted(number, drops);
        done.made += 1;
        let refused = match own.rng.pick(0..4) {
            0 => match sender.try_send(message) {
                Ok(()) => None,
                Err(SendRefused::Full(message) | SendRefused::Closed(message)) => Some(message),
            },
            1 if reserves => {
                let wait = sender.reserve(&io).expect("it is promised");
                match own.try_wait(wait).await {
                    Some(Some(permit)) => {
                        own.dawdle().await;
                        // Counted first: the other side may be faster.
                        ledger.sent(number);
                        permit.send(message);
                        done.sent += 1;
                        continue;
                    }
                    Some(None) | None => Some(message),
                }
            }
            _ => match own.try_wait(sender.send(&io, message)).await {
                Some(Ok(())) => None,
                Some(Err(message)) => Some(message),
                None => {
                    done.given_up += 1;
                    continue;
                }
            },
        };
        match refused {
            None => {
                ledger.sent(number);
                done.sent += 1;
            }
            Some(message) => {
                assert_eq!(message.number(), number, "the message that came back");
                done.returned += 1;
                yield_now().await;
            }
        }
    }
    done
}

async fn receive_all(
    mut own: Worker,
    receiver: &dyn ChannelReceiver,
    ledger: &Ledger,
    total: &AtomicU64,
    closes_after: u64,
) -> Done {
    let io = own.io.clone();
    let mut done = Done::default();
    let mut order = InOrder::new(SENDERS, ledger.size);
    loop {
        let message = if own.rng.pick(0..6) == 0 {
            match receiver.try_recv() {
                Ok(message) => message,
                Err(NoMessage::Closed) => return done,
                Err(NoMessage::Empty) => {
                    yield_now().await;
                    continue;
                }
            }
        } else {
            match own.try_wait(receiver.recv(&io)).await {
                Some(Some(message)) => message,
                Some(None) => return done,
                None => {
                    done.given_up += 1;
                    continue;
                }
            }
        };
        order.see(message.number());
        ledger.came(message.number());
        done.received += 1;
        if total.fetch_add(1, Ordering::Relaxed) == closes_after {
            receiver.close();
        }
    }
}

/// Pairs, of which each end may go without a word.
pub(super) async fn oneshot(mut scene: Scene) -> Sums {
    let drops = Dropped::new();
    let (mut made, mut sent, mut returned, mut received, mut unseen) = (0, 0, 0, 0, 0);
    let mut given_up = 0;
    for _ in 0..scene.size {
        let (sender, mut receiver) = scene.subject.oneshot();
        let io = scene.cx.io();
        let mut own = scene.worker(0, io.clone());
        let message = own.rng.pick(0..4) != 0;
        let message = message.then(|| Message::counted(1, &drops));
        made += u64::from(message.is_some());
        let is_sent = message.is_some();
        let sending = scene.cx.spawn("sender", async move {
            own.dawdle().await;
            match message {
                Some(message) => sender.send(message),
                None => {
                    drop(sender);
                    Ok(())
                }
            }
        });
        let mut own = scene.worker(1, io);
        let gives_up = own.rng.pick(0..4) == 0;
        let receiving = scene.cx.spawn("receiver", async move {
            let io = own.io.clone();
            let mut given_up = 0;
            loop {
                match own.try_wait(receiver.recv(&io)).await {
                    Some(message) => return (Some(message.is_some()), given_up),
                    None if gives_up => return (None, given_up + 1),
                    None => given_up += 1,
                }
            }
        });
        let sender_got = sending.join().await;
        let (receiver_got, waits_given_up) = receiving.join().await;
        given_up += waits_given_up;
        match (is_sent, sender_got, receiver_got) {
            (false, _, Some(came)) => assert!(!came, "a message of nobody"),
            (false, _, None) => {}
            (true, Ok(()), Some(came)) => {
                assert!(came, "a message was sent and is not there");
                (sent, received) = (sent + 1, received + 1);
            }
            // Sent in time, and dropped with the receiver.
            (true, Ok(()), None) => (sent, unseen) = (sent + 1, unseen + 1),
            (true, Err(_), Some(_)) => panic!("refused, and the receiver was there to the end"),
            (true, Err(_), None) => returned += 1,
        }
    }
    Sums::default()
        .equal(
            &[("sent", sent)],
            &[
                ("received", received),
                ("dropped with their receivers", unseen),
            ],
        )
        .equal(
            &[("made", made)],
            &[("dropped in the end", drops.count() as u64)],
        )
        .note("returned", returned)
        .note("given up", given_up)
}

/// A value that only grows; every receiver has the last one in the end.
pub(super) async fn watch(mut scene: Scene) -> Sums {
    const TEAM: usize = 4;
    let sender = scene.subject.watch();
    let receivers: Vec<_> = (1..TEAM).map(|_| Some(sender.subscribe())).collect();
    let receivers = std::sync::Mutex::new(receivers);
    let sender = std::sync::Mutex::new(Some(sender));
    let last = scene.size as u64;
    let team = scene.team(TEAM, |mut own| {
        let mut sender = sender.lock().expect("nobody has panicked");
        let sender = if own.number == 0 { sender.take() } else { None };
        let mut receivers = receivers.lock().expect("nobody has panicked");
        let receiver = own.number.checked_sub(1);
        let receiver = receiver.and_then(|place| receivers[place].take());
        async move {
            let io = own.io.clone();
            if let Some(sender) = sender {
                for value in 1..=last {
                    sender.send(value);
                    own.dawdle().await;
                }
                return (0, 0, 0);
            }
            let mut receiver = receiver.expect("one for each");
            let (mut newest, mut seen, mut given_up) = (0, 0, 0);
            loop {
                match own.try_wait(receiver.changed(&io)).await {
                    Some(true) => {
                        let value = receiver.get_and_see();
                        assert!(value > newest, "told of {value} after {newest}");
                        newest = value;
                        seen += 1;
                    }
                    Some(false) => return (u64::from(newest == last), seen, given_up),
                    None => given_up += 1,
                }
            }
        }
    });
    let team = team.await;
    Sums::default()
        .equal(
            &[("receivers", TEAM as u64 - 1)],
            &[(
                "saw the last value",
                team.iter().map(|(last, ..)| last).sum(),
            )],
        )
        .note("sent", last)
        .note("seen", team.iter().map(|(_, seen, _)| seen).sum())
        .note("given up", team.iter().map(|(.., given_up)| given_up).sum())
}

/// Every receiver gets every message, or is told how many it has missed.
pub(super) async fn broadcast(mut scene: Scene) -> Sums {
    const SENDERS: usize = 2;
    const RECEIVERS: usize = 3;
    let capacity = scene.rng.pick(1..17);
    let sender = scene.subject.broadcast(capacity);
    let size = scene.size;
    let receivers: Vec<_> = (0..RECEIVERS).map(|_| Some(sender.subscribe())).collect();
    let senders: Vec<_> = (0..SENDERS).map(|_| Some(sender.another())).collect();
    drop(sender);
    let (senders, receivers) = (
        std::sync::Mutex::new(senders),
        std::sync::Mutex::new(receivers),
    );
    let drops = Dropped::new();
    let team = scene.team(SENDERS + RECEIVERS, |mut own| {
        let drops = drops.clone();
        let number = own.number;
        let is_sender = number < SENDERS;
        let sender = is_sender.then(|| senders.lock().expect("nobody has panicked")[number].take());
        let receiver = (!is_sender)
            .then(|| receivers.lock().expect("nobody has panicked")[number - SENDERS].take());
        async move {
            let io = own.io.clone();
            let (mut received, mut missed, mut given_up) = (0, 0, 0);
            if let Some(sender) = sender {
                let sender = sender.expect("one for each");
                for place in 0..size {
                    let message = (number * size + place) as u64;
                    let message = Arc::new(Token::counted(message, &drops));
                    sender.send(message).expect("there are receivers");
                    own.dawdle().await;
                }
                return (received, missed, given_up);
            }
            let mut receiver = receiver.flatten().expect("one for each");
            let mut order = InOrder::new(SENDERS, size);
            loop {
                let came = if own.rng.pick(0..6) == 0 {
                    Some(receiver.try_recv())
                } else {
                    own.try_wait(receiver.recv(&io)).await
                };
                match came {
                    Some(Ok(message)) => {
                        order.see(message.number());
                        received += 1;
                    }
                    Some(Err(Missed::Lagged(count))) => missed += count,
                    Some(Err(Missed::Closed)) => return (received, missed, given_up),
                    Some(Err(Missed::Empty)) => yield_now().await,
                    None => given_up += 1,
                }
            }
        }
    });
    let team = team.await;
    let sent = (SENDERS * size) as u64;
    Sums::default()
        .equal(
            &[("to receive", sent * RECEIVERS as u64)],
            &[
                ("received", team.iter().map(|(received, ..)| received).sum()),
                (
                    "told as missed",
                    team.iter().map(|(_, missed, _)| missed).sum(),
                ),
            ],
        )
        .equal(
            &[("made", sent)],
            &[("dropped in the end", drops.count() as u64)],
        )
        .note("given up", team.iter().map(|(.., given_up)| given_up).sum())
}
