//! Kills, stopped workers, full disks, and databases and hosts that go away.

mod caches;
mod clones;
mod components;
mod core_updates;
mod disk;
mod hosts;
mod kills;
mod lines;
mod moves;
mod nodes;
mod pipelines;
mod removals;
mod restores;
mod same_key;
mod security;
mod snapshots;
mod stopped;
mod tables;
mod unseen;
