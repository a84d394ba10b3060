//! The backends that are built in. A new one is a file here and a line in
//! [`all`].

use std::sync::Arc;

use crate::backend::Backend;

pub mod async_std;
pub mod futures;
pub mod mixed;
pub mod sim;
pub mod smol;
pub mod threads;
pub mod tokio;

/// Why an executor lacks the capability `Budget`.
const NO_BUDGET: &str = "it has no cooperative budget, so `poll_spend` is always ready";

/// All of them, in the order of the report.
pub fn all() -> Vec<Arc<dyn Backend>> {
    vec![
        Arc::new(tokio::TokioCurrentThread),
        Arc::new(tokio::TokioMultiThread),
        Arc::new(async_std::OnAsyncStd),
        Arc::new(smol::SmolGlobal),
        Arc::new(smol::SmolOwn),
        Arc::new(smol::OnSmolLocal),
        Arc::new(futures::OnLocalPool),
        Arc::new(futures::OnThreadPool),
        Arc::new(threads::OnThreads),
        Arc::new(mixed::Mixed),
        Arc::new(sim::Simulated),
    ]
}
