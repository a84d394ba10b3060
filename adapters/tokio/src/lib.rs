#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod ambient;
mod budget;
mod handle;
mod join;
mod local;
mod runtime;
mod sleep;
pub mod sync;

pub use ambient::Tokio;
pub use anysync;
pub use handle::TokioHandle;
pub use join::TokioJoin;
pub use local::TokioLocal;
pub use runtime::TokioRuntime;
pub use sleep::Sleep;

use budget::poll_spend;

#[doc = include_str!("../MIGRATION.md")]
pub mod migration {}
