//! Pure parsers of what PHP and WordPress write: component headers,
//! `wp-config.php`, versions, serialized values.
//!
//! Nothing here does I/O, runs PHP, or trusts its input: every function takes
//! bytes of any kind, never panics, and says *unknown* rather than guess.
//! Start reading at [`wp_config`], the largest of them.
//!
//! ```
//! use std::cmp::Ordering;
//! assert_eq!(pressroom_phpdata::version::compare("6.5", "6.5.5"), Ordering::Less);
//! ```

pub mod headers;
pub mod serialized;
pub mod tokens;
pub mod version;
pub mod wp_config;
