//! The site's files and configuration: found, checked, packed, exchanged.

use super::{Data, Session, answer};
use crate::Result;
use pressroom_agent::protocol::{Request, SiteRef};
use pressroom_base::Epoch;
use pressroom_wordpress::{
    archive::{Exchange, Exchanged, PackOptions, Summary, UnpackOptions, Unpacked},
    checksums::{ChecksumReport, Expected, Subject},
    config::{Edit, Edited, Listing, Settings},
    find::Found,
    protection::{Measure, Protections},
    snapshot::{SnapshotOptions, SnapshotReport},
};
use tokio::io::{AsyncRead, AsyncWrite};

impl Session {
    /// WordPress installs below a directory.
    pub async fn find(&self, below: &str, depth: usize) -> Result<Found> {
        let below = below.to_owned();
        answer!(self.call(Request::Find { below, depth }, Data::None), Find)
    }

    /// What the engine needs of the configuration: database, directories, network.
    pub async fn read_config(&self, site: SiteRef) -> Result<Settings> {
        let settings: Result<Box<Settings>> = answer!(
            self.call(Request::ReadConfig { site }, Data::None),
            ReadConfig
        );
        settings.map(|settings| *settings)
    }

    /// The whole configuration.
    pub async fn list_config(&self, site: SiteRef) -> Result<Listing> {
        let listing: Result<Box<Listing>> = answer!(
            self.call(Request::ListConfig { site }, Data::None),
            ListConfig
        );
        listing.map(|listing| *listing)
    }

    /// Changes `wp-config.php`, all edits or none.
    pub async fn edit_config(
        &self,
        epoch: Epoch,
        site: SiteRef,
        edits: Vec<Edit>,
    ) -> Result<Edited> {
        let request = Request::EditConfig { epoch, site, edits };
        answer!(self.call(request, Data::None), EditConfig)
    }

    /// What the site keeps from its visitors by files of its own.
    pub async fn protections(&self, root: &str) -> Result<Protections> {
        let root = root.to_owned();
        let found: Result<Box<Protections>> = answer!(
            self.call(Request::Protections { root }, Data::None),
            Protections
        );
        found.map(|found| *found)
    }

    /// Changes one of these; answers what is there then.
    pub async fn protect(&self, epoch: Epoch, root: &str, measure: Measure) -> Result<Protections> {
        let request = Request::Protect {
            epoch,
            root: root.to_owned(),
            measure,
        };
        let found: Result<Box<Protections>> = answer!(self.call(request, Data::None), Protections);
        found.map(|found| *found)
    }

    /// Holds files against what their source says.
    pub async fn verify_checksums(
        &self,
        root: &str,
        subject: Subject,
        expected: &Expected,
    ) -> Result<ChecksumReport> {
        let request = Request::VerifyChecksums {
            root: root.to_owned(),
            subject,
        };
        let json = serde_json::to_vec(expected)
            .map_err(|error| crate::Error::Protocol(error.to_string()))?;
        let report: Result<Box<ChecksumReport>> = answer!(
            self.call(request, Data::Up(&mut json.as_slice())),
            VerifyChecksums
        );
        report.map(|report| *report)
    }

    /// Writes the whole site as one archive to `out`.
    pub async fn take_snapshot(
        &self,
        site: SiteRef,
        options: SnapshotOptions,
        out: &mut (dyn AsyncWrite + Unpin + Send),
    ) -> Result<SnapshotReport> {
        let request = Request::TakeSnapshot { site, options };
        let report: Result<Box<SnapshotReport>> =
            answer!(self.call(request, Data::Down(out)), TakeSnapshot);
        report.map(|report| *report)
    }

    /// Writes one directory, without tables, as an archive to `out`.
    pub async fn pack(
        &self,
        options: PackOptions,
        out: &mut (dyn AsyncWrite + Unpin + Send),
    ) -> Result<Summary> {
        let request = Request::Pack { options };
        let summary: Result<Box<Summary>> = answer!(self.call(request, Data::Down(out)), Pack);
        summary.map(|summary| *summary)
    }

    /// Sends an archive and unpacks it beside the site.
    pub async fn unpack(
        &self,
        epoch: Epoch,
        options: UnpackOptions,
        mut archive: impl AsyncRead + Unpin + Send,
    ) -> Result<Unpacked> {
        let request = Request::Unpack { epoch, options };
        let unpacked: Result<Box<Unpacked>> =
            answer!(self.call(request, Data::Up(&mut archive)), Unpack);
        unpacked.map(|unpacked| *unpacked)
    }

    /// Exchanges a live directory with an unpacked one.
    pub async fn exchange_tree(&self, epoch: Epoch, exchange: Exchange) -> Result<Exchanged> {
        let request = Request::ExchangeTree { epoch, exchange };
        answer!(self.call(request, Data::None), ExchangedTree)
    }

    /// Exchanges directories back.
    pub async fn take_back_tree(&self, epoch: Epoch, staged: &str) -> Result<Exchanged> {
        let staged = staged.to_owned();
        let request = Request::TakeBackTree { epoch, staged };
        answer!(self.call(request, Data::None), ExchangedTree)
    }

    /// Removes what was unpacked or is kept aside.
    pub async fn drop_unpacked(&self, epoch: Epoch, staged: &str) -> Result<()> {
        let staged = staged.to_owned();
        self.done(Request::DropUnpacked { epoch, staged }).await
    }
}
