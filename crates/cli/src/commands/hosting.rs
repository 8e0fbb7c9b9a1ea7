//! `pressroom hosting …`: the stack that serves this machine's sites. The binary
//! holds the stack; what it answers is printed here.

use crate::{Exit, Printer, table::Table};
use clap::{Args, Subcommand};
use serde::Serialize;

/// The web server, PHP and database server of this machine's sites.
#[derive(Debug, Clone, Copy, Subcommand)]
#[command(after_help = "Examples:
  pressroom hosting status")]
pub enum Hosting {
    /// Start what is not running
    Up(Up),
    /// Stop all of it; sites do not answer until it is started again
    Down(Down),
    /// Say what is running
    Status(Status),
}

/// Starts what is not running.
#[derive(Debug, Clone, Copy, Args)]
#[command(after_help = "Examples:
  pressroom hosting up")]
pub struct Up {}

/// Stops all of it.
#[derive(Debug, Clone, Copy, Args)]
#[command(after_help = "Examples:
  pressroom hosting down")]
pub struct Down {}

/// Says what is running.
#[derive(Debug, Clone, Copy, Args)]
#[command(after_help = "Examples:
  pressroom hosting status
  pressroom --json hosting status")]
pub struct Status {}

/// One server of the stack.
#[derive(Debug, Clone, Serialize)]
pub struct Service {
    /// E.g. `mariadbd`.
    pub name: String,
    /// Whether it answers.
    pub running: bool,
    /// Its process, when it runs.
    pub pid: Option<u32>,
    /// Where it listens.
    pub address: String,
}

/// Prints the services; ends well when all are as they were asked to be.
pub fn show(services: &[Service], wanted: Option<bool>, printer: &mut Printer) -> Exit {
    let mut table = Table::new(&["service", "state", "pid", "listens on"]);
    for service in services {
        table.row([
            service.name.clone(),
            if service.running {
                "running"
            } else {
                "stopped"
            }
            .to_owned(),
            service.pid.map_or_else(String::new, |pid| pid.to_string()),
            service.address.clone(),
        ]);
    }
    printer.many(&services, &table);
    match wanted {
        Some(wanted) if services.iter().any(|service| service.running != wanted) => Exit::Failed,
        _ => Exit::Done,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_well_only_when_all_is_as_wanted() {
        let services = [
            Service {
                name: "nginx".into(),
                running: true,
                pid: Some(7),
                address: "127.0.0.1:8081".into(),
            },
            Service {
                name: "mariadbd".into(),
                running: false,
                pid: None,
                address: "/d/hosting/mysqld.sock".into(),
            },
        ];
        let (mut printer, captured) = Printer::captured(None);
        assert_eq!(show(&services, Some(true), &mut printer), Exit::Failed);
        assert_eq!(show(&services[..1], Some(true), &mut printer), Exit::Done);
        assert_eq!(show(&services, None, &mut printer), Exit::Done);
        let first = captured.out();
        assert!(first.starts_with(
            "nginx\trunning\t7\t127.0.0.1:8081\nmariadbd\tstopped\t\t/d/hosting/mysqld.sock\n"
        ));
    }
}
