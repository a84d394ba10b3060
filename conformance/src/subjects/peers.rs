//! The peers: other people's primitives, behind the feature `peers`.
//!
//! Each is judged by what its own documentation promises. Names and types are
//! translated here and no more; where it took more, [`Subject::adapted`] says so.

use std::sync::Arc;

use crate::subject::Subject;

mod asyncband;
mod crossfire;
mod embassy;
mod flume;
mod futures_intrusive;
mod kanal;
mod maitake;

pub use self::asyncband::Asyncband;
pub use self::crossfire::Crossfire;
pub use self::embassy::Embassy;
pub use self::flume::Flume;
pub use self::futures_intrusive::FuturesIntrusive;
pub use self::kanal::Kanal;
pub use self::maitake::Maitake;

/// All of them.
pub(super) fn all() -> Vec<Arc<dyn Subject>> {
    vec![
        Arc::new(Asyncband),
        Arc::new(FuturesIntrusive),
        Arc::new(Maitake),
        Arc::new(Kanal),
        Arc::new(Crossfire),
        Arc::new(Flume),
        Arc::new(Embassy),
    ]
}
