use std::boxed::Box;
use std::format;
use std::string::{String, ToString};

use crate::JoinError;

#[test]
fn cancellation_says_so() {
    let error = JoinError::cancelled();
    assert!(error.is_cancelled() && !error.is_panic());
    assert_eq!(error.to_string(), "the task was cancelled");
    assert_eq!(format!("{error:?}"), "JoinError::Cancelled");
    let error = error.try_into_panic().unwrap_err();
    assert!(error.is_cancelled());
}

#[test]
fn panic_shows_its_text() {
    for payload in [
        Box::new("broken") as Box<dyn core::any::Any + Send>,
        Box::new(String::from("broken")),
    ] {
        let error = JoinError::panicked(payload);
        assert!(error.is_panic() && !error.is_cancelled());
        assert_eq!(error.to_string(), "the task panicked: broken");
        assert_eq!(
            format!("{error:?}"),
            r#"JoinError::Panicked(Some("broken"))"#
        );
    }
}

#[test]
fn panic_keeps_its_payload() {
    let error = JoinError::panicked(Box::new(42_u32));
    assert_eq!(error.to_string(), "the task panicked");
    assert_eq!(format!("{error:?}"), "JoinError::Panicked(None)");
    let payload = error.try_into_panic().unwrap();
    assert_eq!(payload.downcast_ref::<u32>(), Some(&42));
}
