//! The whole path over real WordPress, and sites that fight back.

mod errors;
mod hostile;
mod neighbours;
mod path;
mod verdicts;
