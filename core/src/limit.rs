//! The panic of a constructor that is given a number out of its range.

/// Panics with `what`, the number and the two ends of the range. A constant
/// cannot format numbers, so the message is put together by hand.
#[cold]
#[track_caller]
pub(crate) const fn out_of_range(what: &str, number: usize, least: usize, most: usize) -> ! {
    let texts = [" of ", " is out of range: it may be ", " to "];
    let numbers = [number, least, most];
    let mut message = [0; 160];
    let mut len = put(&mut message, 0, what.as_bytes());
    let mut part = 0;
    while part < 3 {
        len = put(&mut message, len, texts[part].as_bytes());
        let mut power = 1;
        while numbers[part] / power >= 10 {
            power *= 10;
        }
        while power > 0 {
            len = put(
                &mut message,
                len,
                &[b'0' + (numbers[part] / power % 10) as u8],
            );
            power /= 10;
        }
        part += 1;
    }
    match core::str::from_utf8(message.split_at(len).0) {
        Ok(message) => panic!("{}", message),
        Err(_) => panic!("a number is out of range"),
    }
}

const fn put(message: &mut [u8; 160], len: usize, text: &[u8]) -> usize {
    let mut at = 0;
    while at < text.len() {
        message[len + at] = text[at];
        at += 1;
    }
    len + at
}
