//! Where the two sides are not the same.

use anysync_adapter_tests::face::Task;

/// The body, as a macro over the module that it is about.
macro_rules! differs {
    ($($name:ident($module:ident) -> original: $original:expr, ours: $ours:expr; $body:block)*) => {$(
        #[test]
        fn $name() {
            let original = {
                use futures as $module;
                $body
            };
            let ours = {
                use anysync_futures as $module;
                $body
            };
            assert_eq!(original, $original, "the original");
            assert_eq!(ours, $ours, "ours");
        }
    )*};
}

differs! {
    // With a task that waits for the parked sender, when another asks by `try_send`.
    a_try_leaves_the_waiting_task_registered(side) -> original: false, ours: true; {
        let (mut sender, mut receiver) = side::channel::mpsc::channel(0);
        let task = Task::new();
        sender.try_send(1).unwrap();
        assert!(sender.poll_ready(&mut task.context()).is_pending());
        sender.try_send(2).unwrap_err();
        assert_eq!(receiver.try_recv(), Ok(1));
        task.woken()
    }
}
