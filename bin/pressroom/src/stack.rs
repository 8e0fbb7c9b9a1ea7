//! `pressroom hosting …` over this machine's stack.

use crate::wire;
use pressroom_base::Kind;
use pressroom_cli::{
    Exit, Failure, Printer,
    commands::hosting::{self, Hosting, Service},
    config::Config,
};
use pressroom_providers::hosting::{DaemonStatus, LocalHosting};

/// Does what was asked and prints what runs then.
pub async fn run(verb: Hosting, config: &Config, printer: &mut Printer) -> Result<Exit, Failure> {
    let stack = wire::hosting(config);
    let failed = |error| {
        Failure::new(Kind::Unreachable, "the hosting stack does not do that").because(&error)
    };
    let wanted = match verb {
        Hosting::Up(_) => {
            crate::data::prepare(config)?;
            stack.up().await.map_err(failed)?;
            Some(true)
        }
        Hosting::Down(_) => {
            stack.down().await.map_err(failed)?;
            Some(false)
        }
        Hosting::Status(_) => None,
    };
    Ok(hosting::show(&services(&stack).await, wanted, printer))
}

async fn services(stack: &LocalHosting) -> Vec<Service> {
    let status = stack.status().await;
    let service = |name: &str, daemon: &DaemonStatus, address: String| Service {
        name: name.to_owned(),
        running: daemon.answers,
        pid: daemon.pid.and_then(|pid| u32::try_from(pid).ok()),
        address,
    };
    let database = stack.db_host().unwrap_or_default();
    let web = status
        .http_addr
        .map_or_else(String::new, |address| address.to_string());
    vec![
        service("mariadb", &status.mariadb, database),
        service("php-fpm", &status.php_fpm, String::new()),
        service("nginx", &status.nginx, web),
    ]
}
