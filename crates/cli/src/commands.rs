//! One file per command: what it is given, its help, what it calls, what it prints.

pub mod account;
pub mod agent;
pub mod cache;
pub mod completions;
mod component;
pub mod config;
pub mod data;
pub mod doctor;
pub mod domain;
pub mod health;
pub mod host;
pub mod hosting;
pub mod job;
pub mod key;
pub mod mail;
pub mod pipeline;
pub mod place;
pub mod plugin;
pub mod policy;
pub mod run;
pub mod security;
mod selector;
pub mod serve;
pub mod site;
pub mod snapshot;
pub mod theme;
pub mod token;
pub mod update;
pub mod user;
pub mod webhook;

use crate::{Exit, Failure, Printer};
use clap::Subcommand;
use pressroom_fleet::{Caller, Fleet, Principal};

/// A command that calls use cases.
#[derive(Debug, Subcommand)]
pub enum FleetCommand {
    /// People who may sign in
    #[command(subcommand)]
    User(user::User),
    /// Accounts, which own sites
    #[command(subcommand)]
    Account(account::Account),
    /// Domains, the directories an account may install into
    #[command(subcommand)]
    Domain(domain::Domain),
    /// Credentials of programs
    #[command(subcommand)]
    Token(token::Token),
    /// Keys that open hosts
    #[command(subcommand)]
    Key(key::Key),
    /// Other machines, reached over SSH
    #[command(subcommand)]
    Host(host::Host),
    /// Running WordPress sites
    #[command(subcommand)]
    Site(site::Site),
    /// Plugins of a site
    #[command(subcommand)]
    Plugin(plugin::Plugin),
    /// Themes of a site
    #[command(subcommand)]
    Theme(theme::Theme),
    /// Caches of a site
    #[command(subcommand)]
    Cache(cache::Cache),
    /// What keeps intruders from a site
    #[command(subcommand)]
    Security(security::Security),
    /// Update sites safely: tried in a clone, approved, verified, taken back where they suffer
    Update(update::Update),
    /// Safe updates: what was asked for, how far it came, what it found
    #[command(subcommand)]
    Pipeline(pipeline::Pipeline),
    /// What is updated by itself, when, and what is not
    #[command(subcommand)]
    Policy(policy::Policy),
    /// How sites are, as their visitors find them
    #[command(subcommand)]
    Health(health::Health),
    /// Whole sites, each in one archive
    #[command(subcommand)]
    Snapshot(snapshot::Snapshot),
    /// Receivers that are told what happens to sites
    #[command(subcommand)]
    Webhook(webhook::Webhook),
    /// What people are told by mail
    #[command(subcommand)]
    Mail(mail::Mail),
    /// One command on many sites at once
    Run(run::Run),
    /// Work that outlives a request
    #[command(subcommand)]
    Job(job::Job),
    /// Look at everything Pressroom needs
    Doctor(doctor::Doctor),
}

pub use run::minds_interruption;

/// Runs a command as the operator at this machine's own command line.
pub async fn run(
    command: FleetCommand,
    fleet: &Fleet,
    printer: &mut Printer,
) -> Result<Exit, Failure> {
    let caller = Caller::new(Principal::console());
    match command {
        FleetCommand::User(user) => Box::pin(user.run(fleet, &caller, printer)).await,
        FleetCommand::Account(account::Account::Add(add)) => add.run(fleet, &caller, printer).await,
        FleetCommand::Account(account::Account::List(list)) => {
            list.run(fleet, &caller, printer).await
        }
        FleetCommand::Domain(domain::Domain::Add(add)) => add.run(fleet, &caller, printer).await,
        FleetCommand::Domain(domain::Domain::List(list)) => list.run(fleet, &caller, printer).await,
        FleetCommand::Domain(domain::Domain::Remove(remove)) => {
            remove.run(fleet, &caller, printer).await
        }
        FleetCommand::Token(token::Token::Add(add)) => add.run(fleet, &caller, printer).await,
        FleetCommand::Token(token::Token::List(list)) => list.run(fleet, &caller, printer).await,
        FleetCommand::Token(token::Token::Revoke(revoke)) => {
            revoke.run(fleet, &caller, printer).await
        }
        FleetCommand::Key(key) => Box::pin(key.run(fleet, &caller, printer)).await,
        FleetCommand::Host(host) => Box::pin(host.run(fleet, &caller, printer)).await,
        FleetCommand::Site(site::Site::Add(add)) => {
            Box::pin(add.run(fleet, &caller, printer)).await
        }
        FleetCommand::Site(site::Site::Pause(pause)) => {
            Box::pin(pause.run(fleet, &caller, printer)).await
        }
        FleetCommand::Site(site::Site::Resume(resume)) => {
            Box::pin(resume.run(fleet, &caller, printer)).await
        }
        FleetCommand::Site(site::Site::Adopt(adopt)) => {
            Box::pin(adopt.run(fleet, &caller, printer)).await
        }
        FleetCommand::Site(site::Site::List(list)) => list.run(fleet, &caller, printer).await,
        FleetCommand::Site(site::Site::Show(show)) => show.run(fleet, &caller, printer).await,
        FleetCommand::Site(site::Site::User(user)) => {
            Box::pin(user.run(fleet, &caller, printer)).await
        }
        FleetCommand::Site(site::Site::Tag(tag)) => {
            Box::pin(tag.run(fleet, &caller, printer)).await
        }
        FleetCommand::Site(site::Site::Verify(verify)) => {
            Box::pin(verify.run(fleet, &caller, printer)).await
        }
        FleetCommand::Site(site::Site::Maintenance(set)) => {
            Box::pin(set.run(fleet, &caller, printer)).await
        }
        FleetCommand::Site(site::Site::Clone(clone)) => {
            Box::pin(clone.run(fleet, &caller, printer)).await
        }
        FleetCommand::Site(site::Site::UpdateCore(update)) => {
            Box::pin(update.run(fleet, &caller, printer)).await
        }
        FleetCommand::Site(site::Site::ReinstallCore(again)) => {
            Box::pin(again.run(fleet, &caller, printer)).await
        }
        FleetCommand::Site(site::Site::SearchReplace(replace)) => {
            Box::pin(replace.run(fleet, &caller, printer)).await
        }
        FleetCommand::Site(site::Site::Export(export)) => {
            Box::pin(export.run(fleet, &caller, printer)).await
        }
        FleetCommand::Site(site::Site::Import(import)) => {
            Box::pin(import.run(fleet, &caller, printer)).await
        }
        FleetCommand::Site(site::Site::Move(to)) => Box::pin(to.run(fleet, &caller, printer)).await,
        FleetCommand::Site(site::Site::Remove(remove)) => {
            Box::pin(remove.run(fleet, &caller, printer)).await
        }
        FleetCommand::Site(site::Site::Release(release)) => {
            release.run(fleet, &caller, printer).await
        }
        FleetCommand::Plugin(plugin) => Box::pin(plugin.run(fleet, &caller, printer)).await,
        FleetCommand::Theme(theme) => Box::pin(theme.run(fleet, &caller, printer)).await,
        FleetCommand::Cache(cache) => Box::pin(cache.run(fleet, &caller, printer)).await,
        FleetCommand::Security(security) => Box::pin(security.run(fleet, &caller, printer)).await,
        FleetCommand::Update(update) => Box::pin(update.run(fleet, &caller, printer)).await,
        FleetCommand::Pipeline(pipeline) => Box::pin(pipeline.run(fleet, &caller, printer)).await,
        FleetCommand::Policy(policy) => Box::pin(policy.run(fleet, &caller, printer)).await,
        FleetCommand::Health(health) => Box::pin(health.run(fleet, &caller, printer)).await,
        FleetCommand::Snapshot(snapshot) => Box::pin(snapshot.run(fleet, &caller, printer)).await,
        FleetCommand::Webhook(webhook) => Box::pin(webhook.run(fleet, &caller, printer)).await,
        FleetCommand::Mail(mail) => Box::pin(mail.run(fleet, &caller, printer)).await,
        FleetCommand::Run(run) => Box::pin(run.run(fleet, &caller, printer)).await,
        FleetCommand::Job(job::Job::List(list)) => list.run(fleet, &caller, printer).await,
        FleetCommand::Job(job::Job::Show(show)) => show.run(fleet, &caller, printer).await,
        FleetCommand::Job(job::Job::Watch(watch)) => {
            Box::pin(watch.run(fleet, &caller, printer)).await
        }
        FleetCommand::Job(job::Job::Cancel(cancel)) => cancel.run(fleet, &caller, printer).await,
        FleetCommand::Doctor(doctor) => doctor.run(fleet, &caller, printer).await,
    }
}
