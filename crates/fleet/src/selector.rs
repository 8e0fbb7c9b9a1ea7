//! The language that names a part of the fleet: `plugin:woocommerce<9.4 env:production`.
//!
//! A selector is the target of bulk actions, lists and reports. It is read by [`Selector`]'s
//! `FromStr`, printed back in one canonical form, and held against the [`Facts`] of an
//! environment. All of it is pure: whoever has a faster way to the same answer, as the
//! [index] has, is compared with [`Selector::matches`].
//!
//! It lives here and not below: the words are those of use cases, and versions are
//! ordered as PHP does, which the store neither knows nor can say in SQL.
//!
//! ```
//! use pressroom_fleet::selector::Selector;
//! let selector: Selector = r#"(php:7.4 OR php<7.4) account:"acme""#.parse().unwrap();
//! assert_eq!(selector.to_string(), "(php:7.4 OR php<7.4) account:acme");
//! ```

mod closest;
mod condition;
mod error;
mod expr;
mod facts;
mod field;
mod index;
mod matches;
mod operator;
mod parse;
mod print;
#[cfg(test)]
mod properties;
mod read;
mod tag;
mod term;
#[cfg(test)]
mod tests;
mod words;

pub(crate) use closest::closest;
pub use error::SyntaxError;
pub use expr::{Expr, Selector};
pub use facts::{ComponentFacts, Facts, Offer, Rows};
pub use field::Field;
pub(crate) use index::{Answer, Index, Place};
pub use matches::Truth;
pub use parse::{MAX_BYTES, MAX_DEPTH};
pub(crate) use tag::{TAG_RULE, tag_name};
pub use term::{
    Age, AgeUnit, Bound, Comparison, ComponentKind, Standing, Term, TextField, VersionField,
};
