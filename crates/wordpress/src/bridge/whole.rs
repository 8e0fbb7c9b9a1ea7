//! Several starts of WordPress that belong together.

use super::{
    Action, Blame, BridgeOptions, Outcome, PluginState, Report, ThemeState,
    outcomes::{CronRan, DatabaseUpgraded, PluginChange, PluginsChanged, PluginsSet, ThemeChanged},
    run_with,
};
use crate::{Error, Result, home::Home, watch::Watch};
use pressroom_base::Epoch;
use serde::{Deserialize, Serialize};

/// Seconds for each start where there is something to undo, unless told otherwise.
const START_LIMIT_S: u32 = 120;

/// Where and with what WordPress is started.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// The home.
    pub home: &'a Home,
    /// The caller's epoch.
    pub epoch: Option<Epoch>,
    /// Directory of `wp-load.php`, relative to the home.
    pub root: &'a str,
    /// The `php` command.
    pub php: &'a str,
    /// How WordPress is started.
    pub options: &'a BridgeOptions,
}

impl Place<'_> {
    fn run(&self, actions: &[Action], watch: &Watch) -> Result<Report> {
        self.run_as(actions, self.options, watch)
    }

    fn run_as(&self, actions: &[Action], options: &BridgeOptions, watch: &Watch) -> Result<Report> {
        run_with(
            self.home, self.epoch, self.root, self.php, actions, options, watch,
        )
    }

    /// Without anything of the site's that could die.
    fn run_bare(&self, action: Action, watch: &Watch) -> Result<Report> {
        let options = BridgeOptions {
            blog: self.options.blog,
            url: self.options.url.clone(),
            time_limit_s: self.options.time_limit_s,
            ..BridgeOptions::bare()
        };
        self.run_as(&[action], &options, watch)
    }

    /// Its options with a limit for each start: one that hangs must leave time to undo
    /// what it did.
    fn bounded(&self) -> BridgeOptions {
        BridgeOptions {
            time_limit_s: self.options.time_limit_s.or(Some(START_LIMIT_S)),
            ..self.options.clone()
        }
    }

    /// Whether the site starts for a visitor and as wp-admin: the report of the first
    /// start that it does not survive.
    fn trouble_starting(&self, watch: &Watch) -> Result<Option<Report>> {
        for admin in [false, true] {
            let options = BridgeOptions {
                admin,
                ..self.options.clone()
            };
            let report = self.run_as(&[], &options, watch)?;
            if report.fatal.is_some() {
                return Ok(Some(report));
            }
        }
        Ok(None)
    }
}

/// Runs every action: behind one in which PHP died, WordPress is started again, and
/// what needs a start of its own gets it. `fatal` is set only when WordPress no longer
/// starts; then the outcomes end there.
pub fn run_each(place: Place<'_>, actions: &[Action], watch: &Watch) -> Result<Report> {
    let mut whole = place.run(actions, watch)?;
    while whole.fatal.is_some() && !whole.outcomes.is_empty() {
        let rest = whole.remaining(actions);
        if rest.is_empty() {
            whole.fatal = None;
            break;
        }
        let next = place.run(rest, watch)?;
        let stuck = next.outcomes.is_empty();
        whole.fatal = next.fatal;
        whole.blame = whole.blame.or(next.blame);
        whole.blamed = whole.blamed.or(next.blamed);
        whole.noise_bytes += next.noise_bytes;
        whole.noise_tail = next.noise_tail;
        whole.outcomes.extend(next.outcomes);
        if stuck {
            break;
        }
    }
    for (outcome, action) in whole.outcomes.iter_mut().zip(actions) {
        if outcome.code.as_deref() != Some("needs_own_boot") {
            continue;
        }
        let (blog, action) = match action {
            Action::At { blog, inner } => (Some(*blog), inner.as_ref()),
            other => (place.options.blog, other),
        };
        let options = BridgeOptions {
            blog,
            ..place.options.clone()
        };
        let alone = place.run_as(std::slice::from_ref(action), &options, watch)?;
        *outcome = match (alone.outcomes.into_iter().next(), alone.fatal) {
            (Some(outcome), _) => outcome,
            (None, fatal) => failed(fatal, alone.blame),
        };
    }
    Ok(whole)
}

fn failed(fatal: Option<String>, blame: Option<Blame>) -> Outcome {
    Outcome {
        ok: false,
        error: fatal,
        code: Some("fatal".to_owned()),
        data: serde_json::Value::Null,
        blame,
        secret: None,
    }
}

/// What came of activating plugins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Activation {
    /// From before, for [`Action::RestoreActivePlugins`].
    pub before: PluginState,
    /// One per plugin that was begun.
    pub plugins: Vec<PluginChange>,
    /// Whether all are active and the site starts with them.
    pub ok: bool,
    /// What WordPress or PHP said, when not.
    pub error: Option<String>,
    /// The component that failed, when one can be named.
    pub blame: Option<Blame>,
    /// Set when the list of active plugins was put back as a whole: whether it is
    /// `before` again, read after it.
    pub undone: Option<bool>,
}

/// Activates plugins, then starts the site again for a visitor and as wp-admin. When it
/// does not survive that, or PHP died in an activation, the list of active plugins is
/// put back byte for byte, with all site code left out. A start that hangs counts as
/// one that died.
pub fn activate(
    place: Place<'_>,
    plugins: &[String],
    network_wide: bool,
    watch: &Watch,
) -> Result<Activation> {
    let options = place.bounded();
    let place = Place {
        options: &options,
        ..place
    };
    let actions = [
        Action::ReadActivePlugins,
        Action::ActivatePlugins {
            plugins: plugins.to_vec(),
            network_wide,
            silent: false,
        },
    ];
    let report = place.run(&actions, watch)?;
    let Some(before) = first::<PluginState>(&report) else {
        return Err(not_started(&report));
    };
    let changed = report.outcomes.get(1);
    let data = changed.and_then(Outcome::read::<PluginsChanged>);
    let mut activation = Activation {
        before,
        plugins: data.map(|data| data.plugins).unwrap_or_default(),
        ok: report.is_ok(),
        error: changed.and_then(|outcome| outcome.error.clone()),
        blame: changed.and_then(|outcome| outcome.blame.clone()),
        undone: None,
    };
    let mut broken = report.fatal;
    if broken.is_none()
        && let Some(trouble) = place.trouble_starting(watch)?
    {
        broken = trouble.fatal;
        activation.blame = trouble.blame;
    }
    if let Some(fatal) = broken {
        activation.ok = false;
        activation.error = Some(fatal);
        activation.undone = Some(restore_plugins(place, &activation.before, watch)?);
    }
    Ok(activation)
}

fn restore_plugins(place: Place<'_>, before: &PluginState, watch: &Watch) -> Result<bool> {
    let restore = Action::RestoreActivePlugins {
        record: before.clone(),
    };
    let report = place.run_bare(restore, watch)?;
    Ok(first::<PluginsSet>(&report).is_some_and(|set| set.after == *before))
}

/// What came of switching the theme.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ThemeSwitch {
    /// From before, for [`Action::RestoreTheme`].
    pub before: ThemeState,
    /// Whether it is active and the site starts with it.
    pub ok: bool,
    /// Code of WordPress' refusal.
    pub code: Option<String>,
    /// What WordPress or PHP said, when not.
    pub error: Option<String>,
    /// The component that failed, when one can be named.
    pub blame: Option<Blame>,
    /// Set when the theme was put back: whether it is `before` again, read after it.
    pub undone: Option<bool>,
}

/// Switches the theme, then starts the site with it for a visitor, which is when
/// WordPress moves widgets over, and as wp-admin. Theme, settings, widgets in place
/// and rewrite rules are put back byte for byte when it does not survive that.
pub fn switch_theme(place: Place<'_>, stylesheet: &str, watch: &Watch) -> Result<ThemeSwitch> {
    let options = place.bounded();
    let place = Place {
        options: &options,
        ..place
    };
    let actions = [
        Action::ReadTheme {
            stylesheet: Some(stylesheet.to_owned()),
        },
        Action::SwitchTheme {
            stylesheet: stylesheet.to_owned(),
        },
    ];
    let report = place.run(&actions, watch)?;
    let Some(before) = first::<ThemeState>(&report) else {
        return Err(not_started(&report));
    };
    let changed = report.outcomes.get(1);
    let mut switch = ThemeSwitch {
        before,
        ok: report.is_ok(),
        code: changed.and_then(|outcome| outcome.code.clone()),
        error: changed.and_then(|outcome| outcome.error.clone()),
        blame: changed.and_then(|outcome| outcome.blame.clone()),
        undone: None,
    };
    let mut broken = report.fatal;
    if broken.is_none()
        && switch.ok
        && let Some(trouble) = place.trouble_starting(watch)?
    {
        broken = trouble.fatal;
        switch.blame = trouble.blame;
    }
    if let Some(fatal) = broken {
        switch.ok = false;
        switch.code = Some("fatal".to_owned());
        switch.error = Some(fatal);
        let restore = Action::RestoreTheme {
            record: switch.before.clone(),
        };
        let report = place.run_bare(restore, watch)?;
        let back = first::<ThemeChanged>(&report).and_then(|changed| changed.after);
        switch.undone = Some(back.is_some_and(|back| {
            // Settings of a theme that is named no more are restored but not read again.
            back.stylesheet == switch.before.stylesheet
                && back
                    .rows
                    .iter()
                    .all(|(name, row)| switch.before.rows.get(name).is_none_or(|was| was == row))
        }));
    }
    Ok(switch)
}

/// Upgrades the tables of this blog, or of all blogs of the network in batches. A
/// blog in which PHP died is told so and the others follow.
pub fn upgrade_databases(
    place: Place<'_>,
    network: bool,
    batch: u32,
    watch: &Watch,
) -> Result<DatabaseUpgraded> {
    let mut whole = DatabaseUpgraded::default();
    let mut after = 0;
    loop {
        let action = Action::UpgradeDatabase {
            network,
            after,
            limit: batch,
        };
        let report = place.run(&[action], watch)?;
        let outcome = report.outcomes.first();
        let Some(part) = outcome.and_then(Outcome::read::<DatabaseUpgraded>) else {
            return Err(not_started(&report));
        };
        whole.target = part.target;
        let last = part.blogs.last().map(|blog| blog.blog);
        whole.blogs.extend(part.blogs);
        let next = match report.fatal {
            // It died in the last one told; the others come behind it.
            Some(_) if network => last,
            _ => part.next,
        };
        match next {
            Some(next) if next > after => after = next,
            _ => return Ok(whole),
        }
    }
}

/// Runs all events that are due, or will be within so many seconds: behind one in which PHP died, the others follow in
/// a new start.
pub fn run_cron(place: Place<'_>, within_s: u32, watch: &Watch) -> Result<CronRan> {
    let mut whole = CronRan {
        due: 0,
        ran: Vec::new(),
    };
    loop {
        let report = place.run(
            &[Action::RunCron {
                hook: None,
                limit: u32::MAX,
                within_s,
            }],
            watch,
        )?;
        let outcome = report.outcomes.first();
        let Some(part) = outcome.and_then(Outcome::read::<CronRan>) else {
            return Err(not_started(&report));
        };
        if whole.ran.is_empty() {
            whole.due = part.due;
        }
        let died = report.fatal.is_some();
        let begun = part.ran.len();
        whole.ran.extend(part.ran);
        // An event is out of the list before it runs, so this comes to an end; events
        // that make themselves due again at once must not keep us.
        let many = u64::try_from(whole.ran.len()).is_ok_and(|ran| ran > whole.due);
        if !died || begun == 0 || many {
            if let (Some(blame), Some(last)) = (report.blame, whole.ran.last_mut())
                && died
            {
                last.blame.get_or_insert(blame);
            }
            return Ok(whole);
        }
        if let (Some(last), Some(fatal)) = (whole.ran.last_mut(), report.fatal) {
            last.error = Some(fatal);
            last.blame = last.blame.take().or(report.blame);
        }
    }
}

fn first<T: serde::de::DeserializeOwned>(report: &Report) -> Option<T> {
    report
        .outcomes
        .first()
        .filter(|outcome| outcome.ok)
        .and_then(Outcome::read)
}

fn not_started(report: &Report) -> Error {
    let said = report.outcomes.first().and_then(|one| one.error.clone());
    let why = report.fatal.clone().or(said).unwrap_or_default();
    Error::Php(match &report.blamed {
        Some(slug) => format!("WordPress did not do it, because of `{slug}`: {why}"),
        None => format!("WordPress did not do it: {why}"),
    })
}
