//! [`Notification`]: how many are to be told, and with which tag.

use anysync::Event;

mod sealed {
    use super::Event;

    /// A notification, as the event carries it out.
    pub trait Sealed {
        type Tag;

        fn count(&self) -> usize;

        fn is_additional(&self) -> bool {
            false
        }

        fn next_tag(&mut self) -> Self::Tag;

        /// Tells whom it is for, and says how many it told.
        fn tell(mut self, event: &Event<Self::Tag>) -> usize
        where
            Self: Sized,
        {
            let (count, additional) = (self.count(), self.is_additional());
            event.notify_with(count, additional, || self.next_tag())
        }
    }
}
pub(super) use sealed::Sealed;

/// What [`Event::notify`](super::Event::notify) carries out. Made of a number, by
/// [`IntoNotification`]; it cannot be implemented elsewhere.
///
/// ```
/// use anysync_smol::event::{Event, IntoNotification, Notification};
///
/// fn tell(event: &Event, whom: impl Notification<Tag = ()>) -> usize {
///     event.notify(whom)
/// }
///
/// assert_eq!(tell(&Event::new(), 1.additional()), 0);
/// ```
pub trait Notification: Sealed {}

impl<N: Sealed> Notification for N {}

/// So many, those that are notified already among them.
#[doc(hidden)]
#[derive(Clone, Debug)]
pub struct Notify(usize);

impl Sealed for Notify {
    type Tag = ();

    fn count(&self) -> usize {
        self.0
    }

    fn next_tag(&mut self) {}
}

/// So many beside those that are notified already.
#[doc(hidden)]
#[derive(Clone, Debug)]
pub struct Additional<N>(N);

impl<N: Notification> Sealed for Additional<N> {
    type Tag = N::Tag;

    fn count(&self) -> usize {
        self.0.count()
    }

    fn is_additional(&self) -> bool {
        true
    }

    fn next_tag(&mut self) -> N::Tag {
        self.0.next_tag()
    }
}

/// As the one inside: the fence that the original leaves out here is none of its
/// own, but the change of the event's state.
#[doc(hidden)]
#[derive(Clone, Debug)]
pub struct Relaxed<N>(N);

impl<N: Notification> Sealed for Relaxed<N> {
    type Tag = N::Tag;

    fn count(&self) -> usize {
        self.0.count()
    }

    fn is_additional(&self) -> bool {
        self.0.is_additional()
    }

    fn next_tag(&mut self) -> N::Tag {
        self.0.next_tag()
    }
}

/// With a clone of a tag for each.
#[doc(hidden)]
#[derive(Clone, Debug)]
pub struct Tag<N, T> {
    tag: T,
    inner: N,
}

impl<N: Notification, T: Clone> Sealed for Tag<N, T> {
    type Tag = T;

    fn count(&self) -> usize {
        self.inner.count()
    }

    fn is_additional(&self) -> bool {
        self.inner.is_additional()
    }

    fn next_tag(&mut self) -> T {
        self.tag.clone()
    }
}

/// With a tag for each that a function makes.
#[doc(hidden)]
pub struct TagWith<N, F> {
    tag: F,
    inner: N,
}

impl<N: ::core::fmt::Debug, F> ::core::fmt::Debug for TagWith<N, F> {
    fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
        f.debug_struct("TagWith")
            .field("tag", &format_args!(".."))
            .field("inner", &self.inner)
            .finish()
    }
}

impl<N: Notification, T, F: FnMut() -> T> Sealed for TagWith<N, F> {
    type Tag = T;

    fn count(&self) -> usize {
        self.inner.count()
    }

    fn is_additional(&self) -> bool {
        self.inner.is_additional()
    }

    fn next_tag(&mut self) -> T {
        (self.tag)()
    }
}

/// What becomes a [`Notification`]: a number, or one that is made of a number.
///
/// ```
/// use anysync_smol::event::{Event, IntoNotification, Listener};
///
/// let event = Event::<&str>::with_tag();
/// let (one, two) = (event.listen(), event.listen());
/// event.notify(1.tag("first"));
/// event.notify(1.additional().relaxed().tag_with(|| "second"));
/// assert_eq!((one.wait(), two.wait()), ("first", "second"));
/// ```
pub trait IntoNotification: number::IsNotification {
    /// What its listeners return.
    type Tag;
    /// The notification that it becomes.
    type Notify: Notification<Tag = Self::Tag>;

    /// The notification.
    ///
    /// # Panics
    ///
    /// If it is a negative number, or one above `usize::MAX`.
    fn into_notification(self) -> Self::Notify;

    /// Beside those that are notified already, and have not returned that.
    fn additional(self) -> Additional<Self::Notify>
    where
        Self: Sized,
    {
        Additional(self.into_notification())
    }

    /// Without the fence of the original. Here it changes nothing: there is none.
    fn relaxed(self) -> Relaxed<Self::Notify>
    where
        Self: Sized,
    {
        Relaxed(self.into_notification())
    }

    /// With a clone of `tag` for each listener.
    fn tag<T: Clone>(self, tag: T) -> Tag<Self::Notify, T>
    where
        Self: Sized + IntoNotification<Tag = ()>,
    {
        Tag {
            tag,
            inner: self.into_notification(),
        }
    }

    /// With what `tag` returns for each listener. It is called before anybody is
    /// notified, outside the event's lock.
    fn tag_with<T, F: FnMut() -> T>(self, tag: F) -> TagWith<Self::Notify, F>
    where
        Self: Sized + IntoNotification<Tag = ()>,
    {
        TagWith {
            tag,
            inner: self.into_notification(),
        }
    }
}

impl<N: Notification> IntoNotification for N {
    type Tag = N::Tag;
    type Notify = N;

    fn into_notification(self) -> N {
        self
    }
}

mod number {
    /// A number, or a notification.
    pub trait IsNotification {}

    impl<N: super::Notification> IsNotification for N {}
}

macro_rules! numbers {
    ($($number:ty)*) => {$(
        impl number::IsNotification for $number {}

        impl IntoNotification for $number {
            type Tag = ();
            type Notify = Notify;

            #[track_caller]
            fn into_notification(self) -> Notify {
                #[allow(unused_comparisons)]
                if self < 0 {
                    panic!("negative notification count");
                }
                Notify(self.try_into().expect("overflow"))
            }
        }
    )*};
}

numbers! { usize u8 u16 u32 u64 u128 isize i8 i16 i32 i64 i128 }
