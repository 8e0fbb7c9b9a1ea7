//! `pressroom snapshot link`

use crate::{Exit, Failure, Printer, commands::site::find};
use clap::Args;
use pressroom_fleet::{Caller, Fleet, authorize::Action, snapshots::LinkSnapshot};
use std::time::Duration;

/// Makes an address from which anybody who has it may download a snapshot, for a while
/// or once. It begins with `public_url`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  pressroom snapshot link blog.example k3v9q2x7m1p0
  pressroom snapshot link blog.example k3v9q2x7m1p0 --for 2d --once")]
pub struct Link {
    /// The site's id (`wp_…`) or domain
    pub site: String,
    /// The snapshot
    pub snapshot: String,
    /// How long the link is good for: a number with `s`, `m`, `h` or `d`, at most `7d`
    #[arg(long = "for", value_name = "TIME", default_value = "1h", value_parser = span)]
    pub lasts: Duration,
    /// Make it a link that its first download uses up
    #[arg(long)]
    pub once: bool,
}

impl Link {
    pub(in crate::commands) async fn run(
        self,
        fleet: &Fleet,
        caller: &Caller,
        printer: &mut Printer,
    ) -> Result<Exit, Failure> {
        let site = find(&self.site, Action::SnapshotCreate, fleet, caller).await?;
        let new = LinkSnapshot {
            environment: Some(site.id),
            lasts: self.lasts,
            once: self.once,
        };
        let link = fleet.link_snapshot(caller, &self.snapshot, new).await?;
        if printer.json() {
            printer.json_line(&serde_json::json!({
                "url": link.url.expose(),
                "expires_at": link.expires_at.to_rfc3339(),
                "once": link.once,
                "file_name": link.file_name,
                "size": link.size,
                "sha256": link.sha256,
            }));
        } else {
            printer.line(link.url.expose());
        }
        let uses = if link.once {
            "one download"
        } else {
            "any number of downloads"
        };
        printer.note(&format!(
            "good for {uses} until {}; whoever has it needs nothing else",
            link.expires_at.to_rfc3339()
        ));
        Ok(Exit::Done)
    }
}

/// Reads `90s`, `30m`, `1h` or `7d`.
fn span(text: &str) -> Result<Duration, String> {
    let wrong = || "say a number with `s`, `m`, `h` or `d`, such as `1h`".to_owned();
    let unit = text.chars().last().ok_or_else(wrong)?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 60 * 60,
        'd' => 24 * 60 * 60,
        _ => return Err(wrong()),
    };
    let number = &text[..text.len() - unit.len_utf8()];
    if !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(wrong());
    }
    number
        .parse::<u32>()
        .map(|number| Duration::from_secs(u64::from(number) * seconds))
        .map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_have_a_unit() {
        for (text, seconds) in [("90s", 90), ("30m", 1_800), ("1h", 3_600), ("7d", 604_800)] {
            assert_eq!(span(text), Ok(Duration::from_secs(seconds)));
        }
        for text in [
            "",
            "1",
            "h",
            "+1h",
            "1.5h",
            "1w",
            "-1h",
            "99999999999d",
            "1é",
        ] {
            assert!(span(text).is_err(), "{text}");
        }
    }
}
