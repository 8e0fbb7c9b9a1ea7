//! Names that more than one crate, or a person, relies on. Adding one here is the
//! only way to get one: documents and checks are made from these lists.

pub mod env;
pub mod event;
pub mod mail;
pub mod metric;
pub mod webhook;
