//! Environment variables.

/// Where Pressroom keeps everything of its own.
pub const DATA: &str = "PRESSROOM_DATA";
/// The address and port the HTTP server listens on.
pub const LISTEN: &str = "PRESSROOM_LISTEN";
/// `sqlite://…` or `postgres://…`.
pub const DATABASE_URL: &str = "PRESSROOM_DATABASE_URL";
/// The configuration file, when it is not `$PRESSROOM_DATA/pressroom.toml`.
pub const CONFIG: &str = "PRESSROOM_CONFIG";
/// Log filter, in the syntax of `tracing_subscriber::EnvFilter`.
pub const LOG: &str = "PRESSROOM_LOG";

/// Every variable with its one-line description, for generated reference pages.
pub const ALL: &[(&str, &str)] = &[
    (DATA, "directory of Pressroom's own data"),
    (LISTEN, "address:port of the HTTP server"),
    (DATABASE_URL, "sqlite://… or postgres://…"),
    (CONFIG, "path of the configuration file"),
    (LOG, "log filter, e.g. `info` or `pressroom_jobs=debug`"),
];
