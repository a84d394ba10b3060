//! Reading that may become writing.

use super::*;

pub(super) async fn upgradable_coexists_with_readers(_: Cx, subject: Arc<dyn Subject>) {
    let lock = subject.rwlock();
    let io = DynIo::bare();
    let wait = || lock.upgradable_read(&io).expect("it is promised");

    // Beside readers that were there before, and that come after.
    let before = reading(&*lock, "at first");
    let guard = Hand::new(wait()).assert_ready("an upgradable reader beside a reader");
    let after = [
        reading(&*lock, "beside an upgradable reader"),
        Hand::new(lock.read(&io)).assert_ready("a reader beside an upgradable one"),
    ];
    assert!(
        lock.try_upgradable_read().is_none(),
        "two read upgradably by try_upgradable_read"
    );
    assert_no_write(&*lock, "beside readers");
    let mut second = Hand::new(wait());
    second.assert_pending("a second upgradable reader");
    assert_eq!(guard.len(), 0);
    drop(guard);
    assert!(
        second.is_woken(),
        "an upgradable reader that ended let in nobody"
    );
    let guard = second.assert_ready("the next upgradable reader");
    drop((before, after));

    // Alone it keeps writers out, and is no writer.
    assert_no_write(&*lock, "beside an upgradable reader");
    drop(reading(&*lock, "beside an upgradable reader"));
    let mut writer = Hand::new(lock.write(&io));
    writer.assert_pending("a writer beside an upgradable reader");
    drop(guard);
    assert!(
        writer.is_woken(),
        "an upgradable reader that ended let in nobody"
    );
    let guard = writer.assert_ready("the writer after all readers");
    assert!(
        lock.try_upgradable_read().is_none(),
        "one reads upgradably while another writes"
    );
    drop(guard);
    drop(upgradable(&*lock, "at the end"));
    drop(writing(&*lock, "at the end"));
}

pub(super) async fn upgrade_is_atomic(cx: Cx, subject: Arc<dyn Subject>) {
    let lock = subject.rwlock();
    let io = DynIo::bare();

    // A writer that waits already does not come in between.
    let reader = reading(&*lock, "at first");
    let guard = upgradable(&*lock, "beside a reader");
    let seen = guard.len();
    let mut writer = Hand::queued(lock.write(&io));
    let guard = match guard.try_upgrade() {
        Ok(_) => panic!("an upgrade got in beside a reader"),
        Err(guard) => guard,
    };
    let mut upgrade = Hand::queued(guard.upgrade(&io));
    writer.assert_pending("a writer before an upgrade");
    assert_no_read(&*lock, "past an upgrade that waits");
    assert_no_write(&*lock, "past an upgrade that waits");
    drop(reader);
    writer.assert_pending("a writer before an upgrade");
    assert!(
        upgrade.is_woken(),
        "the last reader did not let the upgrade in"
    );
    let mut guard = upgrade.assert_ready("the upgrade, with no other reader left,");
    assert_eq!(guard.len(), seen, "another wrote in between");
    guard.push(1);
    assert_no_read(&*lock, "beside an upgraded guard");
    writer.assert_pending("a writer beside an upgraded guard");
    drop(guard);
    assert!(
        writer.is_woken(),
        "an upgraded guard that ended let in nobody"
    );
    drop(writer.assert_ready("the writer after the upgraded guard"));

    // Alone it gets in at once.
    let guard = upgradable(&*lock, "with nobody inside");
    drop(Hand::new(guard.upgrade(&io)).assert_ready("an upgrade with no other reader"));
    let guard = upgradable(&*lock, "with nobody inside");
    match guard.try_upgrade() {
        Ok(mut guard) => guard.push(2),
        Err(_) => panic!("try_upgrade with no other reader got not in"),
    }
    // Cancelled it gives back what it had.
    let reader = reading(&*lock, "with nobody inside");
    let mut upgrade = Hand::queued(upgradable(&*lock, "beside a reader").upgrade(&io));
    upgrade.cancel();
    drop(upgradable(&*lock, "after an upgrade was cancelled"));
    drop(reader);
    writing(&*lock, "after an upgrade was cancelled").clear();

    // In tasks and threads: some read, some write, some read and then write.
    const ROUNDS: usize = 20;
    let work = |number: u64, io: DynIo| {
        let lock = Arc::clone(&lock);
        async move {
            for _ in 0..ROUNDS {
                match number % 3 {
                    0 => drop(lock.read(&io).await),
                    1 => lock.write(&io).await.push(number),
                    _ => {
                        let wait = lock.upgradable_read(&io).expect("it is promised");
                        let guard = wait.await;
                        let seen = guard.len();
                        yield_now().await;
                        let mut guard = guard.upgrade(&io).await;
                        assert_eq!(guard.len(), seen, "another wrote in between");
                        guard.push(number);
                    }
                }
            }
        }
    };
    let mut threads = Vec::new();
    if cx.has(Threads) {
        for number in 1..3 {
            let work = work(number, DynIo::bare());
            threads.push(cx.thread(format!("thread {number}"), || Bare.block_on(work)));
        }
    }
    let tasks: Vec<_> = (0..6)
        .map(|number| cx.spawn(format!("task {number}"), work(number, cx.io())))
        .collect();
    let writers = 4 + threads.len();
    for task in tasks {
        task.join().await;
    }
    for thread in threads {
        thread.join().await;
    }
    let list = writing(&*lock, "at the end");
    assert_eq!(list.len(), ROUNDS * writers, "writes were lost");
}
