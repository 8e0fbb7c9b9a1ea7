//! A site of the lab with the engine's view of it.

use pressroom_base::Epoch;
use pressroom_lab::{Multisite, Site, Wordpress};
use pressroom_wordpress::{
    Home, Watch,
    bridge::{self, Action, BridgeOptions, Outcome, Place, Report},
    recovery,
};
use serde::de::DeserializeOwned;
use std::time::Duration;

pub const EPOCH: Epoch = Epoch::new(3);

pub struct Lab {
    pub site: Site,
    pub home: Home,
    pub options: BridgeOptions,
}

pub fn patient() -> Watch {
    Watch::lasting(Duration::from_mins(2))
}

impl Lab {
    pub fn new(wordpress: Wordpress) -> Self {
        Self::of(Site::new(wordpress).expect("a site"))
    }

    pub fn network(wordpress: Wordpress, kind: Multisite) -> Self {
        Self::of(Site::network(wordpress, kind).expect("a network"))
    }

    pub fn of(site: Site) -> Self {
        let home = Home::open(site.home()).unwrap();
        recovery::recover(&home, EPOCH, &patient()).unwrap();
        Self {
            site,
            home,
            options: BridgeOptions::default(),
        }
    }

    pub fn place(&self) -> Place<'_> {
        Place {
            home: &self.home,
            epoch: Some(EPOCH),
            root: self.site.root(),
            php: "php",
            options: &self.options,
        }
    }

    pub fn run(&self, actions: &[Action]) -> Report {
        self.run_with(actions, &self.options)
    }

    pub fn run_with(&self, actions: &[Action], options: &BridgeOptions) -> Report {
        let root = self.site.root();
        bridge::run_with(
            &self.home,
            Some(EPOCH),
            root,
            "php",
            actions,
            options,
            &patient(),
        )
        .unwrap()
    }

    pub fn one(&self, action: Action) -> Outcome {
        let report = self.run(&[action]);
        assert_eq!(report.fatal, None, "{report:?}");
        report.outcomes.into_iter().next().expect("an outcome")
    }

    /// One action that must work; its data in its shape.
    pub fn ok<T: DeserializeOwned>(&self, action: Action) -> T {
        read(&self.one(action))
    }

    /// One action that must be refused; the code.
    pub fn refused(&self, action: Action) -> String {
        let outcome = self.one(action);
        assert!(!outcome.ok, "{outcome:?}");
        outcome.code.expect("a code")
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
}

pub fn read<T: DeserializeOwned>(outcome: &Outcome) -> T {
    assert!(outcome.ok, "{outcome:?}");
    T::deserialize(&outcome.data).unwrap_or_else(|why| panic!("{why}: {outcome:?}"))
}
