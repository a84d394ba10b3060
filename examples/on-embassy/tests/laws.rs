//! Every law, on embassy's executor.

#![forbid(unsafe_code)]

anysync_conformance::main!(anysync_example_embassy::OnEmbassy);
