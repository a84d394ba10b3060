#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod builder;
mod choose;
mod panics;
mod place;
mod report;
mod shrink;
mod sim;
mod world;

pub use anysync;
pub use builder::{Builder, Explored, SEED};
pub use choose::Strategy;
pub use report::{Failure, FailureKind};
pub use sim::{Instant, JoinHandle, Sim, Sleep, TaskBuilder, Waiting};
