//! Where the two sides are not the same.

mod messages;
