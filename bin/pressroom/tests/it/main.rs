//! The real program over a real store: what it prints, how it ends, what it leaves.

mod commands;
mod connections;
mod copies;
mod encrypted;
mod installation;
mod invited;
mod people;
mod reloading;
mod serving;
mod set_up;
mod sink;
