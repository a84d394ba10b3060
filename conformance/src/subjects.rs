//! The subjects that are built in. A new one is a file here and a line in
//! [`all`].

use std::sync::Arc;

use crate::subject::Subject;

mod anysync;
mod smol;
mod tokio;

pub use self::anysync::{Anysync, AnysyncEventual};
pub use self::smol::Smol;
pub use self::tokio::Tokio;

/// All of them; the first is the default.
pub fn all() -> Vec<Arc<dyn Subject>> {
    vec![
        Arc::new(Anysync),
        Arc::new(AnysyncEventual),
        Arc::new(Tokio),
        Arc::new(Smol),
    ]
}
