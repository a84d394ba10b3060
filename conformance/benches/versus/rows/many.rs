//! `broadcast` and `watch`: one to many.

use std::hint::black_box;

use crate::harness::{Contender, OURS, Row, does};
use crate::task::ready;

pub(super) fn rows() -> Vec<Row> {
    vec![
        Row::new("broadcast", "send, received by one", || broadcast(1)),
        Row::new("broadcast", "send, received by eight", || broadcast(8)),
        Row::new("watch", "send and borrow", borrow),
        Row::new("watch", "send, changed, borrow_and_update", changed),
    ]
}

fn broadcast(receivers: usize) -> Vec<Contender> {
    let ours = anysync::broadcast::Sender::new(64);
    let mut ours_rx: Vec<_> = (0..receivers).map(|_| ours.subscribe()).collect();
    let tokio = tokio::sync::broadcast::Sender::new(64);
    let mut tokio_rx: Vec<_> = (0..receivers).map(|_| tokio.subscribe()).collect();
    let (smol, smol_rx) = async_broadcast::broadcast(64);
    let mut smol_rx = vec![smol_rx; receivers];
    let (band, band_rx) = asyncband::broadcast::mpmc::bounded(64);
    let mut band_rx: Vec<_> = std::iter::once(band_rx)
        .chain((1..receivers).map(|_| band.subscribe()))
        .collect();
    vec![
        does(OURS, move || {
            ours.send(7_u64).expect("receivers");
            for receiver in &mut ours_rx {
                black_box(ready(receiver.recv_future()).expect("a message"));
            }
        }),
        does("tokio", move || {
            tokio.send(7_u64).expect("receivers");
            for receiver in &mut tokio_rx {
                black_box(ready(receiver.recv()).expect("a message"));
            }
        }),
        does("async-broadcast", move || {
            ready(smol.broadcast_direct(7_u64)).expect("receivers");
            for receiver in &mut smol_rx {
                black_box(ready(receiver.recv_direct()).expect("a message"));
            }
        }),
        does("asyncband", move || {
            ready(band.send(7_u64));
            for receiver in &mut band_rx {
                black_box(ready(receiver.recv()).expect("a message"));
            }
        }),
    ]
}

fn borrow() -> Vec<Contender> {
    let (ours, ours_rx) = anysync::watch::channel(0_u64);
    let (tokio, tokio_rx) = tokio::sync::watch::channel(0_u64);
    let (band, band_rx) = asyncband::watch::channel(0_u64);
    vec![
        does(OURS, move || {
            ours.send(7).expect("a receiver");
            black_box(*ours_rx.borrow());
        }),
        does("tokio", move || {
            tokio.send(7).expect("a receiver");
            black_box(*tokio_rx.borrow());
        }),
        does("asyncband", move || {
            band.send(7).expect("a receiver");
            black_box(band_rx.get());
        }),
    ]
}

fn changed() -> Vec<Contender> {
    let (ours, mut ours_rx) = anysync::watch::channel(0_u64);
    let (tokio, mut tokio_rx) = tokio::sync::watch::channel(0_u64);
    let (band, mut band_rx) = asyncband::watch::channel(0_u64);
    vec![
        does(OURS, move || {
            ours.send(7).expect("a receiver");
            ready(ours_rx.changed_future()).expect("a sender");
            black_box(*ours_rx.borrow_and_update());
        }),
        does("tokio", move || {
            tokio.send(7).expect("a receiver");
            ready(tokio_rx.changed()).expect("a sender");
            black_box(*tokio_rx.borrow_and_update());
        }),
        does("asyncband", move || {
            band.send(7).expect("a receiver");
            ready(band_rx.changed()).expect("a sender");
            black_box(band_rx.get());
        }),
    ]
}
