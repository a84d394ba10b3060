use std::boxed::Box;
use std::fmt::{self, Write};
use std::format;
use std::string::{String, ToString};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;
use std::vec::Vec;

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

/// What an error is written to is foreign code, and may use the error.
#[test]
fn is_shown_outside_the_lock() {
    struct Nosy(Arc<JoinError>, Vec<String>);

    impl Write for Nosy {
        fn write_str(&mut self, _: &str) -> fmt::Result {
            self.1.push(format!("{} {:?}", self.0, self.0));
            Ok(())
        }
    }

    let (done, shown) = mpsc::channel();
    // On a thread of its own, so that the test fails if it waits for itself.
    thread::spawn(move || {
        let error = Arc::new(JoinError::panicked(Box::new("broken")));
        let mut nosy = Nosy(error.clone(), Vec::new());
        write!(nosy, "{error} {error:?}").unwrap();
        let _ = done.send(nosy.1);
    });
    let shown = shown.recv_timeout(Duration::from_secs(60));
    let shown = shown.expect("an error waits for its own lock, or panicked");
    assert!(!shown.is_empty());
    for text in shown {
        let expected = r#"the task panicked: broken JoinError::Panicked(Some("broken"))"#;
        assert_eq!(text, expected);
    }
}
