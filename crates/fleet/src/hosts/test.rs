//! Looking at a host: who we are there, what it has, how sites on it are worked on.

use super::{FoundPhp, FoundSite, Host, HostSurvey, HostWay};
use crate::{
    Caller, Error, Fleet, Result, accounts,
    authorize::{Action, Resource, authorize},
};
use pressroom_base::Kind;
use pressroom_carrier::{
    CancellationToken, Place, Session, Way,
    ssh::{Remote, RunAs, Survey},
};
use pressroom_store::{HostRow, HostStatus, hosts};
use serde::Serialize;
use std::path::Path;

/// Levels of directories below the home in which sites are looked for.
const DEPTH: usize = 5;

/// A host that was reached, and what was seen there.
#[derive(Debug, Clone, Serialize)]
pub struct HostFound {
    /// The host as it is on record now.
    #[serde(flatten)]
    pub host: Host,
    /// Whether its key was seen for the first time: from now on it is known by it.
    pub key_is_new: bool,
}

impl Fleet {
    /// Reaches a host and looks at it; nothing there is changed but for the agent, which
    /// is brought where it can run. What was found, or that it failed, is on record
    /// afterwards.
    ///
    /// Errors: `NotFound`, `Forbidden`; of the host: `Unreachable`, `Remote` (the key is
    /// not accepted), `Conflict` (it shows another key than before), `Unsupported` (an
    /// account that may not run commands).
    pub async fn test_host(&self, caller: &Caller, name: &str) -> Result<HostFound> {
        authorize(&caller.principal, Action::Operate, Resource::Installation)?;
        let row = self.host_row(name).await?;
        self.look_at_host(row).await
    }

    /// The same, for use cases.
    pub(crate) async fn look_at_host(&self, row: HostRow) -> Result<HostFound> {
        let remote = self.remote(&row, RunAs::Login).await?;
        // Somebody waits for this answer, not for that of a moment ago.
        self.parts.ssh.forget(row.id);
        let survey = match self.survey_host(&row, &remote).await {
            Ok(survey) => survey,
            Err(error) => {
                if let Some(status) = status_of(&error) {
                    let tx = self.parts.store.begin().await?;
                    hosts::set_status(&tx, row.id, status).await?;
                    tx.commit().await?;
                }
                return Err(error);
            }
        };
        let tx = self.parts.store.begin().await?;
        let survey = serde_json::to_value(survey).map_err(Error::internal)?;
        hosts::surveyed(&tx, row.id, &survey).await?;
        let now = hosts::get(&tx, row.id).await?;
        let now = now.ok_or_else(|| Error::not_found("host"))?;
        let account = accounts::name_of(&tx, row.account_id).await?;
        tx.commit().await?;
        Ok(HostFound {
            key_is_new: row.pinned().is_none(),
            host: Host::new(now, account),
        })
    }

    async fn survey_host(&self, row: &HostRow, remote: &Remote) -> Result<HostSurvey> {
        let seen = remote.survey().await;
        // Also of a host that could not be looked at: it was reached, and showed a key.
        self.learn_keys(row, remote).await?;
        let seen = self.told_by_host(row, seen).await?;
        let mut survey = told(&seen);
        if row.login == "root" {
            see_as_root(remote, &mut survey).await?;
            return Ok(survey);
        }
        let remote = Remote {
            php: seen.php.first().map(|php| php.path.clone()),
            ..remote.clone()
        };
        match find(&remote, &survey.home).await {
            Ok((way, sites, complete)) => {
                survey.way = way;
                survey.sites = Some(sites);
                survey.sites_note =
                    (!complete).then(|| "not every directory could be looked at".into());
            }
            // A line that was cut says nothing about the host.
            Err(error) if error.kind() == Kind::Unreachable => return Err(error),
            Err(error) => survey.no_way(error.to_string()),
        }
        Ok(survey)
    }
}

/// Every WordPress of a host that root is let into. Root runs nothing of ours but scripts
/// that look; whether an agent can work there, the first site's owner shows.
async fn see_as_root(remote: &Remote, survey: &mut HostSurvey) -> Result<()> {
    let found = remote
        .find_sites()
        .await
        .map_err(pressroom_carrier::Error::from)?;
    let first = found.iter().find(|site| site.owner != "root");
    if let Some(site) = first {
        let place = Place {
            home: Path::new(&site.root)
                .parent()
                .unwrap_or(Path::new("/"))
                .into(),
            way: Way::Ssh(Box::new(Remote {
                run_as: RunAs::Root(site.owner.clone()),
                ..remote.clone()
            })),
        };
        match Session::open(&place, CancellationToken::new()).await {
            Ok(session) => {
                survey.way = way_of(&session);
                session.close().await;
            }
            Err(error) if error.kind() == Kind::Unreachable => return Err(error.into()),
            Err(error) => survey.way = HostWay::None(error.to_string()),
        }
    }
    let sites = found.into_iter().map(|site| FoundSite {
        root: site.root,
        version: site.version,
        configured: site.configured,
        owner: Some(site.owner),
    });
    survey.sites = Some(sites.collect());
    Ok(())
}

fn way_of(session: &Session) -> HostWay {
    match session.obstacle() {
        Some(why) => HostWay::Php(why.to_owned()),
        None => HostWay::Agent,
    }
}

/// Every WordPress below a home, by which way it was found, and whether all of it was
/// looked at.
async fn find(remote: &Remote, home: &str) -> Result<(HostWay, Vec<FoundSite>, bool)> {
    let place = Place {
        home: home.into(),
        way: Way::Ssh(Box::new(remote.clone())),
    };
    let session = Session::open(&place, CancellationToken::new()).await?;
    let found = session.find("", DEPTH).await;
    let way = way_of(&session);
    session.close().await;
    let found = found?;
    let sites = found.installs.into_iter().map(|install| FoundSite {
        root: Path::new(home).join(&install.root).display().to_string(),
        version: install.version,
        configured: install.config.is_some(),
        owner: None,
    });
    Ok((way, sites.collect(), found.complete))
}

fn told(seen: &Survey) -> HostSurvey {
    HostSurvey {
        machine: format!("{} {}", seen.system, seen.machine),
        user: seen.user.clone(),
        home: seen.home.clone(),
        php: seen
            .php
            .iter()
            .map(|php| FoundPhp {
                version: php.version.clone(),
                path: php.path.clone(),
            })
            .collect(),
        web_servers: seen.web_servers.clone(),
        free_bytes: seen.free_bytes,
        sudo: seen.sudo.clone(),
        latency_ms: u64::try_from(seen.latency.as_millis()).unwrap_or(u64::MAX),
        ..HostSurvey::default()
    }
}

/// How a host was found that could not be looked at; `None` when that was our own fault.
fn status_of(error: &Error) -> Option<HostStatus> {
    Some(match error.kind() {
        Kind::Internal => return None,
        Kind::Conflict => HostStatus::KeyChanged,
        Kind::Remote | Kind::Unsupported => HostStatus::Refused,
        _ => HostStatus::Unreachable,
    })
}
