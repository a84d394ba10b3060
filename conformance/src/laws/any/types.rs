//! What the compiler has decided.

use std::sync::Arc;

use crate::cx::Cx;
use crate::subject::Waiting;

pub(super) async fn usable_in_a_static(cx: Cx, waiting: Arc<dyn Waiting>) {
    if !waiting.fits_a_static() {
        return;
    }
    if let Err(reason) = waiting.use_static(&cx.io()) {
        panic!("{reason}");
    }
}

pub(super) async fn wait_stays_send(cx: Cx, waiting: Arc<dyn Waiting>) {
    let facts = waiting.send_facts();
    if facts.is_empty() {
        cx.skip(format!("{} lists no types", waiting.name()));
    }
    let wrong: Vec<String> = facts
        .iter()
        .filter(|fact| fact.is_send != fact.must_be)
        .map(|fact| {
            let not = if fact.is_send { "" } else { "not " };
            format!("`{}` is {not}Send", fact.what)
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join(", "));
}
