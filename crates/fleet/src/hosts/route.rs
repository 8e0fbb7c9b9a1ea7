//! The way to a host, from what is on record.

use super::{
    record::{address, line, spoken},
    view::php_of,
};
use crate::{Error, Fleet, Result, reach::Ground};
use pressroom_base::id::HostId;
use pressroom_carrier::{
    CancellationToken, Place, Session, Way,
    ssh::{HostKey, Key, Pin, Program, Remote, Route, RunAs, Stop},
};
use pressroom_store::{HostKey as StoredKey, HostRow, Pin as Pinned, Read, Store, hosts, ssh_keys};
use std::{net::IpAddr, path::Path};

/// Hosts on one way. Each adds its own delay, and its own risk.
const MOST_STOPS: usize = 4;

impl Fleet {
    /// Starts an agent on a host, for a directory there. A key that the host showed for the
    /// first time is kept.
    pub(crate) async fn open_on_host(
        &self,
        host: HostId,
        ground: &Ground,
        cancel: CancellationToken,
    ) -> Result<Session> {
        let row = hosts::get(&self.parts.store, host).await?;
        let row = row.ok_or_else(|| Error::not_found("host"))?;
        let remote = self
            .remote(&row, run_as(&row, ground.unix_user.as_deref()))
            .await?;
        let place = Place {
            home: ground.home.clone(),
            way: Way::Ssh(Box::new(remote.clone())),
        };
        let opened = Session::open(&place, cancel).await;
        self.learn_keys(&row, &remote).await?;
        self.told_by_host(&row, opened).await
    }

    /// What a host answered, or what its failure means to whoever manages it. One that
    /// shows another key stays shut until somebody acts: it is said how, wherever the
    /// failure is shown.
    pub(crate) async fn told_by_host<T>(
        &self,
        row: &HostRow,
        answer: std::result::Result<T, impl Into<pressroom_carrier::Error>>,
    ) -> Result<T> {
        let error = match answer {
            Ok(answer) => return Ok(answer),
            Err(error) => error.into(),
        };
        let Some(changed) = error.changed_host() else {
            return Err(error.into());
        };
        let on_the_way = stops(&self.parts.store, row).await.unwrap_or_default();
        let shown = on_the_way
            .iter()
            .find(|stop| address(stop).is_ok_and(|address| address == *changed))
            .unwrap_or(row);
        let message = format!("{error}: `pressroom host forget-key {}`", spoken(shown));
        Err(Error::new(error.kind(), message).with_source(error))
    }

    /// Who works on a host, and how it is reached.
    pub(crate) async fn remote(&self, row: &HostRow, run_as: RunAs) -> Result<Remote> {
        let store = &self.parts.store;
        let mut via = Vec::new();
        for row in stops(store, row).await? {
            via.push(stop(store, &row).await?);
        }
        let Some(host) = via.pop() else {
            return Err(Error::not_found("host"));
        };
        Ok(Remote {
            hosts: self.parts.ssh.clone(),
            id: row.id,
            route: Route { via, host, may_ask },
            run_as,
            agent: self.carried_agent().await?,
            php: Some(php_of(row).0),
        })
    }

    /// The agent that is brought to hosts.
    async fn carried_agent(&self) -> Result<Program> {
        let read = || async {
            let [program, words @ ..] = self.parts.settings.agent.as_slice() else {
                return Err(no_agent());
            };
            // The whole server is no agent to bring anywhere.
            if words.len() != 1 {
                return Err(no_agent());
            }
            let path = Path::new(program).to_owned();
            let read = tokio::task::spawn_blocking(move || Program::read(&path));
            let program = read.await.map_err(Error::internal)?;
            Ok(program.map_err(pressroom_carrier::Error::from)?)
        };
        self.agent.get_or_try_init(read).await.cloned()
    }

    /// Keeps the keys by which the hosts on a way are known, where they were shown for the
    /// first time. Somebody else may have learned another one at the same moment: that
    /// one counts, and what was reached is not trusted.
    pub(crate) async fn learn_keys(&self, row: &HostRow, remote: &Remote) -> Result<()> {
        let route = &remote.route;
        let rows = stops(&self.parts.store, row).await?;
        if rows.iter().all(|row| row.pinned().is_some()) {
            return Ok(());
        }
        let tx = self.parts.store.begin().await?;
        let rows = stops(&tx, row).await?;
        for (row, stop) in rows.iter().zip(route.via.iter().chain([&route.host])) {
            let Some(shown) = stop.pin.key().filter(|_| row.pinned().is_none()) else {
                continue;
            };
            let shown = shown.to_string();
            let Some((algorithm, base64)) = shown.split_once(' ') else {
                continue;
            };
            let key = StoredKey {
                algorithm: algorithm.to_owned(),
                base64: base64.to_owned(),
            };
            if let Pinned::Other(_) = hosts::learn_key(&tx, row.id, &key).await? {
                return Err(Error::conflict(format!(
                    "`{}` showed two different keys within a moment",
                    row.label
                ))
                .with_hint("ask its operator for the fingerprint, then try again"));
            }
        }
        tx.commit().await?;
        Ok(())
    }
}

/// How the user whom a site belongs to is become: the login user need not.
pub(super) fn run_as(row: &HostRow, user: Option<&str>) -> RunAs {
    match user {
        Some(user) if user == row.login => RunAs::Login,
        Some(user) if row.login == "root" => RunAs::Root(user.to_owned()),
        Some(user) => RunAs::Sudo(user.to_owned()),
        None => RunAs::Login,
    }
}

/// The hosts on the way to one, itself last; `Invalid` when they are too many.
pub(super) async fn stops(from: &impl Read, row: &HostRow) -> Result<Vec<HostRow>> {
    let mut stops = vec![row.clone()];
    let mut jump = row.jump_id;
    while let Some(id) = jump {
        if stops.len() == MOST_STOPS {
            return Err(Error::invalid(format!(
                "the way to `{}` leads over more than {} hosts",
                row.label,
                MOST_STOPS - 1
            )));
        }
        let next = hosts::get(from, id).await?;
        let next = next.ok_or_else(|| Error::not_found("host"))?;
        jump = next.jump_id;
        stops.push(next);
    }
    stops.reverse();
    Ok(stops)
}

async fn stop(store: &Store, row: &HostRow) -> Result<Stop> {
    let key = hosts::key(store, row).await?.ok_or_else(|| {
        Error::conflict(format!("there is no key to open `{}` with", row.label))
            .with_hint("make one with `pressroom key add`")
    })?;
    let private = ssh_keys::private(store, &key)?;
    let key = Key::import(private.expose(), None).map_err(Error::internal)?;
    let pin = match row.pinned() {
        None => Pin::first_use(),
        Some(pinned) => Pin::known(line(&pinned).parse::<HostKey>().map_err(Error::internal)?),
    };
    Ok(Stop {
        address: address(row)?,
        key,
        pin,
    })
}

fn no_agent() -> Error {
    Error::new(
        pressroom_base::Kind::Unsupported,
        "there is no `pressroom-agent` beside this program to bring to a host",
    )
    .with_hint("install it in the same directory")
}

/// Only operators name hosts, and theirs may be on private networks. What is never one:
/// addresses that only the machine's own surroundings answer at, such as a cloud's store
/// of credentials at 169.254.169.254, and those that name no single machine.
fn may_ask(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(v4) => {
            !(v4.is_link_local() || v4.is_unspecified() || v4.is_multicast() || v4.is_broadcast())
        }
        IpAddr::V6(v6) => !(v6.is_unicast_link_local() || v6.is_unspecified() || v6.is_multicast()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_host_is_never_asked() {
        for bad in [
            "169.254.169.254",
            "::ffff:169.254.169.254",
            "fe80::1",
            "0.0.0.0",
            "::",
            "224.0.0.1",
            "255.255.255.255",
            "ff02::1",
        ] {
            assert!(!may_ask(bad.parse().expect("an address")), "{bad}");
        }
        for good in [
            "192.0.2.1",
            "10.0.0.7",
            "127.0.0.1",
            "2001:db8::1",
            "fd00::1",
        ] {
            assert!(may_ask(good.parse().expect("an address")), "{good}");
        }
    }
}
