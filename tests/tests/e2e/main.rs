//! The whole path over real WordPress, and sites that fight back.

mod archives;
mod errors;
mod hostile;
mod letting_go;
mod moving;
mod moving_edges;
mod neighbours;
mod networks;
mod path;
mod restores;
mod snapshots;
mod tools;
mod verdicts;
