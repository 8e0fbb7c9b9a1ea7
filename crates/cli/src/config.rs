//! Configuration: what may be said, where it was said, and what it means.
//!
//! [`keys`] lists every key with its type, [`file`] and [`variables`] read the two
//! places people write, [`layers`] puts them over each other, and [`Config`] is the
//! typed result. The defaults are a documented file that is compiled in.

mod error;
mod file;
mod keys;
mod layers;
mod reader;
mod resolve;
mod show;
mod value;
mod variables;

pub use error::Error;
pub use keys::{KEYS, Key, Shape};
pub use layers::{Flag, Sources};
pub use resolve::{
    Archive, Config, Console, Cookies, Health, Hosting, Http, Isolation, Jobs, Log, LogFile,
    LogFormat, Mail, Outgoing, Packages, Resolver, Rotate, S3, Secrets, Tls, Web,
};
pub use show::{show, show_json};
pub use value::{Origin, Value};

/// The documented defaults, as compiled in.
pub const DEFAULTS: &str = include_str!("config/pressroom.default.toml");
