//! Tables and files of a snapshot put in the place of the site's.

use super::{
    other_site::CONFIG,
    restore::Restore,
    steps::{FILES_STEP, TABLES_STEP},
    undo::TablesIntent,
};
use crate::{Error, Result, reach::told};
use pressroom_archive::Manifest;
use pressroom_base::Kind;
use pressroom_wordpress::{
    archive::{EntryPath, Exchange, Unpacked},
    database::restore::{RestoreOptions, RestoreReport},
    snapshot::FILES,
};

impl Restore<'_> {
    /// Tables, then files, as far as they are asked for; each is one act.
    pub(super) async fn exchange(&self, manifest: &Manifest, unpacked: &Unpacked) -> Result<()> {
        if self.part.has_database() {
            self.exchange_tables(manifest, unpacked).await?;
        }
        if self.part.has_files() {
            self.exchange_files(manifest, unpacked).await?;
        }
        Ok(())
    }

    async fn exchange_tables(&self, manifest: &Manifest, unpacked: &Unpacked) -> Result<()> {
        let (ctx, epoch) = (self.ctx, self.ctx.epoch());
        let said = &manifest.said;
        if self.is_of_another() && (said.table_prefix.is_none() || said.url.is_none()) {
            return Err(Error::new(
                Kind::Remote,
                "the snapshot does not say which prefix and address its tables have",
            ));
        }
        let from_prefix = said.table_prefix.clone().filter(|_| self.is_of_another());
        let intent = serde_json::to_value(TablesIntent { epoch }).map_err(Error::internal)?;
        let restoring = async {
            let options = RestoreOptions {
                remove_unknown: true,
                from_prefix,
                ..RestoreOptions::default()
            };
            let site = self.fleet.site_ref(&self.row);
            Ok(self
                .session
                .restore_snapshot_database(epoch, site, &unpacked.staged, options)
                .await?)
        };
        let restored: RestoreReport = ctx
            .step_intending(TABLES_STEP, intent, told(restoring))
            .await?;
        ctx.line(format!(
            "{} tables with {} rows are in place",
            restored.tables.len(),
            restored.rows()
        ));
        let from = said.url.as_deref().filter(|from| *from != self.row.url);
        if let (Some(from), true) = (from, self.comes_from_elsewhere().await?) {
            let work = self
                .fleet
                .readdress_restored(ctx, &self.session, &self.row, from);
            ctx.step("address", told(work)).await?;
        }
        Ok(())
    }

    async fn exchange_files(&self, manifest: &Manifest, unpacked: &Unpacked) -> Result<()> {
        let (ctx, epoch) = (self.ctx, self.ctx.epoch());
        let after = manifest
            .said
            .tree_hash
            .clone()
            .ok_or_else(|| Error::new(Kind::Remote, "the snapshot does not name its files"))?;
        // Sites of their own, which may be younger than the snapshot.
        let below: Vec<EntryPath> = self
            .fleet
            .sites_below(&self.row)
            .await?
            .into_iter()
            .map(|path| EntryPath::new(path.into_bytes()))
            .collect();
        // A move has edited it, like everything else that names the address.
        let keep = if self.comes_from_elsewhere().await? {
            vec![EntryPath::from(CONFIG)]
        } else {
            Vec::new()
        };
        let exchange = Exchange {
            root: self.row.path.clone(),
            staged: unpacked.staged.clone(),
            prefix: FILES.to_owned(),
            before: None,
            after,
            // What no snapshot holds, such as other programs' backups, stays.
            carry: unpacked
                .checked
                .trees
                .iter()
                .find(|tree| tree.prefix == FILES)
                .map(|tree| tree.excluded.clone())
                .unwrap_or_default()
                .into_iter()
                .chain(below.iter().cloned())
                .collect(),
            keep,
            vacant: false,
        };
        let exchanged = ctx
            .step(
                FILES_STEP,
                told(async { Ok(self.session.exchange_tree(epoch, exchange).await?) }),
            )
            .await?;
        if let Some(path) = exchanged.not_carried.iter().find(|it| below.contains(it)) {
            return Err(Error::conflict(format!(
                "another site is in {path:?}, where the snapshot has something else"
            )));
        }
        for path in &exchanged.not_carried {
            ctx.line(format!(
                "{path:?} was in no snapshot and could not be carried over"
            ));
        }
        Ok(())
    }
}
