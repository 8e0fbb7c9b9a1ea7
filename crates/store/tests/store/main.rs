//! The store's promises, each on SQLite and on PostgreSQL.

#![expect(clippy::unwrap_used, reason = "a test fails where its set-up does")]

mod activity;
mod base;
mod changes;
mod copies;
mod events;
mod families;
mod fence;
mod health;
mod hosts;
mod idempotency;
mod invitations;
mod links;
mod mails;
mod maintenance;
mod migrations;
mod password_resets;
mod pipelines;
mod policies;
mod rate;
mod rotation;
mod rows;
mod runs;
mod sealing;
mod second_factors;
mod security;
mod snapshots;
mod ssh_keys;
mod tags;
mod webhooks;

/// Runs a test once per database, under its own name.
macro_rules! on_both {
    ($($name:ident)*) => {
        mod sqlite {$(
            #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $name() { super::$name(crate::base::Base::sqlite().await).await; }
        )*}
        mod postgres {$(
            #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $name() { super::$name(crate::base::Base::postgres().await).await; }
        )*}
    };
}
use on_both;
