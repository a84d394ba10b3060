//! Your own tests, on every backend: [`tests!`](crate::tests!), and what it is
//! made of.

use std::any::type_name;
use std::fmt::{Debug, Write as _};
use std::io::{self, Write as _};
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use crate::backend::{Backend, Capability};
use crate::cx::{Cx, mix};
use crate::erased::BoxFuture;
use crate::harness::{SEED, seed};
use crate::report::{Failure, Outcome};
use crate::runner;
use crate::suite::{self, ROUNDS, random_seed};

/// What a test does.
pub type Body = fn(Cx) -> BoxFuture<'static, ()>;

/// One test on one backend. [`tests!`](crate::tests!) makes them; by hand they are for
/// harnesses of one's own.
///
/// # Examples
///
/// ```
/// use anysync_conformance::backends::sim::Simulated;
/// use anysync_conformance::case::Case;
///
/// let case = Case::new("mine::sum", Simulated, |cx| {
///     Box::pin(async move {
///         let task = cx.spawn("adds", async { 20 + 22 });
///         assert_eq!(task.join().await, 42);
///     })
/// });
/// case.seeds(0..50).run();
/// ```
#[must_use = "it is to be run"]
pub struct Case {
    name: &'static str,
    backend: Arc<dyn Backend>,
    body: Body,
    needs: &'static [Capability],
    seeds: Option<Range<u64>>,
    rounds: u64,
    watchdog: Duration,
}

impl Case {
    /// A test by this name, which is mixed into its seed.
    pub fn new(name: &'static str, backend: impl Backend, body: Body) -> Self {
        Self {
            name,
            backend: Arc::new(backend),
            body,
            needs: &[],
            seeds: None,
            rounds: ROUNDS,
            watchdog: suite::watchdog(),
        }
    }

    /// What the backend must have for it to be run.
    pub fn needs(mut self, needs: &'static [Capability]) -> Self {
        self.needs = needs;
        self
    }

    /// Runs once with each of these seeds, on a backend whose seed [decides the
    /// schedule](Backend::is_drawn); on the others once, with the first.
    ///
    /// # Panics
    ///
    /// If there is none.
    #[track_caller]
    pub fn seeds(mut self, seeds: Range<u64>) -> Self {
        assert!(!seeds.is_empty(), "no seed is in {seeds:?}");
        self.seeds = Some(seeds);
        self
    }

    /// Runs so many times, one at least, each with the next seed, on a backend whose
    /// seed [decides the schedule](Backend::is_drawn); on the others once. It is
    /// [`ROUNDS`] times unless told otherwise.
    pub fn rounds(mut self, rounds: u64) -> Self {
        self.rounds = rounds.max(1);
        self
    }

    /// How long one run may take before it counts as hung:
    /// [`WATCHDOG`](crate::WATCHDOG) unless told otherwise.
    pub fn watchdog(mut self, limit: Duration) -> Self {
        self.watchdog = limit;
        self
    }

    /// Runs it. Where the backend lacks what it needs, the reason goes to the process's
    /// standard error, and nothing is run.
    ///
    /// # Panics
    ///
    /// With all that is known, if it fails.
    #[track_caller]
    pub fn run(self) {
        for seed in self.chosen_seeds() {
            match self.run_once(seed) {
                Outcome::Passed => {}
                Outcome::Skipped(reason) => {
                    let (name, backend) = (self.short_name(), self.backend.name());
                    // Not by `eprintln!`, which the harness of tests holds back.
                    let _ = writeln!(io::stderr(), "– {name} on {backend} skipped: {reason}");
                    return;
                }
                Outcome::Failed(failure) => panic!("{}", self.told(&failure, seed)),
            }
        }
    }

    fn chosen_seeds(&self) -> Range<u64> {
        let mut seeds = match (&self.seeds, seed()) {
            (Some(seeds), None) => seeds.clone(),
            // One of them is to be repeated.
            (Some(_), Some(first)) => first..first.saturating_add(1),
            (None, first) => {
                let first = first.unwrap_or_else(random_seed);
                first..first.saturating_add(self.rounds)
            }
        };
        if !self.backend.is_drawn() {
            seeds.end = seeds.start.saturating_add(1);
        }
        seeds
    }

    fn drawn_seed(&self, seed: u64) -> u64 {
        mix(mix(seed, self.name), self.backend.name())
    }

    fn run_once(&self, seed: u64) -> Outcome {
        let (outcome, _) = runner::run(runner::Check {
            backend: Arc::clone(&self.backend),
            body: Box::new(self.body),
            needs: self.needs.to_vec(),
            seed: self.drawn_seed(seed),
            watchdog: self.watchdog,
            is_alone: false,
            is_trial: false,
        });
        outcome
    }

    /// As libtest has it: without the crate.
    fn short_name(&self) -> &str {
        self.name
            .split_once("::")
            .map_or(self.name, |(_, rest)| rest)
    }

    fn told(&self, failure: &Failure, seed: u64) -> String {
        let (name, backend) = (self.short_name(), self.backend.name());
        let mut text = format!(
            "{name} fails on {backend} (seed {seed})\n{}",
            failure.message
        );
        if !failure.location.is_empty() {
            let _ = write!(text, "\nat {}", failure.location);
        }
        if !failure.dump.is_empty() {
            let _ = write!(text, "\n{}", failure.dump.trim_end());
        }
        if self.backend.is_drawn() {
            let (body, backend) = (self.body, Arc::clone(&self.backend));
            let bodies = move || Box::new(body) as crate::backend::Body;
            let story = runner::retell(backend, bodies, self.drawn_seed(seed), self.watchdog);
            if let Some(story) = story {
                let heading = "the plainest schedule that fails likewise:";
                let _ = write!(text, "\n{heading}\n{}", story.trim_end());
            }
        }
        let _ = write!(text, "\nto repeat it: {SEED}={seed} cargo test {name}");
        text
    }
}

/// What a test may return.
#[doc(hidden)]
pub trait Verdict {
    fn check(self);
}

impl Verdict for () {
    fn check(self) {}
}

impl<E: Debug> Verdict for Result<(), E> {
    #[track_caller]
    fn check(self) {
        if let Err(error) = self {
            panic!("it returned the {} {error:?}", type_name::<E>());
        }
    }
}

/// Async tests that run on every backend, each on each as a test of its own.
///
/// For any test target or `#[cfg(test)]` module, at the level of a module. Each
/// `async fn` becomes a module of that name with a `#[test]` for each backend, so
/// `pool_hands_out_once::smol_local` is a test that can be named to cargo, nextest and
/// an editor. It gets a [`Cx`]: [`cx.runtime()`](Cx::runtime) and [`cx.io()`](Cx::io)
/// are for code that is generic over `anysync`'s traits, and with the rest it starts
/// tasks and threads, draws random numbers and writes notes. Its future has to be
/// `Send`. It fails by a panic, or by a `Result<(), E>` that it returns, with
/// `E: Debug`.
///
/// On `sim` it runs in [`ROUNDS`] schedules. What fails there is told step by step, in
/// the plainest schedule that fails likewise, with the seed; the variable
/// `ANYSYNC_CONFORMANCE_SEED` repeats it.
///
/// | attribute | |
/// |-|-|
/// | `#[require(timer, threads)]` | needs these [capabilities](Capability): where a built-in backend lacks one, the test is *ignored*, with the reason; where one of yours does, the reason is printed |
/// | `#[only(tokio_multi_thread, sim)]` | on these backends and no others |
/// | `#[also(my_executor = MyExecutor)]` | on this [`Backend`], too, which is an expression; in `only` it is allowed as well |
/// | `#[rounds(200)]` | in so many schedules on `sim`, from another seed at each run |
/// | `#[seeds(0..200)]` | with just these seeds on `sim`, at each run the same |
/// | `#[watchdog(120)]` | may take so many seconds, 20 by default |
/// | `#[ignore]`, `#[should_panic]` | as of any test |
/// | others, and docs | go to the function and to its module |
///
/// The backends are `tokio_current_thread`, `tokio_multi_thread`, `async_std`,
/// `smol_global`, `smol_executor`, `smol_local`, `futures_local_pool`,
/// `futures_thread_pool`, `threads`, `mixed` and `sim`.
///
/// It is no attribute macro, `#[anysync_conformance::test]`, since that would be a
/// crate of its own, with a parser of Rust to be built first, and could do no more.
///
/// # Examples
///
/// ```
/// # fn main() {}
/// use std::time::Duration;
///
/// use anysync::{Join, Runtime, Semaphore};
/// use anysync_conformance::cx::Cx;
///
/// /// Code of yours: does `work` in so many tasks, two at a time.
/// async fn in_pairs<R: Runtime>(rt: R, tasks: usize, work: fn()) {
///     let seats = std::sync::Arc::new(Semaphore::new(2));
///     let handles: Vec<_> = (0..tasks)
///         .map(|_| {
///             let (rt, seats) = (rt.clone(), seats.clone());
///             rt.clone().spawn(async move {
///                 let _seat = seats.acquire(&rt).await.expect("it is never closed");
///                 work();
///                 rt.sleep(Duration::from_millis(1)).await;
///             })
///         })
///         .collect();
///     for handle in handles {
///         handle.await.expect("no task panics");
///     }
/// }
///
/// anysync_conformance::tests! {
///     #[require(timer, spawn)]
///     #[rounds(50)]
///     async fn all_pairs_are_done(cx: Cx) {
///         use std::sync::atomic::{AtomicUsize, Ordering};
///         static DONE: AtomicUsize = AtomicUsize::new(0);
///         let before = DONE.load(Ordering::Relaxed);
///         in_pairs(cx.runtime(), 6, || drop(DONE.fetch_add(1, Ordering::Relaxed))).await;
///         assert!(DONE.load(Ordering::Relaxed) >= before + 6);
///     }
///
///     #[only(sim, threads)]
///     async fn time_goes_on(cx: Cx) -> Result<(), anysync::Elapsed> {
///         cx.timeout(Duration::from_secs(9), anysync::yield_now()).await
///     }
/// }
/// ```
#[macro_export]
macro_rules! tests {
    ($($input:tt)*) => {
        $crate::__tests! { @next $($input)* }
    };
}

/// Takes the input apart: the attributes of a test one by one into
/// `[backends] [more backends] [needs] [settings] [for each case] [others]`.
#[doc(hidden)]
#[macro_export]
macro_rules! __tests {
    (@next) => {};
    (@next $($input:tt)+) => {
        $crate::__tests! {
            @test [
                tokio_current_thread, tokio_multi_thread, async_std, smol_global,
                smol_executor, smol_local, futures_local_pool, futures_thread_pool,
                threads, mixed, sim,
            ] [] [] [] [] [] $($input)+
        }
    };
    (@test $on:tt $more:tt $needs:tt $set:tt $case:tt $outer:tt
        #[only($($list:tt)+)] $($rest:tt)*
    ) => {
        $crate::__tests! { @test [$($list)+,] $more $needs $set $case $outer $($rest)* }
    };
    (@test $on:tt [$($more:tt)*] $needs:tt $set:tt $case:tt $outer:tt
        #[also($($list:tt)+)] $($rest:tt)*
    ) => {
        $crate::__tests! { @test $on [$($more)* $($list)+,] $needs $set $case $outer $($rest)* }
    };
    (@test $on:tt $more:tt [$($needs:tt)*] $set:tt $case:tt $outer:tt
        #[require($($what:ident),+ $(,)?)] $($rest:tt)*
    ) => {
        $crate::__tests! { @test $on $more [$($needs)* $($what)+] $set $case $outer $($rest)* }
    };
    (@test $on:tt $more:tt $needs:tt [$($set:tt)*] $case:tt $outer:tt
        #[rounds($rounds:expr)] $($rest:tt)*
    ) => {
        $crate::__tests! {
            @test $on $more $needs [$($set)* .rounds($rounds)] $case $outer $($rest)*
        }
    };
    (@test $on:tt $more:tt $needs:tt [$($set:tt)*] $case:tt $outer:tt
        #[seeds($seeds:expr)] $($rest:tt)*
    ) => {
        $crate::__tests! {
            @test $on $more $needs [$($set)* .seeds($seeds)] $case $outer $($rest)*
        }
    };
    (@test $on:tt $more:tt $needs:tt [$($set:tt)*] $case:tt $outer:tt
        #[watchdog($seconds:expr)] $($rest:tt)*
    ) => {
        $crate::__tests! {
            @test $on $more $needs
            [$($set)* .watchdog(::std::time::Duration::from_secs($seconds))]
            $case $outer $($rest)*
        }
    };
    (@test $on:tt $more:tt $needs:tt $set:tt [$($case:tt)*] $outer:tt
        #[ignore $($why:tt)*] $($rest:tt)*
    ) => {
        $crate::__tests! {
            @test $on $more $needs $set [$($case)* #[ignore $($why)*]] $outer $($rest)*
        }
    };
    (@test $on:tt $more:tt $needs:tt $set:tt [$($case:tt)*] $outer:tt
        #[should_panic $($how:tt)*] $($rest:tt)*
    ) => {
        $crate::__tests! {
            @test $on $more $needs $set [$($case)* #[should_panic $($how)*]] $outer $($rest)*
        }
    };
    (@test $on:tt $more:tt $needs:tt $set:tt $case:tt [$($outer:tt)*]
        #[$($other:tt)*] $($rest:tt)*
    ) => {
        $crate::__tests! {
            @test $on $more $needs $set $case [$($outer)* #[$($other)*]] $($rest)*
        }
    };
    (@test [$($on:tt)*] [$($more:tt)*] $needs:tt $set:tt $case:tt [$($outer:tt)*]
        async fn $name:ident($($cx:tt)*) $(-> $returns:ty)? $body:block $($rest:tt)*
    ) => {
        $($outer)*
        async fn $name($($cx)*) $(-> $returns)? $body

        $($outer)*
        mod $name {
            $crate::__cases! { [$name $needs $set $case] $($on)* $($more)* }
        }

        $crate::__tests! { @next $($rest)* }
    };
    (@test $on:tt $more:tt $needs:tt $set:tt $case:tt $outer:tt $($rest:tt)*) => {
        ::core::compile_error! {
            "a test is an `async fn name(cx: Cx) { .. }`, which may return a `Result<(), E>`"
        }
    };
}

/// A case for each of the backends.
#[doc(hidden)]
#[macro_export]
macro_rules! __cases {
    ($test:tt) => {};
    // A comma after a list that ends with one.
    ($test:tt , $($rest:tt)*) => {
        $crate::__cases! { $test $($rest)* }
    };
    ($test:tt $backend:ident = $value:expr, $($rest:tt)*) => {
        $crate::__case! { @emit $test $backend [] $value }
        $crate::__cases! { $test $($rest)* }
    };
    ([$name:ident [$($needs:tt)*] $set:tt $case:tt] $backend:ident, $($rest:tt)*) => {
        $crate::__case! {
            @look [$name [$($needs)*] $set $case] $backend [$($needs)*]
        }
        $crate::__cases! { [$name [$($needs)*] $set $case] $($rest)* }
    };
}

/// One case; of a built-in backend, after a look at what it lacks. The table is
/// compared with the backends by a test.
#[doc(hidden)]
#[macro_export]
macro_rules! __case {
    (@look $test:tt tokio_multi_thread [spawn_local $($more:ident)*]) => {
        $crate::__case! { @without $test tokio_multi_thread "no spawn_local" }
    };
    (@look $test:tt smol_global [spawn_local $($more:ident)*]) => {
        $crate::__case! { @without $test smol_global "no spawn_local" }
    };
    (@look $test:tt smol_executor [spawn_local $($more:ident)*]) => {
        $crate::__case! { @without $test smol_executor "no spawn_local" }
    };
    (@look $test:tt futures_thread_pool [spawn_local $($more:ident)*]) => {
        $crate::__case! { @without $test futures_thread_pool "no spawn_local" }
    };
    (@look $test:tt threads [spawn_local $($more:ident)*]) => {
        $crate::__case! { @without $test threads "no spawn_local" }
    };
    (@look $test:tt mixed [spawn_local $($more:ident)*]) => {
        $crate::__case! { @without $test mixed "no spawn_local" }
    };
    (@look $test:tt sim [spawn_blocking $($more:ident)*]) => {
        $crate::__case! { @without $test sim "no spawn_blocking" }
    };
    (@look $test:tt sim [threads $($more:ident)*]) => {
        $crate::__case! { @without $test sim "no threads" }
    };
    (@look $test:tt tokio_current_thread [budget $($more:ident)*]) => {
        $crate::__case! { @look $test tokio_current_thread [$($more)*] }
    };
    (@look $test:tt tokio_multi_thread [budget $($more:ident)*]) => {
        $crate::__case! { @look $test tokio_multi_thread [$($more)*] }
    };
    (@look $test:tt $backend:ident [budget $($more:ident)*]) => {
        $crate::__case! { @without $test $backend "no budget" }
    };
    (@look $test:tt $backend:ident [$has:ident $($more:ident)*]) => {
        $crate::__case! { @look $test $backend [$($more)*] }
    };
    (@look $test:tt $backend:ident []) => {
        $crate::__case! { @emit $test $backend [] $crate::__backend!($backend) }
    };
    (@without $test:tt $backend:ident $why:literal) => {
        $crate::__case! { @emit $test $backend [#[ignore = $why]] $crate::__backend!($backend) }
    };
    (@emit [$name:ident [$($need:ident)*] [$($set:tt)*] [$($case:tt)*]]
        $backend:ident [$($ignored:tt)*] $value:expr
    ) => {
        #[test]
        // A test may be ignored for two reasons.
        #[allow(unused_attributes)]
        $($case)*
        $($ignored)*
        fn $backend() {
            // What the settings and the backend name is beside the test.
            #[allow(unused_imports)]
            use super::*;

            let name = ::core::concat!(
                ::core::module_path!(), "::", ::core::stringify!($backend)
            );
            $crate::case::Case::new(name, $value, |cx| {
                ::std::boxed::Box::pin(async move {
                    $crate::case::Verdict::check(super::$name(cx).await)
                })
            })
            .needs(&[$($crate::__capability!($need)),*])
            $($set)*
            .run()
        }
    };
}

/// A built-in backend by its name; a name that is misspelt does not compile.
///
/// ```
/// let _ = anysync_conformance::__backend!(threads);
/// ```
///
/// ```compile_fail
/// let _ = anysync_conformance::__backend!(thread);
/// ```
#[doc(hidden)]
#[macro_export]
macro_rules! __backend {
    (tokio_current_thread) => {
        $crate::backends::tokio::TokioCurrentThread
    };
    (tokio_multi_thread) => {
        $crate::backends::tokio::TokioMultiThread
    };
    (async_std) => {
        $crate::backends::async_std::OnAsyncStd
    };
    (smol_global) => {
        $crate::backends::smol::SmolGlobal
    };
    (smol_executor) => {
        $crate::backends::smol::SmolOwn
    };
    (smol_local) => {
        $crate::backends::smol::OnSmolLocal
    };
    (futures_local_pool) => {
        $crate::backends::futures::OnLocalPool
    };
    (futures_thread_pool) => {
        $crate::backends::futures::OnThreadPool
    };
    (threads) => {
        $crate::backends::threads::OnThreads
    };
    (mixed) => {
        $crate::backends::mixed::Mixed
    };
    (sim) => {
        $crate::backends::sim::Simulated
    };
    ($other:ident) => {
        ::core::compile_error! { ::core::concat!(
            "there is no backend `", ::core::stringify!($other),
            "`; tokio_current_thread, tokio_multi_thread, async_std, smol_global, \
smol_executor, smol_local, futures_local_pool, futures_thread_pool, threads, \
mixed and sim are built in, and `", ::core::stringify!($other),
            " = MyBackend` adds yours"
        ) }
    };
}

/// A capability by its name; a name that is misspelt does not compile.
///
/// ```
/// let _ = anysync_conformance::__capability!(timer);
/// ```
///
/// ```compile_fail
/// let _ = anysync_conformance::__capability!(time);
/// ```
#[doc(hidden)]
#[macro_export]
macro_rules! __capability {
    (timer) => {
        $crate::backend::Capability::Timer
    };
    (spawn) => {
        $crate::backend::Capability::Spawn
    };
    (spawn_local) => {
        $crate::backend::Capability::SpawnLocal
    };
    (spawn_blocking) => {
        $crate::backend::Capability::SpawnBlocking
    };
    (block_on) => {
        $crate::backend::Capability::Block
    };
    (budget) => {
        $crate::backend::Capability::Budget
    };
    (threads) => {
        $crate::backend::Capability::Threads
    };
    ($other:ident) => {
        ::core::compile_error! { ::core::concat!(
            "there is no capability `", ::core::stringify!($other),
            "`; timer, spawn, spawn_local, spawn_blocking, block_on, budget and threads can be \
required"
        ) }
    };
}
