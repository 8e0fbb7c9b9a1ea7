//! What only WordPress itself can do, started with the site's own PHP. All that it
//! answers is hearsay, from the same process as the site's code.

use super::{Data, Session, answer};
use crate::{Error, Result};
use pressroom_agent::protocol::{Boot, Request};
use pressroom_base::Epoch;
use pressroom_wordpress::bridge::{
    self, Action, Activation, Report, ThemeSwitch,
    outcomes::{CronRan, DatabaseUpgraded},
};

impl Session {
    /// Starts WordPress once and runs actions in it; with an epoch when one writes.
    pub async fn bridge(
        &self,
        epoch: Option<Epoch>,
        root: &str,
        php: &str,
        actions: Vec<Action>,
    ) -> Result<Report> {
        self.bridge_with(epoch, Boot::new(root, php), actions).await
    }

    /// As [`Session::bridge`], as another blog or user, with plugins left out, and more.
    pub async fn bridge_with(
        &self,
        epoch: Option<Epoch>,
        boot: Boot,
        actions: Vec<Action>,
    ) -> Result<Report> {
        self.run_actions(epoch, boot, actions, false).await
    }

    /// As [`Session::bridge_with`], and goes on behind an action in which PHP died. An
    /// outcome for every action, unless WordPress no longer starts.
    pub async fn bridge_each(
        &self,
        epoch: Option<Epoch>,
        boot: Boot,
        actions: Vec<Action>,
    ) -> Result<Report> {
        self.run_actions(epoch, boot, actions, true).await
    }

    async fn run_actions(
        &self,
        epoch: Option<Epoch>,
        boot: Boot,
        actions: Vec<Action>,
        each: bool,
    ) -> Result<Report> {
        // Not every agent knows what writes.
        bridge::check(epoch, &actions).map_err(|why| Error::Refused {
            op: "bridge",
            refusal: why.into(),
        })?;
        let request = Request::Bridge {
            epoch,
            boot,
            actions,
            each,
        };
        answer!(self.call(request, Data::None), Bridge)
    }

    /// Activates plugins and starts the site with them; when it does not survive that,
    /// the list of active plugins is put back and the culprit named.
    pub async fn activate_plugins(
        &self,
        epoch: Epoch,
        boot: Boot,
        plugins: Vec<String>,
        network_wide: bool,
    ) -> Result<Activation> {
        let request = Request::ActivatePlugins {
            epoch,
            boot,
            plugins,
            network_wide,
        };
        let activation: Result<Box<Activation>> =
            answer!(self.call(request, Data::None), ActivatePlugins);
        activation.map(|activation| *activation)
    }

    /// Switches the theme and starts the site with it; put back in the same way.
    pub async fn switch_theme(
        &self,
        epoch: Epoch,
        boot: Boot,
        stylesheet: &str,
    ) -> Result<ThemeSwitch> {
        let request = Request::SwitchTheme {
            epoch,
            boot,
            stylesheet: stylesheet.to_owned(),
        };
        let switch: Result<Box<ThemeSwitch>> = answer!(self.call(request, Data::None), SwitchTheme);
        switch.map(|switch| *switch)
    }

    /// Upgrades WordPress' tables, with `network` those of all blogs, `batch` of them
    /// (1 to 1000) per start of WordPress.
    pub async fn upgrade_databases(
        &self,
        epoch: Epoch,
        boot: Boot,
        network: bool,
        batch: u32,
    ) -> Result<DatabaseUpgraded> {
        let request = Request::UpgradeDatabases {
            epoch,
            boot,
            network,
            batch,
        };
        answer!(self.call(request, Data::None), UpgradeDatabases)
    }

    /// Runs all scheduled events that are due or will be within so many seconds, those behind a
    /// fatal one too.
    pub async fn run_cron(&self, epoch: Epoch, boot: Boot, within_s: u32) -> Result<CronRan> {
        let request = Request::RunCron {
            epoch,
            boot,
            within_s,
        };
        answer!(self.call(request, Data::None), RunCron)
    }
}
