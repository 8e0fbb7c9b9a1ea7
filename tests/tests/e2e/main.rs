//! The whole path over real WordPress, and sites that fight back.

mod errors;
mod hostile;
mod letting_go;
mod moving;
mod neighbours;
mod networks;
mod path;
mod restores;
mod snapshots;
mod tools;
mod verdicts;
