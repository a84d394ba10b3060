//! What compiles with async-std's own compiles with the drop-in: one body over both. What
//! cannot is said here, and in `MIGRATION.md`.

#![forbid(unsafe_code)]

/// The bodies, each with the module that it is about by the name `sync`.
macro_rules! sides {
    ($($side:ident: $sync:path;)*) => {$(
        mod $side {
            #[allow(clippy::type_complexity)]
            pub(crate) mod traits {
                use $sync as sync;
                include!("traits.rs");
            }
        }
    )*};
}

sides! {
    original: async_std::sync;
    ours: anysync_async_std::sync;
}

/// The traits that only one side has.
#[test]
fn traits() {
    use anysync_adapter_tests::compile::differences;
    let found = differences(&original::traits::rows(), &ours::traits::rows());
    assert_eq!(found, [""; 0], "{found:#?}");
}
