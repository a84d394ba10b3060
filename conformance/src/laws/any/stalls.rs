//! What one long call holds up.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::cx::Cx;
use crate::laws::stalls::{TRIES, held_up};
use crate::subject::{ChannelSender, Message, Subject};

pub(super) async fn inner_lock_is_short(cx: Cx, subject: Arc<dyn Subject>) {
    let mut asked = false;
    let mut broken = Vec::new();
    if subject.new_channel(1).is_some() {
        asked = true;
        let of = Arc::clone(&subject);
        cx.note("a channel that fills");
        let growth = cx.thread("a channel that fills", move || growth(&*of));
        broken.extend(growth.join().await);
    }
    for place in 0..subject.long_calls(1).len() {
        asked = true;
        let of = Arc::clone(&subject);
        let long = cx.thread("a long call", move || {
            held_up(&|size| of.long_calls(size).swap_remove(place))
        });
        broken.extend(long.join().await);
    }
    if !asked {
        cx.skip(format!("{} has no call that may be long", subject.name()));
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

/// Sends many messages, and looks whether one of the sends takes far longer than they do
/// in the mean: always the same one, where the channel moves all that it holds.
fn growth(subject: &dyn Subject) -> Option<String> {
    const MESSAGES: usize = 1 << 18;
    const FAR: u32 = 1_000;
    let mut shortest = vec![Duration::MAX; MESSAGES];
    let mut total = Duration::MAX;
    for _ in 0..TRIES {
        let (sender, _receiver) = subject.channel(MESSAGES);
        let start = Instant::now();
        for shortest in &mut shortest {
            let took = send_one(&*sender);
            *shortest = took.min(*shortest);
        }
        total = total.min(start.elapsed());
    }
    let mean = total / MESSAGES as u32;
    let (place, longest) = (shortest.iter().enumerate())
        .max_by_key(|(_, took)| **took)
        .expect("there are messages");
    (*longest > mean * FAR && *longest > Duration::from_micros(200)).then(|| {
        format!("Channel: sending message {place} took {longest:?}, and {mean:?} in the mean")
    })
}

fn send_one(sender: &dyn ChannelSender) -> Duration {
    let start = Instant::now();
    let sent = sender.try_send(Message::new(0));
    sent.expect("a channel with a free slot");
    start.elapsed()
}
