//! How many domains one php-fpm and one nginx carry: makes a stack in a temporary
//! directory, gives it N domains without visitors, and prints what that costs. The
//! figures in `docs/operating.md` come from here:
//!
//! ```text
//! cargo run -p pressroom-providers --example hosting_bound -- 1 100 500 1000 2000
//! ```

#![expect(clippy::print_stdout, reason = "its output is its purpose")]
#![expect(clippy::unwrap_used, reason = "a measurement fails by panicking")]

use pressroom_providers::hosting::{HostingConfig, LocalHosting, WebSite};
use std::{fs, os::unix::fs::PermissionsExt, process::Command, time::Instant};

#[tokio::main]
async fn main() {
    let counts: Vec<usize> = std::env::args()
        .skip(1)
        .map(|count| count.parse().unwrap())
        .collect();
    let temp = tempfile::tempdir().unwrap();
    fs::set_permissions(temp.path(), fs::Permissions::from_mode(0o711)).unwrap();
    let mut config = HostingConfig::new(temp.path().join("hosting"), temp.path().join("sites"));
    config.http_addr = ([127, 0, 0, 1], 0).into();
    config.max_domains = 100_000;
    let dir = config.dir.clone();
    let hosting = LocalHosting::new(config);
    hosting.up().await.unwrap();
    // One user serves for all: what is measured does not depend on it.
    let name = LocalHosting::new_user_name();
    let home = hosting.home_of("bound.example").unwrap();
    let user = hosting.create_user(&name, &home).await.unwrap();

    println!(
        "domains | one more | php-fpm -t | nginx -t | php-fpm MiB | nginx MiB | php-fpm files | nginx files | doctor"
    );
    let mut made = 0;
    for count in counts {
        let mut tasks = Vec::new();
        while made < count {
            let site = WebSite::new(format!("s{made}.example"), &home, user.clone());
            let hosting = hosting.clone();
            tasks.push(tokio::spawn(async move { hosting.ensure_web(&site).await }));
            made += 1;
        }
        for task in tasks {
            task.await.unwrap().unwrap();
        }
        let last = WebSite::new("last.example", &home, user.clone());
        let started = Instant::now();
        hosting.ensure_web(&last).await.unwrap();
        let more = started.elapsed();
        hosting.remove_web("last.example").await.unwrap();
        let timed = |program: &str, args: &[&str]| {
            let started = Instant::now();
            let output = Command::new(program).args(args).output().unwrap();
            assert!(output.status.success(), "{output:?}");
            started.elapsed().as_millis()
        };
        let fpm_conf = dir.join("fpm/php-fpm.conf");
        let fpm = timed("php-fpm8.2", &["-t", "-y", fpm_conf.to_str().unwrap()]);
        let nginx_conf = dir.join("nginx/nginx.conf");
        let nginx = timed("nginx", &["-t", "-q", "-c", nginx_conf.to_str().unwrap()]);
        let status = hosting.status().await;
        let started = Instant::now();
        hosting.doctor().await;
        let doctor = started.elapsed();
        let (fpm_pid, nginx_pid) = (status.php_fpm.pid.unwrap(), status.nginx.pid.unwrap());
        println!(
            "{count} | {} ms | {fpm} ms | {nginx} ms | {:.0} | {:.0} | {} | {} | {} ms",
            more.as_millis(),
            private_mib(fpm_pid),
            private_mib(nginx_pid),
            files(fpm_pid),
            files(nginx_pid),
            doctor.as_millis(),
        );
    }
    hosting.down().await.unwrap();
    hosting.remove_user(&name).await.unwrap();
    hosting.destroy().await.unwrap();
}

/// Memory that is not shared with anybody, of a process and its children.
fn private_mib(pid: i32) -> f64 {
    let children =
        fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    let all =
        std::iter::once(pid).chain(children.split_whitespace().map(|pid| pid.parse().unwrap()));
    let kib: f64 = all
        .filter_map(|pid| fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok())
        .flat_map(|text| {
            text.lines()
                .filter(|line| line.starts_with("Pss:"))
                .filter_map(|line| line.split_whitespace().nth(1)?.parse::<f64>().ok())
                .collect::<Vec<_>>()
        })
        .sum();
    kib / 1024.0
}

fn files(pid: i32) -> usize {
    fs::read_dir(format!("/proc/{pid}/fd")).unwrap().count()
}
