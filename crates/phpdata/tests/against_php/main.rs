//! Our parsers against the real `php`, many cases through one process each.

mod headers;
mod serialized;
mod version;
mod wp_config;
