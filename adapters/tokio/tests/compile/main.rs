//! What compiles with tokio's own compiles with the drop-in: one body over both. What
//! cannot is said here, and in `MIGRATION.md`.

#![forbid(unsafe_code)]

/// The bodies, each with the module that it is about by the name `sync`; that of
/// `CancellationToken`, which is in another crate, by the name `util`.
macro_rules! sides {
    ($($side:ident: $sync:path, $util:path;)*) => {$(
        mod $side {
            #[allow(unused_imports, unused_assignments, unused_variables)]
            mod drops {
                use $sync as sync;
                use $util as util;
                include!("drops.rs");
            }
            #[allow(clippy::type_complexity)]
            pub(crate) mod traits {
                use $sync as sync;
                use $util as util;
                include!("traits.rs");
            }
            #[allow(dead_code, unused_imports)]
            mod variance {
                use $sync as sync;
                use $util as util;
                include!("variance.rs");
            }
        }
    )*};
}

sides! {
    original: tokio::sync, tokio_util::sync;
    ours: anysync_tokio::sync, anysync_tokio::sync;
}

/// The traits that only one side has.
#[test]
fn traits() {
    use anysync_adapter_tests::compile::differences;
    let mut found = differences(&original::traits::rows(), &ours::traits::rows());
    if cfg!(feature = "tracing") {
        // The console is told when a primitive is dropped.
        found.retain(|it| !it.contains(" lacks free of drop: "));
    }
    assert_eq!(found, [""; 0], "{found:#?}");
}
