//! Use cases over real stores, most of them without a site.

#![expect(clippy::unwrap_used, reason = "a test fails where its set-up does")]

mod asides;
mod base;
mod cancel;
mod given_up;
mod health;
mod invitations;
mod known_sites;
mod mail;
mod passwords;
mod pictures;
mod pipelines;
mod quota;
mod random;
mod redis_users;
mod resumed;
mod runs;
mod select;
mod selectors;
mod sink;
mod statements;

/// Runs each test over a new file and over a new database.
#[macro_export]
macro_rules! on_both {
    ($($name:ident)+) => {
        mod sqlite {$(
            #[tokio::test]
            async fn $name() { super::$name($crate::base::Base::sqlite().await).await; }
        )+}
        mod postgres {$(
            #[tokio::test]
            async fn $name() { super::$name($crate::base::Base::postgres().await).await; }
        )+}
    };
}
