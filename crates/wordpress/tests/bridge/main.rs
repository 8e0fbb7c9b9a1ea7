//! The bridge on real WordPress: 6.1 and 6.5, single and both kinds of network. What
//! is asserted stands in tables and pages, not in what was reported.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on is a failed test"
)]

mod blame;
mod content;
mod lab;
mod login;
mod network;
mod opcache;
mod plugins;
mod themes;
mod users;

use lab::Lab;
use pressroom_lab::{Multisite, Wordpress};

#[test]
fn a_single_site_of_6_1() {
    let lab = Lab::new(Wordpress::V6_1);
    everything(&lab);
}

#[test]
fn a_single_site_of_6_5() {
    let lab = Lab::new(Wordpress::V6_5);
    everything(&lab);
}

#[test]
fn a_network_of_subdirectories_of_6_5() {
    let lab = Lab::network(Wordpress::V6_5, Multisite::Subdirectories);
    everything(&lab);
    network::everything(&lab, "http://example.test/second");
}

#[test]
fn a_network_of_subdomains_of_6_1() {
    let lab = Lab::network(Wordpress::V6_1, Multisite::Subdomains);
    everything(&lab);
    network::everything(&lab, "http://second.example.test");
}

fn everything(lab: &Lab) {
    content::info(lab);
    content::constants_and_addresses(lab);
    content::options(lab);
    content::transients_and_caches(lab);
    content::cron(lab);
    content::rewrite(lab);
    users::accounts(lab);
    users::ways_in(lab);
    plugins::activation(lab);
    plugins::uninstallation(lab);
    content::upgrade(lab);
    themes::switch(lab);
}
