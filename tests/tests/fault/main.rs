//! Kills, stopped workers, full disks and databases that go away.

mod disk;
mod kills;
mod moves;
mod removals;
mod restores;
mod same_key;
mod snapshots;
mod stopped;
mod tables;
