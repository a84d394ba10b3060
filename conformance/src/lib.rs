#![doc = include_str!("../README.md")]
//!
//! # The parts
//!
//! A *law* ([`law::Law`]) is a property with an identifier and a check. A
//! *subject* ([`subject::Subject`]) is a library of primitives that laws are
//! about. A *backend* ([`backend::Backend`]) is an executor on which they run.
//! A [`Suite`] runs each chosen law for each subject on each backend, and its
//! [`Report`](report::Report) is the matrix.
//!
//! # To add
//!
//! - **a law**: an `async fn(Cx, Arc<dyn Subject>)` that panics when it is
//!   broken, and its entry in `LAWS` of the group's file in `src/laws/` (a new
//!   group is a file and a line in `src/laws.rs`). It waits through [`cx::Cx`],
//!   with labels, so that a hang can tell who waited on what. It declares the
//!   capabilities that it uses by `.needs(&[..])`. It gates on states
//!   ([`cx::Gate`], [`cx::Cx::spawn_queued`], [`cx::Cx::until`]), never on time.
//! - **a mutant** that the law kills: an entry in `mutants::all`.
//! - **a kind of primitive**: a trait in `src/subject/`, a constructor in
//!   [`subject::Subject`] that returns `None` by default, an arm in
//!   `<dyn Subject>::has`, and its [`subject::Waiting`]s in
//!   `<dyn Subject>::waitings`.
//! - **a subject**: a file in `src/subjects/`, a line in [`subjects::all`]; your
//!   own goes to [`Suite::subject`].
//! - **a backend**: a file in `src/backends/`, a line in [`backends::all`]; your
//!   own goes to [`Suite::backend`].

#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod backend;
pub mod backends;
pub mod book;
pub mod case;
pub mod cx;
mod erased;
pub mod harness;
mod known;
pub mod law;
pub mod laws;
mod log;
pub mod mutants;
pub mod report;
mod runner;
pub mod soak;
pub mod subject;
pub mod subjects;
mod suite;
pub mod wakers;

#[doc(no_inline)]
pub use async_trait::async_trait;

pub use erased::{BoxFuture, LocalBoxFuture, Moment};
pub use known::{BadDay, Day};
pub use suite::{Check, ROUNDS, Suite, WATCHDOG, WATCHDOG_VARIABLE, random_seed};

#[doc = include_str!("../CI.md")]
pub mod ci {}
