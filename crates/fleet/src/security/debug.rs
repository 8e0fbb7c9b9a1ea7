//! What becomes of PHP's complaints.

use super::{
    bench::{Before, Bench, changed},
    constants::{is_on, value},
    report::{DebugLog, SecurityChanged},
    set::Measure,
};
use crate::Result;
use pressroom_wordpress::{
    config::{ConfigValue, Edit, Listing},
    protection,
};

const DEBUG: &str = "WP_DEBUG";
const LOG: &str = "WP_DEBUG_LOG";
const DISPLAY: &str = "WP_DEBUG_DISPLAY";
pub(super) const CONSTANTS: [&str; 3] = [DEBUG, LOG, DISPLAY];

/// As `wp_debug_mode()` takes the constants: without `WP_DEBUG` the others mean nothing,
/// and with it errors are shown unless that is switched off.
pub(super) fn seen(listing: &Listing) -> DebugLog {
    let wp_debug = is_on(listing, DEBUG);
    let defined = listing.constants.iter().any(|one| one.name == DISPLAY);
    let log_file = match value(listing, LOG) {
        // `1` and `true` mean its own place.
        Some(ConfigValue::Text(path)) if path.starts_with('/') => Some(path.clone()),
        _ => None,
    };
    let log = wp_debug && is_on(listing, LOG);
    DebugLog {
        wp_debug,
        log,
        display: wp_debug && (!defined || is_on(listing, DISPLAY)),
        log_file: log_file.filter(|_| log),
    }
}

/// All three constants, as they are to be.
fn wanted(before: &Before) -> [(&'static str, ConfigValue); 3] {
    let log = if before.enabled {
        ConfigValue::Text(before.found.debug_log.clone())
    } else {
        ConfigValue::Bool(false)
    };
    [
        (DEBUG, ConfigValue::Bool(before.enabled)),
        (LOG, log),
        (DISPLAY, ConfigValue::Bool(false)),
    ]
}

/// Sets the constants, with a private directory for the log.
pub(super) async fn apply(bench: &Bench<'_>, before: &Before) -> Result<()> {
    if before.enabled {
        bench.protect(protection::Measure::DebugLog).await?;
    }
    let edits = wanted(before).map(|(name, value)| Edit::Set {
        name: name.to_owned(),
        value,
    });
    bench.edit(edits.to_vec()).await
}

/// Whether PHP sees them so, and the site lives.
pub(super) async fn verify(bench: &Bench<'_>, before: &Before) -> Result<SecurityChanged> {
    let wanted = wanted(before).map(|(name, value)| (name, Some(value)));
    bench.refuse_other(&wanted).await?;
    bench.refuse_worse(before).await?;
    let log = &before.found.debug_log;
    let message = if before.enabled {
        format!("debugging is on; errors are logged to `{log}` and shown to nobody")
    } else {
        "debugging is off".to_owned()
    };
    Ok(SecurityChanged {
        log_file: before.enabled.then(|| log.clone()),
        ..changed(Measure::Debug, before, &message)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use pressroom_wordpress::config::{ListedConstant, Source};

    fn listing(constants: &[(&str, ConfigValue)]) -> Listing {
        Listing {
            file: "wp-config.php".into(),
            source: Source::Read,
            constants: constants
                .iter()
                .map(|(name, value)| ListedConstant {
                    name: (*name).to_owned(),
                    value: Some(value.clone()),
                    secret: false,
                })
                .collect(),
            table_prefix: None,
            may_be_more: false,
            trouble: None,
        }
    }

    #[test]
    fn constants_mean_what_wordpress_makes_of_them() {
        use ConfigValue::{Bool, Text};
        assert_eq!(seen(&listing(&[])), DebugLog::default());
        let without = listing(&[(LOG, Bool(true)), (DISPLAY, Bool(true))]);
        assert_eq!(seen(&without), DebugLog::default());
        let shown = seen(&listing(&[(DEBUG, Bool(true))]));
        assert!(shown.display && !shown.log);
        let logged = seen(&listing(&[
            (DEBUG, Bool(true)),
            (LOG, Text("/s/logs/debug.log".into())),
            (DISPLAY, Bool(false)),
        ]));
        assert_eq!(
            logged,
            DebugLog {
                wp_debug: true,
                log: true,
                display: false,
                log_file: Some("/s/logs/debug.log".into()),
            }
        );
    }
}
