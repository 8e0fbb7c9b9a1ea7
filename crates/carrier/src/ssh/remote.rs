//! Who works on a host.

use super::{Hosts, Program, Result, Route, RunAs, address::is_user, error::Error, hosts::Whose};
use pressroom_base::id::HostId;

/// A user of a host, and the agent that is to run there.
#[derive(Debug, Clone)]
pub struct Remote {
    /// What holds the connections, shared by all.
    pub hosts: Hosts,
    /// Which host it is; its connection is shared by all who name it so.
    pub id: HostId,
    /// The way there.
    pub route: Route,
    /// Whom the agent runs as.
    pub run_as: RunAs,
    /// The agent to bring.
    pub agent: Program,
    /// The `php` command there, for the agent in PHP where that one cannot run; without,
    /// nothing stands in for it.
    pub php: Option<String>,
}

impl Remote {
    /// Whom the agent is for, and which it is.
    pub(super) fn whose_agent(&self) -> Whose {
        (self.run_as.clone(), self.agent.hash().to_owned())
    }

    /// Refuses whom nothing may run as; root too, unless `as_root`.
    pub(super) fn check(&self, as_root: bool) -> Result<()> {
        let login = self.route.host.address.user();
        let user = match &self.run_as {
            RunAs::Login => login,
            RunAs::Sudo(user) | RunAs::Root(user) => user,
        };
        if user == "root" && !as_root {
            return Err(Error::AsRoot {
                address: self.route.host.address.clone(),
            });
        }
        if !is_user(user) {
            return Err(Error::NoSuchUser {
                address: self.route.host.address.clone(),
                user: user.to_owned(),
            });
        }
        Ok(())
    }
}
