//! Throw-away clones of real sites, by the agent that is built: only a program of its own
//! can put walls around what it starts.

mod hostile;
mod lab;
mod left;
mod whole;
