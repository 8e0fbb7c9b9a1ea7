//! `pressroom policy set`

use super::{Whose, show};
use crate::{Exit, Failure, Printer, table::plain};
use clap::{Args, ValueEnum};
use pressroom_fleet::{
    Caller, Fleet,
    policies::{PolicyField, Seen, SetPolicy, Window, read_pattern},
};

/// Whether something is so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Is {
    /// It is
    On,
    /// It is not
    Off,
}

impl Is {
    fn read(it: Option<Self>) -> Option<bool> {
        it.map(|it| it == Self::On)
    }
}

/// Says what is updated by itself and when, for sites or for an account. What is not named stays
/// as it is. Whoever sets it says yes beforehand, and must be allowed to.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  pressroom policy set --account acme --automatic on --hold-days 7
  pressroom policy set 'tag:shop' --window 'mon-fri 01:00-05:00' --window 'sun 00:00-06:00'
  pressroom policy set site:shop.example --time-zone Europe/Berlin --minor-only on
  pressroom policy set site:shop.example --exclude core --exclude 'plugin:woo*'
  pressroom policy set site:shop.example --any-time --exclude-nothing
  pressroom policy set site:shop.example --inherit hold-days --inherit windows")]
pub struct Set {
    /// Whose
    #[command(flatten)]
    pub whose: Whose,
    /// Whether updates begin by themselves
    #[arg(long, value_enum, value_name = "ON")]
    pub automatic: Option<Is>,
    /// Leave releases alone that are younger, in days
    #[arg(long, value_name = "DAYS")]
    pub hold_days: Option<u32>,
    /// Leave major versions out: of WordPress 6.8 to 6.9, of the rest 1.x to 2.x
    #[arg(long, value_enum, value_name = "ON")]
    pub minor_only: Option<Is>,
    /// Never update by itself: `core`, `plugins`, `themes`, `plugin:SLUG`, `theme:SLUG`, with `*` in
    /// a slug for anything; may be given several times, and replaces what was excluded here
    #[arg(long, value_name = "WHAT", value_parser = read_pattern)]
    pub exclude: Vec<String>,
    /// Exclude nothing here
    #[arg(long, conflicts_with = "exclude")]
    pub exclude_nothing: bool,
    /// When updates may be made, such as `sat,sun 22:00-04:00`, in local time; may be given several
    /// times, and replaces the windows that were said here
    #[arg(long, value_name = "WINDOW", value_parser = window)]
    pub window: Vec<String>,
    /// Make updates at any time
    #[arg(long, conflicts_with = "window")]
    pub any_time: bool,
    /// The time zone of the windows, such as `Europe/Berlin`; the site's own, without
    #[arg(long, value_name = "ZONE")]
    pub time_zone: Option<String>,
    /// Whether nobody has to say yes to what was clean in its rehearsal
    #[arg(long, value_enum, value_name = "ON")]
    pub auto_approve: Option<Is>,
    /// Say this no more, and leave it to the account or to the usual: `automatic`, `hold-days`,
    /// `minor-only`, `exclusions`, `windows`, `time-zone`, `auto-approve`
    #[arg(long, value_name = "FIELD", value_parser = field)]
    pub inherit: Vec<PolicyField>,
}

impl Set {
    pub(super) async fn run(
        self,
        fleet: &Fleet,
        caller: &Caller,
        printer: &mut Printer,
    ) -> Result<Exit, Failure> {
        if !self.says_something() {
            return Err(Failure::usage(
                "nothing is said: name what is to be so, such as `--automatic on`",
            ));
        }
        let meant = self.whose.find(fleet, caller, printer).await?;
        if meant.is_empty() {
            return Ok(Exit::NotFound);
        }
        let set = self.said();
        let mut views = Vec::new();
        let mut failed = None;
        for one in meant {
            match fleet
                .set_update_policy(caller, one.target, set.clone())
                .await
            {
                Ok(view) => views.push((one.name, view)),
                Err(error) => {
                    // Those that were set before stay so, and are told.
                    printer.note(&format!("{}: {}", plain(&one.name), error.message()));
                    failed.get_or_insert(error);
                }
            }
        }
        show::show(&views, printer);
        match failed {
            None => Ok(Exit::Done),
            Some(error) => Err(error.into()),
        }
    }

    fn says_something(&self) -> bool {
        self.automatic.is_some()
            || self.hold_days.is_some()
            || self.minor_only.is_some()
            || !self.exclude.is_empty()
            || self.exclude_nothing
            || !self.window.is_empty()
            || self.any_time
            || self.time_zone.is_some()
            || self.auto_approve.is_some()
            || !self.inherit.is_empty()
    }

    fn said(&self) -> SetPolicy {
        let list = |named: &[String], none: bool| match (named.is_empty(), none) {
            (true, false) => None,
            _ => Some(named.to_vec()),
        };
        SetPolicy {
            automatic: Is::read(self.automatic),
            hold_days: self.hold_days,
            minor_only: Is::read(self.minor_only),
            exclusions: list(&self.exclude, self.exclude_nothing),
            windows: list(&self.window, self.any_time),
            time_zone: self.time_zone.clone(),
            auto_approve: Is::read(self.auto_approve),
            inherit: self.inherit.clone(),
            seen: Seen::Whatever,
        }
    }
}

fn window(text: &str) -> Result<String, String> {
    Window::parse(text).map(|window| window.to_string())
}

fn field(text: &str) -> Result<PolicyField, String> {
    PolicyField::parse(text).ok_or_else(|| {
        let all: Vec<_> = PolicyField::ALL
            .iter()
            .map(|field| format!("`{}`", field.as_str().replace('_', "-")))
            .collect();
        format!("one of {}", all.join(", "))
    })
}
