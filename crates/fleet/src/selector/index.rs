//! What selectors ask of many environments, kept in memory so that an answer takes no
//! statement.
//!
//! Everything that is found by an exact word is a *key*: a name, a tag, a plugin, a
//! theme, and also WordPress and PHP, which every environment has at some version. Per
//! key there is one list of who holds it and at which version, so that a condition reads
//! those it may find and nobody else, one after the other in memory. An answer is sets of
//! bits, one bit per environment, joined as the selector is.
//!
//! It holds no rule of its own: what an environment is told to be comes as
//! [`super::Facts`], what a condition means is in [`super::matches`], and an answer is
//! that of [`super::Selector::matches`] for each environment. Ages are compared when
//! somebody asks.

mod answer;
mod bits;
mod environments;
mod interner;

pub(crate) use answer::Answer;
pub(crate) use environments::{Index, Place};
