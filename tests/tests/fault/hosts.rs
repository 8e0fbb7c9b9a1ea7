//! Hosts that die, show another key, fill up, have another time, or hang.

mod away;
mod clock;
mod full;
mod key;
mod many;
mod seen;
