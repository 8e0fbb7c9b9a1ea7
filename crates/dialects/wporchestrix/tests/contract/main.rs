//! The contract of this dialect, section by section, over a real listener and real
//! stores.

#[path = "../../../http/tests/frame/fleet.rs"]
mod fleet;
mod world;

mod accounts;
mod activity;
mod client;
mod conventions;
mod document;
mod hard_days;
mod health;
mod login;
mod pairs;
mod parcel;
mod pipelines;
mod scene;
mod second_factor;
mod shared_paths;
mod sites;
mod sites_changed;
mod snapshots;
mod told;
mod uploads;
mod webhooks;
