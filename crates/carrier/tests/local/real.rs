//! Every operation that needs a whole WordPress, through a real agent on a real site.
//! What is asserted stands in tables and files, not in what was reported.

mod bridge;
mod facts;
mod lab;
mod php;
mod points;
mod refused;
mod updater;
mod whole;

use lab::Real;
use pressroom_lab::{Multisite, Wordpress};

#[tokio::test]
async fn a_single_site_of_6_1() {
    let real = Real::of(pressroom_lab::Site::new(Wordpress::V6_1).unwrap()).await;
    everything(&real).await;
    whole::a_plugin_that_hangs(&real).await;
    facts::a_site_whose_database_is_down(&real).await;
    refused::everything(&real).await;
}

#[tokio::test]
async fn a_network_of_6_5() {
    let site = pressroom_lab::Site::network(Wordpress::V6_5, Multisite::Subdirectories).unwrap();
    let real = Real::of(site).await;
    everything(&real).await;
    bridge::another_blog(&real).await;
    refused::everything(&real).await;
}

#[tokio::test]
async fn tables_of_a_single_site() {
    let real = Real::of(pressroom_lab::Site::new(Wordpress::V6_1).unwrap()).await;
    points::exactly(&real).await;
    points::with_others(&real).await;
    points::killed(&real).await;
}

#[tokio::test]
async fn the_updater_of_a_single_site() {
    let real = Real::of(pressroom_lab::Site::new(Wordpress::V6_1).unwrap()).await;
    updater::held_off(&real).await;
}

#[tokio::test]
async fn the_updater_of_a_network() {
    let site = pressroom_lab::Site::network(Wordpress::V6_5, Multisite::Subdirectories).unwrap();
    updater::held_off(&Real::of(site).await).await;
}

#[tokio::test]
async fn tables_of_a_network() {
    let site = pressroom_lab::Site::network(Wordpress::V6_5, Multisite::Subdirectories).unwrap();
    let real = Real::of(site).await;
    points::exactly(&real).await;
    points::with_others(&real).await;
}

#[tokio::test]
async fn a_single_site_through_php_alone() {
    let real = Real::in_php(pressroom_lab::Site::new(Wordpress::V6_1).unwrap()).await;
    in_php(&real).await;
    whole::a_plugin_that_hangs(&real).await;
    refused::everything(&real).await;
}

#[tokio::test]
async fn a_network_through_php_alone() {
    let site = pressroom_lab::Site::network(Wordpress::V6_5, Multisite::Subdirectories).unwrap();
    let real = Real::in_php(site).await;
    in_php(&real).await;
    bridge::another_blog(&real).await;
    refused::everything(&real).await;
}

/// What the agent in PHP can do, by the same tests; and it tells what the other one tells.
async fn in_php(real: &Real) {
    php::tells_the_same(real).await;
    php::verifies_the_same(real).await;
    php::commands(real).await;
    php::refuses_the_rest(real).await;
    facts::survey(real).await;
    facts::components(real).await;
    facts::maintenance(real).await;
    bridge::batches(real).await;
    bridge::options(real).await;
    whole::activation(real).await;
    whole::theme(real).await;
    whole::upgrade(real).await;
    whole::cron(real).await;
}

async fn everything(real: &Real) {
    facts::survey(real).await;
    facts::configuration(real).await;
    facts::components(real).await;
    facts::maintenance(real).await;
    facts::archive(real).await;
    bridge::batches(real).await;
    bridge::options(real).await;
    whole::activation(real).await;
    whole::theme(real).await;
    whole::upgrade(real).await;
    whole::cron(real).await;
}
