//! The subjects that are built in. A new one is a file here and a line in
//! [`all`].

use std::sync::Arc;

use crate::subject::Subject;

/// The methods of a subject whose `mod messages` is made of `tokio/messages.rs`.
macro_rules! messages {
    ($($new:ident($($argument:ident)?) -> $made:ty, $facts:ident;)+) => {$(
        fn $new(&self $(, $argument: usize)?) -> Option<$made> {
            Some(messages::$new($($argument)?))
        }

        fn $facts(&self) -> Vec<crate::subject::SendFact> {
            messages::$facts()
        }
    )+};
    () => {
        messages! {
            new_channel(capacity) -> crate::subject::Channel, channel_send_facts;
            new_oneshot() -> crate::subject::Oneshot, oneshot_send_facts;
            new_watch() -> Box<dyn crate::subject::WatchSender>, watch_send_facts;
            new_broadcast(capacity) -> Box<dyn crate::subject::BroadcastSender>,
                broadcast_send_facts;
            new_cancellation() -> Box<dyn crate::subject::CancellationSubject>,
                cancellation_send_facts;
        }
    };
}

mod anysync;
mod smol;
mod tokio;
mod tokio_drop_in;

pub use self::anysync::{Anysync, AnysyncEventual};
pub use self::smol::Smol;
pub use self::tokio::Tokio;
pub use self::tokio_drop_in::TokioDropIn;

/// All of them; the first is the default.
pub fn all() -> Vec<Arc<dyn Subject>> {
    vec![
        Arc::new(Anysync),
        Arc::new(AnysyncEventual),
        Arc::new(Tokio),
        Arc::new(TokioDropIn),
        Arc::new(Smol),
    ]
}
