//! A site of the lab, with an agent that runs as its owner.

use crate::site::{in_php, local, place, soon};
use pressroom_agent::protocol::{Boot, SiteRef};
use pressroom_base::Epoch;
use pressroom_carrier::{CancellationToken, Place, Session};
use pressroom_lab::Site;
use pressroom_wordpress::bridge::{BridgeOptions, Outcome};
use serde::de::DeserializeOwned;
use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::PathBuf,
    process::{Command, Output},
};
use tempfile::TempDir;

pub const EPOCH: Epoch = Epoch::new(3);
pub const PHP: &str = "php";

pub struct Real {
    pub site: Site,
    pub session: Session,
    dir: TempDir,
}

impl Real {
    pub async fn of(site: Site) -> Self {
        let (dir, program) = program();
        let place = place(site.home(), &program);
        Self::at(site, place, dir).await
    }

    /// The same site with the agent in PHP.
    pub async fn in_php(site: Site) -> Self {
        let (dir, program) = program();
        let text = dir.path().join("agent.php");
        fs::write(&text, pressroom_agent::php::program()).unwrap();
        let place = in_php(&place(site.home(), &program), &text);
        Self::at(site, place, dir).await
    }

    async fn at(site: Site, place: Place, dir: TempDir) -> Self {
        let real = Self {
            session: {
                if let Some(user) = &local(&place).run_as {
                    let owner = format!("{}:{}", user.uid, user.gid);
                    let home = site.home().as_os_str();
                    done(Command::new("chown").arg("-R").arg(owner).arg(home));
                }
                soon(Session::open(&place, CancellationToken::new()))
                    .await
                    .unwrap()
            },
            site,
            dir,
        };
        real.session.recover(EPOCH).await.unwrap();
        real
    }

    /// One more session with the site, with the other agent.
    pub async fn native(&self) -> Session {
        let place = place(self.site.home(), &self.dir.path().join("program"));
        soon(Session::open(&place, CancellationToken::new()))
            .await
            .unwrap()
    }

    pub fn root(&self) -> &'static str {
        self.site.root()
    }

    pub fn site_ref(&self) -> SiteRef {
        SiteRef {
            root: self.root().into(),
            php: Some(PHP.into()),
        }
    }

    pub fn boot(&self) -> Boot {
        Boot::new(self.root(), PHP)
    }

    pub fn boot_with(&self, options: BridgeOptions) -> Boot {
        Boot {
            options,
            ..self.boot()
        }
    }

    /// The first column of the first row.
    pub fn sql(&self, statement: &str) -> String {
        let rows = self.site.database.sql(statement).expect("rows");
        rows.trim_end_matches('\n').to_owned()
    }

    pub fn option(&self, name: &str) -> String {
        self.sql(&format!(
            "SELECT option_value FROM wp_options WHERE option_name = '{name}'"
        ))
    }

    pub fn is_network(&self) -> bool {
        !self.sql("SHOW TABLES LIKE 'wp_blogs'").is_empty()
    }

    /// What is stored of active plugins, of the blog and of the network.
    pub fn active(&self) -> (String, String) {
        let wide = if self.is_network() {
            self.sql(
                "SELECT meta_value FROM wp_sitemeta WHERE meta_key = 'active_sitewide_plugins'",
            )
        } else {
            String::new()
        };
        (self.option("active_plugins"), wide)
    }
}

/// This program, where the site's owner can read it.
fn program() -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o711)).unwrap();
    let program = dir.path().join("program");
    let ours = std::env::current_exe().unwrap();
    fs::hard_link(&ours, &program)
        .or_else(|_| fs::copy(&ours, &program).map(drop))
        .unwrap();
    (dir, program)
}

pub fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// The data of an outcome that must be well, in its shape.
pub fn read<T: DeserializeOwned>(outcome: &Outcome) -> T {
    assert!(outcome.ok, "{outcome:?}");
    outcome.read().unwrap_or_else(|| panic!("{outcome:?}"))
}

fn done(command: &mut Command) -> Output {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    output
}
