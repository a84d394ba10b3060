//! The primitives that smol brings, by what their documentation promises.

use std::cell::Cell;
use std::rc::Rc;

use crate::send_facts;
use crate::subject::{Channel, SendFact, Subject};

mod channel;

/// `async-channel`.
///
/// It promises no order of those who wait, and has no handle of an executor: its
/// waits spend nothing of any budget.
#[derive(Clone, Copy, Debug, Default)]
pub struct Smol;

impl Subject for Smol {
    fn name(&self) -> &str {
        "smol"
    }

    fn new_channel(&self, capacity: usize) -> Option<Channel> {
        let (sender, receiver) = async_channel::bounded(capacity);
        Some((Box::new(sender), Box::new(receiver)))
    }

    fn channel_send_facts(&self) -> Vec<SendFact> {
        send_facts![
            async_channel::Sender<Cell<u32>>: true,
            async_channel::Sender<Rc<u32>>: false,
            async_channel::Receiver<Cell<u32>>: true,
            async_channel::Receiver<Rc<u32>>: false,
            async_channel::Send<'static, Cell<u32>>: true,
            async_channel::Send<'static, Rc<u32>>: false,
            async_channel::Recv<'static, Cell<u32>>: true,
            async_channel::Recv<'static, Rc<u32>>: false,
        ]
    }
}
