//! What a restore must see to where the snapshot is of another site, or the site had
//! another address when it was taken.

use super::create::{contents_of, place_of};
use crate::{Error, Fleet, Result, code, readdress::Readdress};
use pressroom_base::Kind;
use pressroom_carrier::Session;
use pressroom_jobs::JobContext;
use pressroom_store::{EnvironmentRow, SnapshotOrigin, SnapshotRow, environments};
use pressroom_wordpress::{
    database::replace::{ReplaceOptions, TextPair},
    snapshot::Contents,
};

/// Where WordPress keeps a site's own credentials, table prefix and salts.
pub(super) const CONFIG: &str = "wp-config.php";

/// Which part of a snapshot a restore is to bring back. Refused as `UNPROCESSABLE` where
/// the snapshot does not hold it.
pub(super) fn part_of(snapshot: &SnapshotRow, asked: Option<Contents>) -> Result<Contents> {
    let holds = contents_of(snapshot);
    let part = asked.unwrap_or(holds);
    if holds.holds(part) {
        return Ok(part);
    }
    let text = match holds {
        Contents::Database => "the snapshot holds the tables alone",
        _ => "the snapshot holds the files alone",
    };
    Err(Error::invalid(text).with_code(code::UNPROCESSABLE))
}

impl Fleet {
    /// Refuses what cannot come of a snapshot of another site: unasked, across accounts,
    /// or with a network on either side.
    pub(super) async fn refuse_other_site(
        &self,
        row: &EnvironmentRow,
        snapshot: &SnapshotRow,
        force: bool,
    ) -> Result<()> {
        // One that was sent before its site was connected is that site's all the same.
        let sent = snapshot.origin == SnapshotOrigin::Upload;
        if snapshot.environment_id == row.id || (sent && snapshot.site_id == Some(row.site_id)) {
            return Ok(());
        }
        let refuse = |text: &str| Err(Error::invalid(text).with_code(code::UNPROCESSABLE));
        if snapshot.account_id != row.account_id {
            return refuse("the snapshot is of a site of another account");
        }
        if !force {
            return Err(Error::invalid("the snapshot is of another site")
                .with_code(code::UNPROCESSABLE)
                .with_hint("say that it is meant to replace this one"));
        }
        if row.multisite || self.is_of_network(snapshot).await? {
            return refuse("a network cannot take another site's place, nor a site a network's");
        }
        Ok(())
    }

    /// Whether the snapshot says that it is of a network; where it is too old to say so,
    /// whether its site is one, as long as that is there. Its tables are looked at again
    /// before they take the place of any others.
    async fn is_of_network(&self, snapshot: &SnapshotRow) -> Result<bool> {
        let said = match self.parts.archive.manifest(&place_of(snapshot)?).await {
            Ok(manifest) => manifest.said.network,
            // What is not there is told by the restore itself.
            Err(pressroom_archive::Error::NotFound(_)) => None,
            Err(error) => return Err(error.into()),
        };
        if let Some(network) = said {
            return Ok(network);
        }
        let other = environments::get(&self.parts.store, snapshot.environment_id).await?;
        Ok(other.is_some_and(|other| other.multisite))
    }

    /// Gives restored tables the site's address where they have another, and looks
    /// whether they have it then.
    pub(super) async fn readdress_restored(
        &self,
        ctx: &JobContext,
        session: &Session,
        row: &EnvironmentRow,
        from: &str,
    ) -> Result<()> {
        for (number, pairs) in pairs(from, &row.url).into_iter().enumerate() {
            let options = ReplaceOptions {
                pairs,
                run: format!("restore-{}-{number}", ctx.id()),
                ..ReplaceOptions::default()
            };
            let report = session
                .search_replace(Some(ctx.epoch()), self.site_ref(row), options)
                .await?;
            ctx.line(format!(
                "{from} became {}: {} texts in {} rows",
                row.url, report.replacements, report.rows
            ));
            if report.failed > 0 {
                return Err(Error::new(
                    Kind::Remote,
                    format!("{} rows could not get the site's address", report.failed),
                ));
            }
        }
        let facts = session.read_site(&row.path, &["home"]).await?;
        let home = facts
            .options
            .get("home")
            .map(|home| home.trim_end_matches('/'));
        if home == Some(row.url.trim_end_matches('/')) {
            return Ok(());
        }
        Err(Error::new(
            Kind::Remote,
            "the restored tables do not have the site's address",
        ))
    }
}

/// What is replaced in turn: the address, then its scheme.
fn pairs(from: &str, to: &str) -> Vec<Vec<TextPair>> {
    let parts = |url: &str| {
        let (scheme, rest) = url.split_once("://")?;
        Some((scheme.to_owned(), rest.trim_end_matches('/').to_owned()))
    };
    let (Some((old_scheme, old)), Some((new_scheme, new))) = (parts(from), parts(to)) else {
        return Vec::new();
    };
    let mut runs = Vec::new();
    if old != new {
        let address = Readdress {
            old,
            new: new.clone(),
        };
        runs.push(address.pairs(None));
    }
    if old_scheme != new_scheme {
        runs.push(vec![TextPair {
            old: format!("{old_scheme}://{new}"),
            new: format!("{new_scheme}://{new}"),
        }]);
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_comes_first_then_its_scheme() {
        assert!(pairs("http://a.example", "http://a.example/").is_empty());
        let runs = pairs("http://a.example/blog", "https://b.example:8081");
        assert_eq!(runs.len(), 2);
        assert_eq!(
            (&*runs[0][0].old, &*runs[0][0].new),
            ("//a.example/blog", "//b.example:8081")
        );
        assert_eq!(
            (&*runs[1][0].old, &*runs[1][0].new),
            ("http://b.example:8081", "https://b.example:8081")
        );
    }
}
