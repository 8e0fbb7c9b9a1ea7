//! The real program over a real store: what it prints, how it ends, what it leaves.

mod commands;
mod encrypted;
mod installation;
mod reloading;
mod serving;
