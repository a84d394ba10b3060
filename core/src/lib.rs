//! Placeholder.
#![no_std]
#[cfg(feature = "alloc")]
extern crate alloc;
#[cfg(any(feature = "std", test))]
extern crate std;

pub mod action;
mod callback;
pub mod io;
pub mod notify;
mod primitive;
mod wait_list;
mod wake_batch;

pub use io::{Bare, Io, Timer, yield_now, Elapsed};
#[cfg(feature = "std")]
pub use io::Block;
#[cfg(feature = "alloc")]
pub use io::{Join, JoinError, Runtime, Spawn, SpawnBlocking, SpawnLocal};
pub use notify::Notify;
