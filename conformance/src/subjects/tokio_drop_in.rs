//! `anysync_tokio::sync`, the drop-in for `tokio::sync`.

use crate::subject::{Promise, Subject};

/// `anysync_tokio::sync`, by the same body as [`Tokio`](super::Tokio): what passes
/// messages, and the token.
///
/// It departs from the laws where the original documents otherwise: a wait for a
/// token spends nothing from the budget, since it is ready whenever the token is
/// cancelled, and `run_until_cancelled` prefers the future.
#[derive(Clone, Copy, Debug, Default)]
pub struct TokioDropIn;

impl Subject for TokioDropIn {
    fn name(&self) -> &str {
        "tokio-drop-in"
    }

    fn promises(&self) -> &[Promise] {
        &[Promise::FifoSenders, Promise::Reserve]
    }

    messages!();
}

mod messages {
    use anysync_tokio::sync;
    use anysync_tokio::sync as util;

    include!("tokio/messages.rs");
}
