//! The archive's promises, each on a directory and on a server that speaks S3 and
//! checks signatures.

#![expect(clippy::unwrap_used, reason = "a test fails where its set-up does")]

mod cloud;
mod faults;
mod killed;
mod objects;
mod s3;
mod snapshots;
mod stores;
mod verify;
mod wire;

/// Runs a test once per kind of store, under its own name.
macro_rules! on_both {
    ($($name:ident)*) => {
        mod directory {$(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() { super::$name(crate::stores::Stores::directory()).await; }
        )*}
        mod s3 {$(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() { super::$name(crate::stores::Stores::s3().await).await; }
        )*}
    };
}
use on_both;
