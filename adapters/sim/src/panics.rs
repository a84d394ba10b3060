//! Panics of simulated code: kept for the report, with their places, and not
//! printed once for each of a thousand schedules.

use std::any::Any;
use std::cell::RefCell;
use std::panic;
use std::sync::Once;

/// A panic that went through the hook.
#[derive(Clone, Debug)]
pub(crate) struct Panic {
    pub(crate) message: String,
    pub(crate) location: String,
}

std::thread_local! {
    static KEPT: RefCell<Option<Vec<Panic>>> = const { RefCell::new(None) };
}

/// Runs `code`, and returns with its result the panics that happened on this
/// thread meanwhile, of which nothing was printed.
pub(crate) fn keep<T>(code: impl FnOnce() -> T) -> (T, Vec<Panic>) {
    struct Restore(Option<Option<Vec<Panic>>>);

    impl Drop for Restore {
        fn drop(&mut self) {
            if let Some(outer) = self.0.take() {
                KEPT.with(|kept| *kept.borrow_mut() = outer);
            }
        }
    }

    install_hook();
    let mut restore = Restore(Some(KEPT.with(|kept| kept.replace(Some(Vec::new())))));
    let result = code();
    let outer = restore.0.take().flatten();
    let panics = KEPT.with(|kept| kept.replace(outer)).unwrap_or_default();
    (result, panics)
}

/// Whoever sets another hook later may keep this one or not: without it, the
/// panics are printed, and reports do not know their places.
fn install_hook() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        let outer = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            let is_kept = KEPT.try_with(|kept| match kept.try_borrow_mut() {
                Ok(mut kept) => match &mut *kept {
                    Some(panics) => {
                        panics.push(Panic {
                            message: message_of(info.payload()),
                            location: info
                                .location()
                                .map_or_else(String::new, ToString::to_string),
                        });
                        true
                    }
                    None => false,
                },
                Err(_) => false,
            });
            if !is_kept.unwrap_or(false) {
                outer(info);
            }
        }));
    });
}

/// The text of a panic.
pub(crate) fn message_of(payload: &(dyn Any + Send)) -> String {
    if let Some(text) = payload.downcast_ref::<&'static str>() {
        (*text).to_owned()
    } else if let Some(text) = payload.downcast_ref::<String>() {
        text.clone()
    } else {
        "a panic without a message".to_owned()
    }
}
