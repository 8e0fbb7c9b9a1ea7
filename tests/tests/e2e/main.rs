//! The whole path over real WordPress, and sites that fight back.

mod errors;
mod hostile;
mod letting_go;
mod neighbours;
mod path;
mod verdicts;
