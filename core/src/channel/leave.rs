//! How a future of a channel, which may outlive the handle that it came from and the
//! messages, leaves the queue.

use super::chan::Chan;
use super::wait::{Side, leave};
use crate::wait_list::{Leave, TicketOf};

macro_rules! sides {
    ($($name:ident = $number:literal, $side:ident;)*) => {$(
        /// What the future waits for; see [`Side`].
        pub(super) const $name: usize = $number;

        // SAFETY: a wait has no message before it takes one, and takes none here. When the
        // last receiver goes it takes all messages with it, and none comes after; so where
        // no handle is, there is none.
        unsafe impl<T> Leave<$name> for Chan<T> {
            fn leave(&self, ticket: TicketOf<'_, Self>) {
                leave(Side::$side, self, ticket);
            }
        }
    )*};
}

sides! {
    SENDER = 0, Sender;
    RECEIVER = 1, Receiver;
    WATCHER = 2, Watcher;
}
